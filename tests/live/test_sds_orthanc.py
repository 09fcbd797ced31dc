"""`sds --to orthanc` on both Orthancs: the dataset's identifiers stand, whatever is done to the study."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from samples.dataset import part10, uid
from samples.sds import write
from stack import FhirServer, Orthanc
from tests.support.stack import Stack, until

Json = dict[str, Any]


@pytest.fixture
def stack(test_folder: Path, fhir_server: FhirServer, orthanc_class: type[Orthanc]) -> Iterator[Stack]:
    with Stack(test_folder, fhir_server, orthanc_class) as running:
        yield running


@pytest.fixture
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Write the dataset `breast` with UIDs, a patient and a DOI of this test alone."""
    written = write(tmp_path, "breast", form="csv")
    name = request.node.name
    for path in written.rglob("*.dcm"):
        found = dcmread(path)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(found, keyword, uid(name, str(found[keyword].value)))
        found.PatientID = uid(name, found.PatientID)[:30]
        path.write_bytes(part10(found))
    sheet = written / "dataset_description.csv"
    sheet.write_text(sheet.read_text().replace("10.5555/breast", f"10.5555/{uid(name)}"))
    return written


def studies(root: Path) -> dict[str, list[Path]]:
    """Return the files of each study, that of sub-1 with two series first."""
    found: dict[str, list[Path]] = {}
    for path in sorted(root.rglob("*.dcm")):
        found.setdefault(dcmread(path).StudyInstanceUID, []).append(path)
    return found


def sds(stack: Stack, root: Path, to: str = "orthanc") -> Json:
    done = stack.cli("sds", str(root), "--to", to, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["written"])


def identifiers(study: Json) -> list[str]:
    return sorted(one["value"] for one in study["identifier"] if one["system"].startswith("urn:sparc"))


def until_identified(stack: Stack, study_uid: str, wanted: list[str], **more: Any) -> Json:
    """Wait until a study is in FHIR with these identifiers, and with elements of these values."""

    def there() -> Json | None:
        right = [one for one in stack.found(study_uid) if identifiers(one) == wanted]
        return next((one for one in right if all(one[name] == value for name, value in more.items())), None)

    return until(there, say=lambda: (stack.found(study_uid), stack.state(study_uid)))


def wanted_of(written: Json, subject: str, study_uid: str) -> list[str]:
    return [f"urn:uid:breast-{written['dataset_uuid']}", f"urn:uid:{subject}-{study_uid}"]


def changed(path: Path, **attributes: Any) -> bytes:
    found = dcmread(BytesIO(path.read_bytes()))
    for keyword, value in attributes.items():
        setattr(found, keyword, value)
    return part10(found)


def test_the_identifiers_of_a_dataset_stand_whatever_is_done_to_a_study(stack: Stack, root: Path) -> None:
    first, second = studies(root)
    files = studies(root)
    written = sds(stack, root)
    assert (written["sent"], written["there"], sorted(written["kept"])) == (6, 0, sorted(files))
    wanted = wanted_of(written, "sub-1", first)
    until_identified(stack, first, wanted, numberOfInstances=4)
    until_identified(stack, second, wanted_of(written, "sub-2", second), numberOfInstances=2)
    versions = stack.versions(first)

    # again, and by hand: nothing moves
    again = sds(stack, root)
    assert (again["sent"], again["there"], again["kept"], again["changed"]) == (0, 6, [], [])
    assert stack.sync(first)["state"] == "synced"
    assert stack.versions(first) == versions

    # an instance more, one that is overwritten, one that comes again
    stack.store([changed(files[first][0], SOPInstanceUID=uid(first, "more"), InstanceNumber=99)])
    until_identified(stack, first, wanted, numberOfInstances=5)
    stack.store([changed(files[first][0], StudyDescription="Corrected")])
    until_identified(stack, first, wanted, numberOfInstances=5, description="Corrected")
    stack.store([files[first][1].read_bytes()])
    until(lambda: stack.sync(first)["state"] == "synced")
    assert identifiers(stack.imaging_study(first)) == wanted

    # a ledger that is lost
    stack.mapper.stop()
    for path in stack.mapper.folder.rglob("*ledger*.db*"):
        path.unlink()
    before = stack.versions(first)
    stack.mapper.start().wait_ready()
    stack.until_state(first, "synced")
    assert identifiers(stack.imaging_study(first)) == wanted
    assert stack.versions(first) == before


def test_metadata_that_an_overwritten_study_lost_come_back_with_the_next_run(stack: Stack, root: Path) -> None:
    first, second = studies(root)
    files = studies(root)
    for path in (*files[second], *files[first][1:]):
        path.unlink()
    (root / "manifest.csv").unlink()
    wanted = wanted_of(sds(stack, root), "sub-1", first)
    until_identified(stack, first, wanted)
    stack.store([changed(files[first][0], StudyDescription="Corrected")])
    until_identified(stack, first, [], description="Corrected")
    again = sds(stack, root)
    assert (again["sent"], again["kept"], again["changed"]) == (0, [first], [first])
    until_identified(stack, first, wanted, description="Corrected")


def test_apply_upload_and_apply_again_moves_nothing_after_the_first_round(stack: Stack, root: Path) -> None:
    uids = list(studies(root))
    applied = sds(stack, root, "fhir")
    assert applied["made"] > 5
    stack.store(path.read_bytes() for path in root.rglob("*.dcm"))
    for one in uids:
        until(lambda one=one: stack.found(one)[0].get("endpoint"))
    rounds = []
    for _ in range(2):
        again = sds(stack, root, "fhir")
        assert (again["made"], again["changed"]) == (0, 0)
        for one in uids:
            assert stack.sync(one)["state"] == "synced"
        rounds.append({one: stack.versions(one) for one in uids})
    assert rounds[0] == rounds[1]
    sds(stack, root)  # now Orthanc keeps the identifiers as well, and all say the same
    for number, one in enumerate(uids, 1):
        until_identified(stack, one, wanted_of(applied, f"sub-{number}", one))
    assert sds(stack, root, "fhir")["differ"] == []
