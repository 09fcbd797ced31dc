"""Every id is made of a key that stands in keys.py or derived_keys.py, and is found again from what was written."""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mapper.dicom.study import Study
from mapper.fhir.bundle import dump
from mapper.fhir.contained import referred
from mapper.fhir.ids import resource_id
from mapper.maps import derived_keys, keys, study_to_fhir
from mapper.maps.site import PUBLIC_NAMESPACE, Site
from tests.support.datasets import dataset
from tests.support.documented import EVERYTHING, every_study
from tests.support.everything import studies_of, variants
from tests.support.golden import CASES, STUDIES, site_of

MAPPER = Path(__file__).parents[2] / "mapper"
FUNCTIONS = {  # what makes a key -> resource types whose ids are made of it
    "imaging_study": {"ImagingStudy"},
    "patient": {"Patient"},
    "phantom": {"Device"},
    "device": {"Device"},
    "practitioner": {"Practitioner"},
    "endpoint": {"Endpoint"},
    "service_request": {"ServiceRequest"},
    "header_observation": {"Observation"},
}
OF_DOCUMENTS = {  # the same of documents
    "observation": {"Observation"},
    "observation_at": {"Observation"},
    "irradiation_event": {"Observation"},
    "algorithm": {"Device"},
    "body_structure": {"BodyStructure"},
    "body_structure_at": {"BodyStructure"},
    "document": {"DiagnosticReport", "DocumentReference"},
}
REFERRED = {"patient": {"BodyStructure"}}  # what makes a key -> types whose keys hold an id that is made of it
IN_SEVERAL_WAYS = {"BodyStructure", "Device", "Observation"}
"""Types whose ids are made of one key or another: a changed one moves some."""


def studies() -> Iterator[tuple[str, Study, Site]]:
    """Yield every golden study and every variant of the one that has everything."""
    given = [(name, metadata, site) for name, metadata, site in variants()]
    given += [(case, (STUDIES / case / "input.json").read_bytes(), site_of(case)) for case in CASES]
    given += [("equipment", json.dumps(EQUIPMENT).encode(), site_of("G01-plain-ct"))]
    yield from ((name, study, EVERYTHING) for name, study in every_study())
    for name, metadata, site in given:
        collector = studies_of(metadata)
        for uid in collector.study_uids:
            yield name, collector.study(uid), site


def instance(series: int, **changed: Any) -> dict[str, Any]:
    """Return an instance of one series."""
    own = {"StudyInstanceUID": "1.2.3", "SOPClassUID": "1.2", "SeriesInstanceUID": f"1.2.3.{series}", "Modality": "CT"}
    return dataset(**own | {"SOPInstanceUID": f"1.2.3.{series}.1"} | changed)


EQUIPMENT = [
    instance(1, Manufacturer="A", ManufacturerModelName="B", DeviceSerialNumber="C", StationName="D"),
    instance(2, Manufacturer="A", ManufacturerModelName="B", DeviceSerialNumber="C", InstitutionName="E"),
    instance(3, Manufacturer="A", ManufacturerModelName="B"),
    instance(4, StationName="D", InstitutionName="E"),
    instance(5, StationName=r"D|\ ", InstitutionName="E\u0301", Manufacturer="A "),
    instance(6, DeviceUID="1.2.9", StationName="D"),
    instance(7, StationName="D"),
]
"""Equipment that is told apart by all that it may be told apart by."""


@cache
def resources() -> list[tuple[str, str, dict[str, Any]]]:
    """Return name, StudyInstanceUID and resource of all that is made, as a server would hold it."""
    return [
        (name, study.uid, json.loads(dump(one)))
        for name, study, site in studies()
        for one in study_to_fhir(study, site).resources
    ]


def test_every_id_is_found_again_from_what_was_written():
    assert {one["resourceType"] for _, _, one in resources()} == {*keys.READ, *derived_keys.READ}
    for name, study_uid, one in resources():
        key = keys.key_from(one, study_uid)
        assert key is not None, f"{name}: {one['resourceType']}"
        assert one["id"] == keys.id_of(PUBLIC_NAMESPACE, key), f"{name}: {key}"
        assert keys.is_ours(PUBLIC_NAMESPACE, one, study_uid)
        assert not keys.is_ours(PUBLIC_NAMESPACE, {**one, "id": "e1"}, study_uid)


OF_STUDY = {"DiagnosticReport", "DocumentReference", "ImagingStudy", "Observation"}


def test_what_is_of_another_study_is_not_of_this_one():
    for _, _, one in resources():
        if one["resourceType"] in OF_STUDY:
            assert not keys.is_ours(PUBLIC_NAMESPACE, one, "1.2.3.4.5")


ODD: dict[str, Any] = {  # what a server may hold that is not ours
    "no type": {},
    "another type": {"resourceType": "Condition", "identifier": [{"system": "a", "value": "b"}]},
    "a type that is none": {"resourceType": ["Observation"][0] * 2},
    "no code": {"resourceType": "Observation"},
    "a code that is none": {"resourceType": "Observation", "code": "8302-2"},
    "codings that are none": {"resourceType": "Observation", "code": {"coding": ["8302-2", None, {"system": 1}]}},
    "a code of somebody's": {"resourceType": "Observation", "code": {"coding": [{"system": "x", "code": "8302-2"}]}},
    "no identifier": {"resourceType": "Practitioner", "identifier": None},
    "an identifier that is none": {"resourceType": "Practitioner", "identifier": ["x", {"system": "a"}]},
    "no accession": {"resourceType": "ServiceRequest", "identifier": [{"system": "a", "value": "b"}]},
    "no address": {"resourceType": "Endpoint", "address": 7},
    "a document without a master": {"resourceType": "DocumentReference", "masterIdentifier": [7]},
    "a report of a thing without a UID": {
        "resourceType": "DiagnosticReport",
        "identifier": [{"system": "urn:dicom:uid", "value": "1.2"}, {"system": ["a"], "value": "b"}],
    },
    "a body structure of nobody": {
        "resourceType": "BodyStructure",
        "identifier": [{"system": "https://a/sr-item", "value": "1.2"}],
        "patient": "Patient/1",
    },
    "an algorithm of an odd type": {
        "resourceType": "Device",
        "identifier": [{"type": {"coding": [{"system": ["dcm"], "code": "111001"}]}, "value": "b"}],
    },
    "a part of another study": {
        "resourceType": "Observation",
        "code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]},
        "identifier": [{"system": "https://pacs.example.org/fhir/id/study", "value": "urn:oid:1.2.4"}],
    },
    "a device of nothing": {"resourceType": "Device", "deviceName": {"name": "D"}, "owner": [], "manufacturer": 7},
}


@pytest.mark.parametrize("resource", ODD.values(), ids=ODD)
def test_what_cannot_be_ours_has_no_key(resource):
    assert keys.key_from(resource, "1.2.3") is None
    assert not keys.is_ours(PUBLIC_NAMESPACE, {**resource, "id": "e1"}, "1.2.3")


@pytest.mark.parametrize(("name", "kinds"), (FUNCTIONS | OF_DOCUMENTS).items(), ids=FUNCTIONS | OF_DOCUMENTS)
def test_a_changed_key_moves_every_id_that_is_made_of_it_and_every_reference(name, kinds, monkeypatch):
    before = resources()
    module = derived_keys if name in OF_DOCUMENTS else keys
    one_way = getattr(module, name)
    following = kinds | REFERRED.get(name, set())

    def changed(*parts: Any) -> Any:
        key = one_way(*parts)
        return key and (*key, "moved")

    monkeypatch.setattr(module, name, changed)
    stayed, moved = set(), set()
    for (case, _, old), (_, uid, new) in zip(before, in_order_of(before), strict=True):
        own = old["resourceType"] in following
        (moved if old["id"] != new["id"] else stayed).add(old["resourceType"])
        assert own or old["id"] == new["id"], f"{case}: {old['resourceType']}"
        assert new["id"] == keys.id_of(PUBLIC_NAMESPACE, keys.key_from(new, uid) or ()), "it is found again"
    assert moved == following
    assert stayed & kinds <= IN_SEVERAL_WAYS


def in_order_of(before: list[tuple[str, str, dict[str, Any]]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what is made now, each study's in the order of before; no reference leads to nothing."""
    for name, study, site in studies():
        made = [json.loads(dump(one)) for one in study_to_fhir(study, site).resources]
        known = {f"{one['resourceType']}/{one['id']}" for one in made}
        assert set(referred(made)) <= known, name
        found = {dump(without_ids(one)): one for one in made}
        then = [one for case, uid, one in before if (case, uid) == (name, study.uid)]
        yield from ((name, study.uid, found[dump(without_ids(old))]) for old in then)


def without_ids(value: Any) -> Any:
    """Return a resource without ids of resources and without references."""
    if isinstance(value, list):
        return [without_ids(one) for one in value]
    if isinstance(value, dict):
        return {name: without_ids(one) for name, one in value.items() if name not in ("id", "reference")}
    return value


def test_nothing_but_the_keys_makes_an_id():
    """Who else calls for an id names a key of keys.py: none is typed in a second time."""
    for module, functions in ((keys, FUNCTIONS), (derived_keys, OF_DOCUMENTS)):
        made = {name for name, one in vars(module).items() if returned(one) in RETURNS}
        assert set(functions) == made - {"key_from"} - {one.__name__ for one in module.READ.values()}
    for path in sorted(MAPPER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and called(node) in ("id", "id_of", "resource_id"):
                where = f"{path.relative_to(MAPPER.parent)}:{node.lineno}"
                if called(node) == "id" and isinstance(node.func, ast.Name):
                    continue  # Python's own
                assert not any(isinstance(one, ast.Constant) for one in node.args), f"{where}: a key typed in"
                if called(node) == "resource_id":
                    assert path.name in ("keys.py", "context.py", "engine.py"), f"{where}: ask keys.id_of"


RETURNS = (keys.Key, keys.Key | None)


def returned(one: Any) -> Any:
    """Return what a function says that it returns, None for anything else."""
    return getattr(one, "__annotations__", {}).get("return")


def called(node: ast.Call) -> str:
    """Return the name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_ids_are_those_of_the_first_release():
    """A key is part of what is promised: whoever changes one makes every resource anew."""
    assert keys.id_of(PUBLIC_NAMESPACE, keys.imaging_study("1.2.3")) == resource_id(
        PUBLIC_NAMESPACE, "ImagingStudy", "1.2.3"
    )
    assert keys.patient("1.2.3", None) == ("Patient", "study", "1.2.3")
    assert keys.patient("1.2.3", {"system": "s", "value": "v"}) == ("Patient", "s", "v")
    assert keys.phantom("1.2.3", None) == ("Device", "phantom", "study", "1.2.3")
    assert keys.phantom("1.2.3", {"system": "s", "value": "v"}) == ("Device", "phantom", "s", "v")
    assert keys.device("1.2", "A", "B", "C", "D", "E") == ("Device", "uid", "1.2")
    assert keys.device(None, "A", None, "C", "D", "E") == ("Device", "sn", "A", "", "C")
    assert keys.device(None, "A", "B", None, "D", None) == ("Device", "stn", "A", "B", "D", "")
    assert keys.device(None, None, None, "C", "D", "E") is None
    assert keys.practitioner({"system": "s", "value": "v"}) == ("Practitioner", "s", "v")
    assert keys.endpoint("https://a/rs") == ("Endpoint", "dicom-wado-rs", "https://a/rs")
    assert keys.service_request({"system": "s", "value": "v"}) == ("ServiceRequest", "s", "v")
    assert keys.header_observation("1.2.3", "8302-2") == ("Observation", "1.2.3", "header", "8302-2")


def test_ids_of_derived_resources_are_those_of_their_first_release():
    assert derived_keys.observation("1.2.9") == ("Observation", "uid", "1.2.9")
    assert derived_keys.observation_at("1.2.8", "1.6.2") == ("Observation", "1.2.8", "1.6.2")
    assert derived_keys.irradiation_event("1.2.9") == ("Observation", "event", "1.2.9")
    assert derived_keys.algorithm("A", None) == ("Device", "algorithm", "A", "")
    assert derived_keys.algorithm("A", "2") == ("Device", "algorithm", "A", "2")
    assert derived_keys.body_structure("p1", "1.2.9") == ("BodyStructure", "p1", "1.2.9")
    assert derived_keys.body_structure_at("p1", "1.2.8", "1.6") == ("BodyStructure", "p1", "1.2.8", "1.6")
    assert derived_keys.document("DiagnosticReport", "1.2.8") == ("DiagnosticReport", "1.2.8")
    assert derived_keys.study_identifier("https://a/id", "1.2.3") == ("https://a/id/study", "urn:oid:1.2.3")
    assert derived_keys.item_identifier("https://a/id", "1.2.8", "1.6") == ("https://a/id/sr-item", "1.2.8#1.6")
