"""A study that a server finds too large goes in parts: nothing before what it refers to, and nothing is lost."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.dicom.study import Study
from mapper.errors import BundleRejected, TooLarge
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.contained import referred
from mapper.fhir.resource import Key, Resource
from mapper.maps import study_to_fhir
from mapper.sinks.parts import CORE, in_parts, parts, referred_first
from mapper.sinks.sink import DERIVED
from samples.sr.content import CONTAINS, container, num, text, unit
from tests.support.datasets import dataset
from tests.support.documented import EVERYTHING, GROUP, IMPRESSION, LENGTH, LUNG, REPORT, SITES, TITLE, every_study
from tests.support.documented import coded as code_item
from tests.support.everything import studies_of, variants
from tests.support.fakes import FakeSink
from tests.support.reported import BASIC_TEXT, STUDY_UID, instance, study_of


class Narrow(FakeSink):
    """A FHIR server in memory that takes so many bytes at once."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.refused = 0

    def transact(self, resources: Sequence[Resource]) -> dict[Key, str]:
        if len(dump(transaction(resources, "https://fhir.example.org/fhir"))) > self.most:
            self.refused += 1
            raise TooLarge("413")
        return super().put(resources)


def studies_in(metadata: bytes) -> list[Study]:
    collector = studies_of(metadata)
    return [collector.study(uid) for uid in collector.study_uids]


def of(kind: str, id: str, *targets: str) -> dict[str, Any]:
    """Return a resource that refers to others."""
    return {"resourceType": kind, "id": id, "seeAlso": [{"reference": target} for target in targets]}


ORDERS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "members before their group": (
        [of("Observation", "a", "Observation/b", "Observation/c"), of("Observation", "b"), of("Observation", "c")],
        ["b", "c", "a"],
    ),
    "what was derived behind what it was derived from": (
        [of("Observation", "a", "Observation/b"), of("Observation", "b", "Observation/c"), of("Observation", "c")],
        ["c", "b", "a"],
    ),
    "a report behind its results": (
        [
            of("DiagnosticReport", "a", "Observation/z"),
            of("Observation", "z", "ImagingStudy/s"),
            of("ImagingStudy", "s"),
        ],
        ["s", "z", "a"],
    ),
    "an algorithm behind the equipment it is part of": (
        [of("Device", "a", "Device/b"), of("Device", "b"), of("BodyStructure", "c", "Patient/p"), of("Patient", "p")],
        ["p", "b", "a", "c"],
    ),
    "what is not sent along": ([of("Observation", "a", "Patient/p"), of("Observation", "b")], ["a", "b"]),
    "two that refer to each other": (
        [of("Observation", "a", "Observation/b"), of("Observation", "b", "Observation/a"), of("Observation", "c")],
        ["b", "a", "c"],
    ),
    "one that refers to itself": ([of("Observation", "a", "Observation/a")], ["a"]),
    "a long chain": (
        [of("Observation", f"{n:05}", f"Observation/{n + 1:05}") for n in range(5000)],
        [f"{n:05}" for n in reversed(range(5000))],
    ),
}


@pytest.mark.parametrize(("resources", "expected"), ORDERS.values(), ids=ORDERS)
def test_what_is_referred_to_stands_before_what_refers(resources: Any, expected: list[str]) -> None:
    assert [one["id"] for one in referred_first(resources)] == expected
    assert [one["id"] for one in referred_first(reversed(resources))] == expected


EDGES = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=40)


@given(edges=EDGES)
def test_the_first_part_refers_to_nothing_in_the_second(edges: list[tuple[int, int]]) -> None:
    targets: dict[int, list[str]] = {number: [] for number in range(16)}
    for one, other in edges:
        if one > other:  # no loops
            targets[15 - one].append(f"Observation/{15 - other:02}")
    made = [of("Observation", f"{number:02}", *found) for number, found in targets.items()]
    first, second = parts(made)
    assert {f"Observation/{one['id']}" for one in second}.isdisjoint(referred(first))
    assert sorted(one["id"] for one in [*first, *second]) == [one["id"] for one in made]


def many_reports(number: int) -> list[dict[str, Any]]:
    """Return a CT and so many reports of it: measurements of a tracked lesion each, and a text."""
    ct = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT", "PatientID": "MRN-0042"}
    uids = {"StudyInstanceUID": STUDY_UID, "SeriesInstanceUID": f"{STUDY_UID}.1", "SOPInstanceUID": f"{STUDY_UID}.1.1"}
    made = [dataset(**ct, **uids)]
    for one in range(number):
        length = num(CONTAINS, LENGTH, "12.40", unit("mm"))
        group = container(CONTAINS, GROUP, code_item("HAS CONCEPT MOD", SITES, LUNG), tracked(one), length)
        said = text(CONTAINS, IMPRESSION, "A lesion.")
        made.append(instance(container("", REPORT, group, template="1500"), number=100 + one))
        made.append(instance(container("", TITLE, said, length, template="2000"), BASIC_TEXT, 1000 + one))
    return made


def tracked(number: int) -> dict[str, Any]:
    """Return the item that says which lesion it is."""
    return {
        "RelationshipType": "HAS OBS CONTEXT",
        "ValueType": "UIDREF",
        "ConceptNameCodeSequence": [{"CodeValue": "112040", "CodingSchemeDesignator": "DCM", "CodeMeaning": "UID"}],
        "UID": f"{STUDY_UID}.{number}.7",
    }


@pytest.mark.parametrize("most", [20_000, 100_000, 400_000])
def test_a_study_with_two_hundred_reports_loses_nothing(most: int) -> None:
    resources = study_to_fhir(study_of(*many_reports(200)), EVERYTHING).resources
    kinds = [one["resourceType"] for one in resources]
    assert (kinds.count("BodyStructure"), kinds.count("DiagnosticReport"), kinds.count("Observation")) == (
        200,
        200,
        600,
    )
    whole = max(len(dump(one)) for one in resources)
    sink = Narrow(max(most, whole + 1000))
    versions = in_parts(sink.transact, resources)
    assert sink.refused
    assert set(versions) == {(one["resourceType"], one["id"]) for one in resources} == set(sink.held)
    assert all(sink.now((one["resourceType"], one["id"])) == one for one in resources)
    rest = next(number for number, put in enumerate(sink.puts) if any(kind not in CORE for kind, _ in put))
    assert all(kind not in CORE for put in sink.puts[rest:] for kind, _ in put), "the core goes first"


def test_nothing_of_the_core_refers_to_what_is_sent_behind_it() -> None:
    studies = [(study, EVERYTHING) for _, study in every_study()]
    studies += [(found, site) for _, metadata, site in variants() for found in studies_in(metadata)]
    for study, site in studies:
        by_url = {f"{one['resourceType']}/{one['id']}": one for one in study_to_fhir(study, site).resources}
        core = [one for one in by_url.values() if one["resourceType"] in CORE]
        assert {by_url[url]["resourceType"] for url in referred(core) if url in by_url} <= CORE
        assert {one["resourceType"] for one in by_url.values()} <= CORE | set(DERIVED)


def test_one_resource_that_is_too_large_alone_parks_the_study() -> None:
    with pytest.raises(BundleRejected, match="413"):
        in_parts(Narrow(10).transact, [of("Patient", "p"), of("Observation", "o")])
