"""What every sink does: the fake that other tests trust, a folder of NDJSON, and a real HAPI FHIR server."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest

from mapper.errors import LeaseLost, SinkDown, StaleVersion, TargetMissing
from mapper.finding import Finding
from mapper.http.peer import Bound
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer
from mapper.sinks.ndjson.sink import Ndjson
from mapper.sinks.sink import Key, Sink, study_uids
from tests.support.extending import extending
from tests.support.fakes import FakeSink


def real(url: str) -> FhirServer:
    return FhirServer(FhirClient(url, bound=Bound(32, 20.0)), url)


KINDS = ["in memory", "files", "ndjson", pytest.param("hapi", marks=pytest.mark.live)]
"""The fake, the example of docs/extending.md, a folder of NDJSON, and the real server."""


@pytest.fixture(params=KINDS)
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Sink:
    """Give one of each kind."""
    if request.param == "in memory":
        return FakeSink()
    if request.param == "files":
        return cast(Sink, extending().Files(tmp_path))
    if request.param == "ndjson":
        return Ndjson(tmp_path)
    return real(request.getfixturevalue("contract_fhir_server").url)


@pytest.fixture(params=KINDS)
def gone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sink]:
    """Give a sink that does not answer."""
    if request.param == "files":
        yield extending().Files(tmp_path / "gone")
        return
    if request.param == "ndjson":
        yield Ndjson(tmp_path / "gone")
        return
    if request.param == "in memory":
        fake = FakeSink()
        fake.down = SinkDown("stopped")
        yield fake
        return
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield real(f"http://127.0.0.1:{nobody.getsockname()[1]}/fhir")


class Made:
    """The resources of one study, under ids of their own."""

    def __init__(self) -> None:
        self.study_uid = f"2.25.{uuid4().int >> 32}"
        ids = {kind: str(uuid4()) for kind in ("Patient", "Endpoint", "ImagingStudy", "Observation")}
        self.keys = {kind: (kind, id) for kind, id in ids.items()}
        self.patient = {"resourceType": "Patient", "id": ids["Patient"], "name": [{"family": "Doe"}]}
        self.endpoint = {
            "resourceType": "Endpoint",
            "id": ids["Endpoint"],
            "status": "active",
            "connectionType": {
                "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
                "code": "dicom-wado-rs",
            },
            "payloadType": [{"text": "DICOM WADO-RS"}],
            "address": "https://pacs.example.org/dicom-web",
        }
        self.study = {
            "resourceType": "ImagingStudy",
            "id": ids["ImagingStudy"],
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{self.study_uid}"}],
            "status": "available",
            "subject": {"reference": f"Patient/{ids['Patient']}"},
            "endpoint": [{"reference": f"Endpoint/{ids['Endpoint']}"}],
        }
        self.observation = {
            "resourceType": "Observation",
            "id": ids["Observation"],
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]},
            "subject": {"reference": f"Patient/{ids['Patient']}"},
            "partOf": [{"reference": f"ImagingStudy/{ids['ImagingStudy']}"}],
        }

    @property
    def all(self) -> list[dict[str, Any]]:
        return [self.patient, self.endpoint, self.study, self.observation]


SYSTEM = "https://pacs.example.org/fhir/id/study"


def derived(made: Made, id: str | None = None) -> list[dict[str, Any]]:
    """Return what documents of a study make, under ids of their own."""
    identifier = [{"system": SYSTEM, "value": f"urn:oid:{id or made.study_uid}"}]
    frame = {"identifier": identifier, "subject": made.study["subject"]}
    code = {"text": "Report"}
    attachment = {"contentType": "application/pdf", "title": "Letter"}
    return [
        {"resourceType": "Observation", "id": str(uuid4()), "status": "final", "code": code, **frame},
        {"resourceType": "DiagnosticReport", "id": str(uuid4()), "status": "final", "code": code, **frame},
        {
            "resourceType": "DocumentReference",
            "id": str(uuid4()),
            "status": "current",
            "content": [{"attachment": attachment}],
            **frame,
        },
    ]


def offered(sink: Sink, endpoint: str) -> list[str]:
    """Return the StudyInstanceUIDs that are available at an Endpoint."""
    return [uid for one in sink.ours(("Endpoint", endpoint)) for uid in study_uids(one)]


def keys_of(sink: Sink, about: Key) -> list[Key]:
    """Return the keys of what refers to a resource."""
    return [(one["resourceType"], one["id"]) for one in sink.ours(about)]


@pytest.fixture
def made() -> Made:
    return Made()


def test_what_is_put_has_a_version(sink: Sink, made: Made) -> None:
    versions = sink.put(made.all)
    assert set(versions) == set(made.keys.values())
    for key, version in versions.items():
        assert version
        assert sink.version(key) == version


def test_the_same_again_makes_no_new_version(sink: Sink, made: Made) -> None:
    first = sink.put(made.all)
    assert sink.put(made.all) == first
    assert sink.put([made.study]) == {made.keys["ImagingStudy"]: first[made.keys["ImagingStudy"]]}


def test_a_change_makes_one_new_version_of_what_changed(sink: Sink, made: Made) -> None:
    first = sink.put(made.all)
    second = sink.put([*made.all[:2], {**made.study, "description": "CT of the head"}, made.observation])
    changed = {key for key in first if first[key] != second[key]}
    assert changed == {made.keys["ImagingStudy"]}


def test_references_to_what_is_there_need_no_resource_beside_them(sink: Sink, made: Made) -> None:
    sink.put([made.patient, made.endpoint])
    assert set(sink.put([made.study])) == {made.keys["ImagingStudy"]}


def test_a_reference_to_nothing_is_refused_and_nothing_is_written(sink: Sink, made: Made) -> None:
    with pytest.raises(TargetMissing):
        sink.put([made.endpoint, made.study])
    assert sink.version(made.keys["ImagingStudy"]) == ""
    assert sink.version(made.keys["Endpoint"]) == ""


def test_a_version_that_is_no_longer_there_is_stale(sink: Sink, made: Made) -> None:
    key = made.keys["ImagingStudy"]
    first = sink.put(made.all)[key]
    second = sink.put([{**made.study, "description": "one"}], {key: first})[key]
    assert second != first
    with pytest.raises(StaleVersion):
        sink.put([{**made.study, "description": "two"}], {key: first})
    assert sink.version(key) == second
    assert sink.put([{**made.study, "description": "two"}], {key: second})[key] != second


def test_where_none_is_expected_the_first_write_wins(sink: Sink, made: Made) -> None:
    """A first write that comes late is refused as well."""
    none_yet = dict.fromkeys(made.keys.values(), "")
    first = sink.put(made.all, none_yet)
    with pytest.raises(StaleVersion):
        sink.put([{**made.patient, "gender": "other"}, made.study], none_yet)
    assert {key: sink.version(key) for key in first} == first


def test_a_retraction_that_is_not_confirmed_changes_nothing(sink: Sink, made: Made) -> None:
    first = sink.put(made.all)
    key = made.keys["ImagingStudy"]

    def refuse() -> None:
        raise LeaseLost("somebody else has it")

    with pytest.raises(LeaseLost):
        sink.retract(key, "unknown", refuse)
    assert sink.version(key) == first[key]


def test_nothing_has_no_version(sink: Sink) -> None:
    assert sink.version(("ImagingStudy", str(uuid4()))) == ""


@pytest.mark.parametrize("policy", ["unknown", "entered-in-error"])
def test_a_retracted_study_is_no_longer_offered(sink: Sink, made: Made, policy: str) -> None:
    first = sink.put(made.all)
    endpoint = made.keys["Endpoint"][1]
    assert offered(sink, endpoint) == [made.study_uid]
    sink.retract(made.keys["ImagingStudy"], policy)
    assert offered(sink, endpoint) == []
    retracted = sink.version(made.keys["ImagingStudy"])
    assert retracted != first[made.keys["ImagingStudy"]]
    sink.retract(made.keys["ImagingStudy"], policy)
    assert sink.version(made.keys["ImagingStudy"]) == retracted, "again it changes nothing"
    for kind in ("Patient", "Endpoint"):
        assert sink.version(made.keys[kind]) == first[made.keys[kind]]
    sink.put([made.study])
    assert offered(sink, endpoint) == [made.study_uid], "it came back"


def test_a_study_that_is_kept_stays_as_it_is(sink: Sink, made: Made) -> None:
    first = sink.put(made.all)
    sink.retract(made.keys["ImagingStudy"], "keep")
    assert sink.version(made.keys["ImagingStudy"]) == first[made.keys["ImagingStudy"]]


def test_what_was_never_written_is_retracted_in_silence(sink: Sink) -> None:
    sink.retract(("ImagingStudy", str(uuid4())), "unknown")


def test_it_is_there_and_says_who_it_is(sink: Sink) -> None:
    sink.probe()
    found = list(sink.check())
    assert found
    assert all(isinstance(one, Finding) and one.level == "ok" and str(one) for one in found)


def test_a_study_is_found_whoever_wrote_it(sink: Sink, made: Made) -> None:
    uid = made.study["identifier"][0]["value"].removeprefix("urn:oid:")
    assert sink.ids_of(uid) == []
    sink.put(made.all)
    assert sink.ids_of(uid) == [made.study["id"]]


ASKS: dict[str, Callable[[Sink, Made], object]] = {
    "put": lambda sink, made: sink.put(made.all),
    "probe": lambda sink, made: sink.probe(),
    "retract": lambda sink, made: sink.retract(made.keys["ImagingStudy"], "unknown"),
    "check": lambda sink, made: list(sink.check()),
    "ids_of": lambda sink, made: sink.ids_of("1.2.3"),
    "read": lambda sink, made: sink.read(made.keys["Patient"]),
    "ours": lambda sink, made: list(sink.ours(made.keys["Endpoint"])),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_sink_that_is_down(gone: Sink, made: Made, ask: Callable[[Sink, Made], object]) -> None:
    with pytest.raises(SinkDown):
        ask(gone, made)


def test_what_was_put_is_read_as_it_was_put(sink: Sink, made: Made) -> None:
    sink.put(made.all)
    sink.flush()
    for one in made.all:
        found = sink.read(made.keys[one["resourceType"]])
        assert found is not None
        assert {name: value for name, value in found.items() if name not in ("meta", "text")} == one
    assert sink.read(("Patient", str(uuid4()))) is None


def test_ours_is_what_refers_to_a_resource_and_no_more(sink: Sink, made: Made) -> None:
    other = Made()
    sink.put(made.all)
    sink.put(other.all)
    assert keys_of(sink, made.keys["Endpoint"]) == [made.keys["ImagingStudy"]]
    assert keys_of(sink, made.keys["ImagingStudy"]) == [made.keys["Observation"]]
    sink.put([{**made.study, "status": "entered-in-error"}])
    assert keys_of(sink, made.keys["Endpoint"]) == [made.keys["ImagingStudy"]], "rejected, and there all the same"
    sink.retract(made.keys["ImagingStudy"], "unknown")
    assert keys_of(sink, made.keys["Endpoint"]) == [], "it is available there no longer"
    assert keys_of(sink, made.keys["ImagingStudy"]) == [made.keys["Observation"]], "and still has its parts"
    assert list(sink.ours(("Endpoint", str(uuid4())))) == []


def test_how_many_are_offered_is_told_as_a_number(sink: Sink, made: Made) -> None:
    sink.put(made.all)
    sink.put(Made().all)
    endpoint = made.keys["Endpoint"][1]
    assert sink.offered(endpoint) == 1
    sink.retract(made.keys["ImagingStudy"], "unknown")
    assert sink.offered(endpoint) == 0
    assert sink.offered(str(uuid4())) == 0


def test_a_sink_that_is_closed_has_kept_what_was_put(sink: Sink, made: Made) -> None:
    first = sink.put(made.all)
    sink.close()
    assert {key: sink.version(key) for key in first} == first


def test_what_was_derived_from_a_study_is_found_by_its_identifier(sink: Sink, made: Made) -> None:
    mine, theirs = derived(made), derived(made, f"{made.study_uid}.1")
    sink.put([*made.all, *mine, *theirs])
    about = (SYSTEM, f"urn:oid:{made.study_uid}")
    assert sorted(keys_of(sink, about)) == sorted((one["resourceType"], one["id"]) for one in mine)
    found = list(sink.ours(about))
    assert all({"system": about[0], "value": about[1]} in one["identifier"] for one in found)
    assert list(sink.ours((SYSTEM, "urn:oid:1.2.3.4.5.6"))) == []
    for key in keys_of(sink, about):
        sink.retract(key, "unknown")
    assert sorted(keys_of(sink, about)) == sorted((one["resourceType"], one["id"]) for one in mine), "as long as it is"
    retracted = {key[0]: (sink.read(key) or {})["status"] for key in keys_of(sink, about)}
    assert retracted == {
        "Observation": "unknown",
        "DiagnosticReport": "unknown",
        "DocumentReference": "entered-in-error",
    }


# -- what datasets ask beside ---------------------------------------------------------------------------------------


@pytest.fixture(params=[one for one in KINDS if one not in ("in memory", "files")])
def named_sink(request: pytest.FixtureRequest, tmp_path: Path) -> Ndjson | FhirServer:
    """Give a sink that is asked for what has identifiers of a system."""
    if request.param == "ndjson":
        return Ndjson(tmp_path)
    return real(request.getfixturevalue("contract_fhir_server").url)


def grouped(system: str, id: str, patient: str) -> dict[str, Any]:
    """Return a Group with an identifier of a system."""
    return {
        "resourceType": "Group",
        "id": id,
        "identifier": [{"system": system, "value": id}],
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": f"Patient/{patient}"}}],
    }


def test_what_has_an_identifier_of_a_system_is_found(named_sink: Ndjson | FhirServer, made: Made) -> None:
    system = f"https://example.org/sds/group/{uuid4()}"
    mine, theirs = grouped(system, str(uuid4()), made.patient["id"]), grouped(f"{system}/x", str(uuid4()), "")
    assert list(named_sink.named("Group", system)) == []
    named_sink.put([made.patient, mine, {**theirs, "member": mine["member"]}])
    assert [one["id"] for one in named_sink.named("Group", system)] == [mine["id"]]
    assert list(named_sink.named("Patient", system)) == []


@pytest.mark.live
def test_what_only_a_dataset_wrote_can_be_removed_unless_others_refer_to_it(
    contract_fhir_server: Any, made: Made
) -> None:
    sink = real(contract_fhir_server.url)
    group = grouped("https://example.org/sds/group", str(uuid4()), made.patient["id"])
    sink.put([made.patient, group])
    assert not sink.remove(made.keys["Patient"]), "the group refers to it"
    assert sink.version(made.keys["Patient"])
    assert sink.remove(("Group", group["id"]))
    assert sink.read(("Group", group["id"])) is None
    assert sink.remove(("Group", group["id"])), "again it changes nothing"
    assert sink.remove(("Group", str(uuid4()))), "nor does what never was"
    assert sink.remove(made.keys["Patient"])
    sink.put([made.patient, group])
    assert sink.read(("Group", group["id"])) is not None, "it may come back"
