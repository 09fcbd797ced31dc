"""The check between mapping and sink: what it refuses, and that it refuses it in words without values."""

from typing import Any

import pytest

from mapper.errors import BundleRejected
from mapper.fhir.check import KEPT, LARGEST_KEPT, PASSED, SAID, check

PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1980-02-29"}
STUDY: dict[str, Any] = {
    "resourceType": "ImagingStudy",
    "id": "s1",
    "status": "available",
    "subject": {"reference": "Patient/p1"},
    "series": [
        {
            "uid": "1.2.3",
            "modality": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"},
            "instance": [
                {
                    "uid": "1.2.3.1",
                    "sopClass": {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2.840.10008.5.1.4.1.1.2"},
                }
            ],
        }
    ],
}


def test_what_may_be_sent_passes() -> None:
    check([STUDY, PATIENT])
    check([PATIENT])


WRONG: dict[str, tuple[list[dict[str, Any]], str]] = {
    "nothing at all": ([], "entry: empty array"),
    "an empty array": ([{**PATIENT, "name": []}], "name: empty array"),
    "an empty object": ([{**PATIENT, "name": [{}]}], r"name\[0\]: empty object"),
    "an empty text": ([{**PATIENT, "name": [{"text": " "}]}], "text: empty text"),
    "null": ([{**PATIENT, "name": [{"text": None}]}], "text: null"),
    "a control character": ([{**PATIENT, "name": [{"text": "SECRET\x07"}]}], "control characters"),
    "an id that is none": ([{**PATIENT, "id": "SECRET/1"}], "not an id"),
    "a UID that is none": ([{**STUDY, "series": [{**STUDY["series"][0], "uid": "SECRET 1"}]}], "uid: not an id"),
    "a code outside its value set": ([{**PATIENT, "gender": "SECRET"}], "gender"),
    "a status outside its value set": ([{**STUDY, "status": "SECRET"}], "status: not one of the codes"),
    "a time without a zone": ([{**STUDY, "started": "2024-05-17T09:31:05"}], "started: not a FHIR dateTime"),
    "an element that FHIR does not know": ([{**PATIENT, "SECRET": "x"}], "Patient"),
    "an element of another type": ([{**PATIENT, "birthDate": "SECRET"}], "birthDate"),
    "what FHIR demands is absent": ([{"resourceType": "ImagingStudy", "id": "s1", "status": "available"}], "subject"),
    "a code without its system": ([{**STUDY, "modality": [{"code": "SECRET"}]}], "a code without its system"),
    "one resource twice": ([PATIENT, PATIENT], "Patient/p1: twice"),
    "the last of several": ([PATIENT, {**STUDY, "note": []}], "note: empty array"),
}


@pytest.mark.parametrize(("resources", "said"), WRONG.values(), ids=WRONG)
def test_what_must_not_be_sent_is_refused_without_its_value(resources: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(BundleRejected, match=said) as failed:
        check(resources)
    assert failed.value.fate == "park"
    text = str(failed.value).replace("Patient.SECRET", "")  # a name, as the models give it: ours, never a value
    assert "SECRET" not in text
    assert "our own check" in text


DEVICE: dict[str, Any] = {"resourceType": "Device", "id": "d1", "status": "active", "url": "http://a.example/1"}
LIKE: dict[str, dict[str, Any]] = {
    "another status": {**DEVICE, "status": "SECRET"},
    "another type": {**DEVICE, "resourceType": "Endpoint"},
    "an element more": {**DEVICE, "SECRET": "x"},
    "an element of another type": {**DEVICE, "url": 7},
    "no number": {**DEVICE, "property": [{"type": {"text": "a"}, "valueQuantity": [{"value": float("nan")}]}]},
    "what no JSON holds": {**DEVICE, "url": {"a", "b"}},
    "a list more": {**DEVICE, "udiCarrier": []},
}


@pytest.mark.parametrize("like", LIKE.values(), ids=LIKE)
@pytest.mark.parametrize("times", [1, 2])
def test_what_is_like_something_that_passed_is_looked_at_for_itself(like: dict[str, Any], times: int) -> None:
    check([DEVICE])
    for _ in range(times):
        with pytest.raises(BundleRejected):
            check([like])
    check([DEVICE])


def test_of_what_passed_a_bounded_number_is_remembered() -> None:
    for number in range(KEPT + 10):
        check([{**DEVICE, "id": f"d{number}"}])
        assert len(PASSED) <= KEPT
    check([{**DEVICE, "url": "http://a.example/" + "a" * LARGEST_KEPT}])
    assert all(len(one) <= LARGEST_KEPT for one in PASSED)


def test_of_many_faults_the_first_are_said() -> None:
    with pytest.raises(BundleRejected) as failed:
        check([{**PATIENT, "name": [], "telecom": [], "address": [], "contact": [], "photo": []}])
    assert str(failed.value).count(";") == SAID - 1


INSTANCES: dict[str, tuple[dict[str, Any], bool]] = {  # what the last of three instances has of its own
    "another UID": ({"uid": "1.2.3.9"}, True),
    "a UID that is none": ({"uid": "1.2/3"}, False),
    "no UID": ({"uid": None}, False),
    "a number": ({"number": 3}, True),
    "the largest number": ({"number": 2_147_483_647}, True),
    "a number that is larger": ({"number": 2_147_483_648}, False),
    "a number below zero": ({"number": -1}, False),
    "a number that is none": ({"number": "SECRET"}, False),
    "a title": ({"title": "words"}, True),
    "a title that is none": ({"title": 7}, False),
    "another class": ({"sopClass": {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2"}}, True),
    "a class that is none": ({"sopClass": "SECRET"}, False),
    "an element that FHIR does not know": ({"SECRET": "x"}, False),
}


@pytest.mark.parametrize("several", [1, 200, 201])
@pytest.mark.parametrize(("own", "passes"), INSTANCES.values(), ids=INSTANCES)
def test_the_last_of_many_instances_is_looked_at_as_the_first(own: dict[str, Any], passes: bool, several: int) -> None:
    series = STUDY["series"][0]
    (first,) = series["instance"]
    instances = [{**first, "uid": f"1.2.3.{number}", "number": number} for number in range(several)]
    resource = {**STUDY, "series": [{**series, "instance": [*instances, {**first, **own}]}]}
    if passes:
        check([resource, PATIENT])
    else:
        with pytest.raises(BundleRejected, match="instance"):
            check([resource, PATIENT])
