"""Practitioner: only who is identified, once, and never one that nobody refers to."""

from typing import Any

import pytest

from mapper.dicom.collector import Collector
from mapper.fhir.ids import resource_id
from mapper.maps import study_to_fhir
from mapper.maps.site import PUBLIC_NAMESPACE
from tests.support.datasets import BASE, site
from tests.support.made import series

NPI = "http://hl7.org/fhir/sid/us-npi"


def person(number: str, scheme: str = "NPI") -> dict[str, Any]:
    """Return an item of an identification sequence."""
    return {"PersonIdentificationCodeSequence": {"CodeValue": number, "CodingSchemeDesignator": scheme}}


def people(*instances: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return the Practitioners of a study by number, and its ImagingStudy."""
    collector = Collector()
    for one in instances:
        collector.add(one)
    resources = study_to_fhir(collector.only_study(), site()).resources
    found = [one for one in resources if one["resourceType"] == "Practitioner"]
    study = next(one for one in resources if one["resourceType"] == "ImagingStudy")
    return {one["identifier"][0]["value"]: one for one in found}, study


def test_an_identified_physician_is_a_practitioner():
    found, study = people(
        series(ReferringPhysicianName="Weber^Karl", ReferringPhysicianIdentificationSequence=person("17"))
    )
    id = resource_id(PUBLIC_NAMESPACE, "Practitioner", NPI, "17")
    assert found["17"]["id"] == id
    assert found["17"]["identifier"] == [{"system": NPI, "value": "17"}]
    assert found["17"]["name"] == [{"family": "Weber", "given": ["Karl"]}]
    assert study["referrer"] == {"reference": f"Practitioner/{id}", "display": "Weber, Karl"}


def test_a_name_alone_makes_nobody():
    found, study = people(series(ReferringPhysicianName="Smith^John"))
    assert found == {}
    assert study["referrer"] == {"display": "Smith, John"}


def test_a_number_under_a_local_scheme_lives_under_the_sites_base():
    found, _ = people(series(ReferringPhysicianIdentificationSequence=person("17", "99HOSP")))
    assert found["17"]["identifier"][0]["system"] == f"{BASE}/codesystem/99HOSP"
    assert "name" not in found["17"]


def test_names_and_numbers_that_are_equally_many_belong_together():
    found, study = people(
        series(
            NameOfPhysiciansReadingStudy=["A^B", "C^D"],
            PhysiciansReadingStudyIdentificationSequence=[person("1"), person("2")],
        )
    )
    assert [found[number]["name"][0]["family"] for number in ("1", "2")] == ["A", "C"]
    assert [one["display"] for one in study["interpreter"]] == ["A, B", "C, D"]
    assert all("reference" in one for one in study["interpreter"])


@pytest.mark.parametrize("names", [["A^B"], ["A^B", "", ""], ["A^B", "C^D", "E^F"]])
def test_names_and_numbers_that_are_not_equally_many_say_nothing_of_each_other(names):
    found, study = people(
        series(
            NameOfPhysiciansReadingStudy=names, PhysiciansReadingStudyIdentificationSequence=[person("1"), person("2")]
        )
    )
    assert found == {}
    assert [one["display"] for one in study["interpreter"]] == [
        f"{a}, {b}" for a, b in (n.split("^") for n in names if n)
    ]


def test_whoever_has_several_parts_is_one_practitioner_and_keeps_the_name():
    found, study = people(
        series(
            1,
            ReferringPhysicianName="Weber^Karl",
            ReferringPhysicianIdentificationSequence=person("17"),
            OperatorIdentificationSequence=person("17"),
        ),
        series(2, PerformingPhysicianIdentificationSequence=person("17")),
    )
    assert list(found) == ["17"]
    assert found["17"]["name"] == [{"family": "Weber", "given": ["Karl"]}]
    reference = f"Practitioner/{found['17']['id']}"
    performers = [one["performer"][0] for one in study["series"]]
    assert [one["actor"]["reference"] for one in performers] == [reference, reference]
    assert [one["function"]["coding"][0]["code"] for one in performers] == ["SPRF", "PRF"]


@pytest.mark.parametrize("broken", [{"00080090": {"vr": "PN", "Value": [{}, 5]}}, {"00080090": 5}])
def test_an_unreadable_name_leaves_the_number(broken):
    found, study = people(series(ReferringPhysicianIdentificationSequence=person("17")) | broken)
    assert list(found) == ["17"]
    assert study["referrer"] == {"reference": f"Practitioner/{found['17']['id']}"}
