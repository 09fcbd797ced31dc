"""The usual mistakes with a real Orthanc and a real FHIR server: `doctor` and the log name each, and see its end."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from stack import FhirServer, Orthanc
from tests.support.stack import Stack, until
from tests.support.study import Sample, study

DICOMWEB: dict[str, tuple[dict[str, Any], str]] = {  # the section of Orthanc's configuration, what has to be said
    "DICOMweb is switched off": ({"Enable": False}, "has no DICOMweb at /dicom-web"),
    "DICOMweb has another root": ({"Enable": True, "Root": "/rs/"}, "has no DICOMweb at /dicom-web"),
    "metadata are cut": ({"Enable": True, "SeriesMetadata": "MainDicomTags"}, "SeriesMetadata"),
    "metadata are extrapolated": ({"Enable": True, "SeriesMetadata": "Extrapolate"}, "SeriesMetadata"),
}


def findings(stack: Stack, **settings: str) -> dict[str, list[str]]:
    """Return what `doctor` says, by level."""
    said = stack.cli("doctor", **settings)
    found: dict[str, list[str]] = {"ok": [], "limit": [], "problem": []}
    for line in said.stdout.splitlines():
        level, text = re.split(r"\s+", line, maxsplit=1)
        found[level].append(text)
    assert said.returncode == (1 if found["problem"] else 0)
    lines = said.stdout.splitlines()
    assert len(lines) == len(set(lines)), "nothing is said twice"
    return found


def configured(stack: Stack, **sections: Mapping[str, Any]) -> None:
    """Restart Orthanc with other sections of its configuration."""
    stack.orthanc.overrides.update(sections)
    stack.orthanc.kill()  # a polite stop takes Orthanc two and a half seconds
    stack.orthanc.start().wait_ready()


@pytest.fixture
def one() -> Sample:
    return study()


@pytest.fixture
def stack(orthanc_class: type[Orthanc], test_folder: Path, fhir_server: FhirServer) -> Iterator[Stack]:
    with Stack(test_folder, fhir_server, orthanc_class) as running:
        yield running


def test_doctor_finds_nothing_wrong_with_what_works(stack: Stack, one: Sample) -> None:
    stack.upload(one)
    stack.until_state(one.uid, "synced")
    found = findings(stack)
    assert found["problem"] == []
    for words in (
        "answers at",
        "FHIR 4.0.1",
        "our plugin runs in Orthanc",
        "1 synced",
        "fingerprint",
        "settings: no file",
    ):
        assert any(words in line for line in found["ok"]), words


@pytest.mark.parametrize(("section", "words"), DICOMWEB.values(), ids=DICOMWEB)
def test_a_dicomweb_that_cannot_be_read_is_said_and_its_end_is_seen(
    stack: Stack, one: Sample, section: dict[str, Any], words: str
) -> None:
    stack.upload(one)
    stack.until_state(one.uid, "synced")
    versions = stack.versions(one.uid)
    configured(stack, DicomWeb=section)
    assert any(words in line for line in findings(stack)["problem"])
    stack.api("POST", f"/api/studies/{one.uid}/sync", json={})
    until(lambda: words in stack.mapper.log.read_text())
    assert stack.state(one.uid)["state"] in ("pending", "retrying", "syncing"), "an outage parks nothing"
    assert stack.versions(one.uid) == versions, "and nothing of it reaches FHIR"
    configured(stack, DicomWeb={"Enable": True, "Root": "/dicom-web/", "SeriesMetadata": "Full"})
    stack.until_state(one.uid, "synced")
    assert stack.versions(one.uid) == versions


def test_another_root_is_a_setting(orthanc_class: type[Orthanc], test_folder: Path, fhir_server: FhirServer) -> None:
    settings = {"ORTHANC_FHIR_DICOMWEB_ROOT": "/rs/"}
    one = study()
    overrides = {"DicomWeb": {"Enable": True, "Root": "/rs/"}}
    with Stack(test_folder, fhir_server, orthanc_class, overrides=overrides, settings=settings) as stack:
        stack.upload(one)
        found = stack.until_found(one.uid)
        endpoint = stack.resource(found["endpoint"][0]["reference"])
        assert endpoint["address"] == f"{stack.orthanc.url}/rs"
        assert findings(stack)["problem"] == []


def test_studies_that_stand_in_fhir_under_other_ids_are_said(stack: Stack, one: Sample, tmp_path: Path) -> None:
    stack.upload(one)
    stack.until_state(one.uid, "synced")
    anew = {"ORTHANC_FHIR_LEDGER": f"sqlite:///{tmp_path}/new.db", "ORTHANC_FHIR_NAMESPACE": str(uuid4())}
    problems = findings(stack, **anew)["problem"]
    assert any("1 of 1 studies that were looked up under ids that are not ours" in line for line in problems)
    assert not (tmp_path / "new.db").exists(), "doctor makes nothing"
    stack.mapper.stop()
    stack.mapper.settings.update(anew)
    stack.mapper.start().wait_ready()
    until(lambda: "under ids that are not ours" in stack.mapper.log.read_text())


def test_doctor_says_that_nothing_gets_stable(
    orthanc_class: type[Orthanc], test_folder: Path, fhir_server: FhirServer, one: Sample
) -> None:
    with Stack(test_folder, fhir_server, orthanc_class, overrides={"StableAge": 3600}) as stack:
        stack.upload(one)
        assert any("StableAge" in line for line in findings(stack)["limit"])


def test_doctor_says_that_our_plugin_is_not_there_or_reaches_nobody(stack: Stack, one: Sample) -> None:
    stack.upload(one)
    stack.until_state(one.uid, "synced")
    stack.mapper.stop()
    assert any("our plugin in Orthanc reaches no mapper" in line for line in findings(stack)["problem"])
    assert stack.cli("doctor").returncode == 1
    stack.orthanc.plugin_script = None
    stack.orthanc.kill()
    stack.orthanc.start().wait_ready()
    assert any("our plugin does not run in Orthanc" in line for line in findings(stack)["limit"])


def test_each_side_that_is_not_there_is_said_with_its_cause(stack: Stack) -> None:
    gone = {
        "ORTHANC_FHIR_ORTHANC_URL": "http://127.0.0.1:1",
        "ORTHANC_FHIR_FHIR_URL": "http://no-such-host.invalid/fhir",
    }
    problems = findings(stack, **gone)["problem"]
    assert any("127.0.0.1:1 does not answer: the connection is refused" in line for line in problems)
    assert any("its host is not known" in line for line in problems)
    wrong = findings(stack, ORTHANC_FHIR_ORTHANC_PASSWORD="wrong")["problem"]
    assert any("check user, password" in line for line in wrong)
    swapped = {"ORTHANC_FHIR_FHIR_URL": stack.orthanc.url, "ORTHANC_FHIR_ORTHANC_URL": stack.fhir.url}
    problems = findings(stack, **swapped)["problem"]
    assert len(problems) >= 2
