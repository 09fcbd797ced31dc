"""Single cases of what may go wrong between an archive and FHIR, each alone: listings that lie, ledgers that are lost,
studies in two archives."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from stack import FhirServer, Mapper
from tests.convergence.proxy import Proxy
from tests.support.stack import TOKEN, Stack, references, until
from tests.support.study import Sample, study

MANY = 200


# A listing that lies ------------------------------------------------------------------------------------------


class Forgetful:
    """Leaves out half of the studies in what an Orthanc says, while `half` is set; `counts` too if told."""

    def __init__(self) -> None:
        self.half, self.counts = False, False

    def edit(self, path: str, content: bytes) -> bytes:
        """Return the answer as the mapper is to see it."""
        url = urlsplit(path)
        if not self.half:
            return content
        if url.path == "/statistics" and self.counts:
            found: dict[str, Any] = json.loads(content)
            return json.dumps({**found, "CountStudies": found["CountStudies"] // 2}).encode()
        if url.path == "/studies":
            listed = json.loads(content)
            since = int(parse_qs(url.query).get("since", ["0"])[0])
            return json.dumps(listed[: len(listed) // 2] if since == 0 else []).encode()
        return content


@pytest.fixture(scope="module")
def doubted(run_folder: Path, fhir_server: FhirServer) -> Iterator[tuple[Stack, Forgetful, list[Sample]]]:
    """Run a stack whose mapper reaches Orthanc through a proxy, with many studies in FHIR already."""
    lies = Forgetful()
    with ExitStack() as running:
        stack = Stack(run_folder / "doubted", fhir_server)
        stack.orthanc.start()
        proxy = running.enter_context(Proxy(stack.orthanc.url))
        proxy.edit = lies.edit
        stack.mapper.settings["ORTHANC_FHIR_ORTHANC_URL"] = proxy.url
        running.enter_context(stack)
        samples = [study(instances=1) for _ in range(MANY)]
        stack.upload(*samples, threads=4)
        until(lambda: counts(stack)["synced"] == MANY, 180, say=lambda: counts(stack))
        yield stack, lies, samples


def counts(stack: Stack) -> dict[str, int]:
    """Return the number of studies by state."""
    return dict(stack.api("GET", "/api/studies?limit=1").json()["counts"])


def available(stack: Stack) -> int:
    """Return how many studies FHIR offers at the stack's own endpoint."""
    endpoints = stack.search("Endpoint", _count="1000")
    (mine,) = [one["id"] for one in endpoints if one["address"].startswith(stack.orthanc.url)]
    query = {"endpoint": f"Endpoint/{mine}", "status": "available", "_summary": "count"}
    return int(stack.http.get(f"{stack.fhir.url}/ImagingStudy", params=query, timeout=30).json()["total"])


def page(stack: Stack) -> str:
    """Return the status page."""
    return stack.api("GET", "/").text


@pytest.mark.parametrize("counted", [False, True], ids=["the count disagrees", "the count agrees"])
def test_a_listing_that_suddenly_lacks_half_of_the_studies_retracts_nothing_and_says_so(
    doubted: tuple[Stack, Forgetful, list[Sample]], counted: bool
) -> None:
    stack, lies, _ = doubted
    lies.half, lies.counts = True, counted
    stack.ask_for_sweep()

    until(lambda: "Nothing is retracted" in page(stack))
    reason = f"{MANY // 2} of {MANY} studies vanished at once" if counted else "disagree"
    assert reason in page(stack)
    said = stack.cli("doctor")
    assert said.returncode == 1
    assert reason in said.stdout
    assert "sync --accept-removals" in said.stdout
    assert any('"brake"' in line and reason in line for line in stack.mapper.log.read_text().splitlines())
    assert available(stack) == counts(stack)["synced"] == MANY

    lies.half = False
    stack.ask_for_sweep()
    until(lambda: "Nothing is retracted" not in page(stack))
    assert available(stack) == counts(stack)["synced"] == MANY


def test_half_of_the_studies_really_deleted_are_retracted_when_a_person_says_so(
    doubted: tuple[Stack, Forgetful, list[Sample]],
) -> None:
    stack, _, samples = doubted
    for sample in samples[: MANY // 2]:
        stack.delete(sample.uid)
    stack.ask_for_sweep()
    until(lambda: "Nothing is retracted" in page(stack))
    assert available(stack) > MANY * 0.7, "the first may have gone before it was too many"

    assert stack.cli("sync", "--accept-removals", "--wait", "120").returncode == 0
    until(lambda: counts(stack)["removed"] == MANY // 2, say=lambda: counts(stack))
    assert available(stack) == MANY // 2
    stack.ask_for_sweep()
    until(lambda: "Nothing is retracted" not in page(stack))


# A ledger that is lost ----------------------------------------------------------------------------------------


def test_studies_deleted_while_the_ledger_was_lost_are_retracted(run_folder: Path, fhir_server: FhirServer) -> None:
    with Stack(run_folder / "lost", fhir_server) as stack:
        stays, goes = study(PatientWeight="70"), study(PatientWeight="80")
        stack.upload(stays, goes)
        for sample in (stays, goes):
            stack.until_state(sample.uid, "synced")
        before = stack.versions(stays.uid)
        id = stack.imaging_study(goes.uid)["id"]
        (weight,) = stack.search("Observation", **{"part-of": f"ImagingStudy/{id}"})

        stack.mapper.stop()
        stack.delete(goes.uid)
        for file in stack.mapper.folder.glob("ledger.db*"):
            file.unlink()
        stack.mapper.start().wait_ready()

        until(lambda: stack.imaging_study(goes.uid)["status"] == "unknown")
        stack.until_state(goes.uid, "removed")
        stack.until_state(stays.uid, "synced")
        assert "endpoint" not in stack.imaging_study(goes.uid)
        assert stack.resource(f"Observation/{weight['id']}")["status"] == "unknown"
        assert stack.versions(stays.uid) == before


def test_what_vanished_from_a_header_while_the_ledger_was_lost_is_retracted(
    run_folder: Path, fhir_server: FhirServer
) -> None:
    with Stack(run_folder / "lost-weight", fhir_server) as stack:
        sample = study(PatientWeight="70", instances=1)
        stack.upload(sample)
        stack.until_state(sample.uid, "synced")
        id = stack.imaging_study(sample.uid)["id"]
        (weight,) = stack.search("Observation", **{"part-of": f"ImagingStudy/{id}"})

        stack.mapper.stop()
        del sample.datasets[0].PatientWeight
        stack.upload(sample)
        for file in stack.mapper.folder.glob("ledger.db*"):
            file.unlink()
        stack.mapper.start().wait_ready()

        stack.until_state(sample.uid, "synced")
        until(lambda: stack.resource(f"Observation/{weight['id']}")["status"] == "unknown", 15)
        assert stack.imaging_study(sample.uid)["meta"]["versionId"] == "1"


# Two archives -------------------------------------------------------------------------------------------------


class TwoArchives:
    """Two Orthancs and one mapper for both."""

    def __init__(self, folder: Path, fhir: FhirServer) -> None:
        self.stacks = [Stack(folder / name, fhir) for name in ("east", "west")]
        self.one, self.other = self.stacks
        sources = [
            {
                "name": name,
                "url": stack.orthanc.url,
                "user": (stack.orthanc.auth or ("", ""))[0],
                "password": (stack.orthanc.auth or ("", ""))[1],
                "patient_system": "https://hospital.example.org/patients",
            }
            for name, stack in zip(("east", "west"), self.stacks, strict=True)
        ]
        one = ("URL", "USER", "PASSWORD", "PUBLIC_URL")  # each source says these for itself
        settings = {"ORTHANC_FHIR_SOURCES": json.dumps(sources), **{f"ORTHANC_FHIR_ORTHANC_{name}": "" for name in one}}
        self.mapper = Mapper(folder / "mapper", orthanc=self.one.orthanc, fhir=fhir, token=TOKEN, settings=settings)
        for stack in self.stacks:
            stack.orthanc.mapper_url = self.mapper.url
            stack.mapper = self.mapper

    def settled(self, uid: str, *states: str) -> None:
        """Wait until a study has these states in the two archives (those that know it)."""
        until(lambda: self.states(uid) == sorted(states), say=lambda: self.states(uid))

    def states(self, uid: str) -> list[str]:
        """Return the states of a study, one for each archive that knows it."""
        listed = self.one.api("GET", "/api/studies?limit=1000").json()["studies"]
        return sorted(one["state"] for one in listed if one["study_uid"] == uid)

    def endpoints(self, uid: str) -> list[str]:
        """Return the addresses at which a study is to be had."""
        held = self.one.imaging_study(uid)
        found = [self.one.resource(one["reference"])["address"] for one in held.get("endpoint", [])]
        return sorted(found)

    def addresses(self, *stacks: Stack) -> list[str]:
        """Return the addresses of these archives."""
        return sorted(f"{stack.orthanc.url}/dicom-web" for stack in stacks)


@pytest.fixture(scope="module")
def archives(run_folder: Path, fhir_server: FhirServer) -> Iterator[TwoArchives]:
    made = TwoArchives(run_folder / "two", fhir_server)
    with ExitStack() as running:
        for server in (made.one.orthanc, made.other.orthanc, made.mapper):
            running.callback(server.clean)
            server.start().wait_ready()
        yield made


@pytest.mark.parametrize("first", [0, 1], ids=["east first", "west first"])
def test_one_study_in_two_archives_is_one_imaging_study_with_two_endpoints_until_it_is_nowhere(
    archives: TwoArchives, first: int
) -> None:
    one, other = archives.stacks[first], archives.stacks[1 - first]
    sample = study(PatientWeight="70")
    one.upload(sample)
    archives.settled(sample.uid, "synced")
    other.upload(sample)
    both = archives.addresses(one, other)
    until(lambda: archives.endpoints(sample.uid) == both, say=lambda: archives.endpoints(sample.uid))
    archives.settled(sample.uid, "synced", "synced")
    (patient,) = one.search("Patient", identifier=sample.patient_id)

    before = one.versions(sample.uid)
    for _ in range(3):
        one.sync(sample.uid)
        archives.settled(sample.uid, "synced", "synced")
    assert one.versions(sample.uid) == before, "two archives do not fight"

    one.delete(sample.uid)
    left = archives.addresses(other)
    until(lambda: archives.endpoints(sample.uid) == left, say=lambda: archives.endpoints(sample.uid))
    archives.settled(sample.uid, "removed", "synced")
    assert one.imaging_study(sample.uid)["status"] == "available"
    assert one.imaging_study(sample.uid)["subject"]["reference"] == f"Patient/{patient['id']}"
    assert {one["status"] for one in one.search("Observation", patient=patient["id"])} == {"final"}

    other.delete(sample.uid)
    until(lambda: one.imaging_study(sample.uid)["status"] == "unknown")
    archives.settled(sample.uid, "removed", "removed")
    assert archives.endpoints(sample.uid) == []


def test_a_study_that_another_archive_gives_to_another_patient_is_parked_and_what_is_stored_stays(
    archives: TwoArchives,
) -> None:
    sample = study()
    archives.one.upload(sample)
    archives.settled(sample.uid, "synced")
    before = archives.one.versions(sample.uid)
    for made in sample.datasets:
        made.PatientID = sample.patient_id + "X"
    archives.other.upload(sample)
    archives.settled(sample.uid, "parked", "synced")

    assert archives.one.versions(sample.uid) == before
    parked = archives.one.api("GET", "/api/studies?state=parked").json()["studies"]
    assert [one["message"] for one in parked if one["study_uid"] == sample.uid] == [
        f"study {sample.uid} belongs to another patient in another source"
    ]
    held = archives.one.imaging_study(sample.uid)
    assert held["status"] == "available"
    assert all(map(archives.one.resource, references(held)))
