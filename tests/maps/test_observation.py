"""Observation: what the header says of the patient that day, and which day that was."""

from typing import Any

import pytest

from mapper.dicom.collector import Collector
from mapper.fhir.ids import resource_id
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.site import PUBLIC_NAMESPACE
from tests.support.datasets import site
from tests.support.made import series

DATES = {
    "StudyDate": "20240101",
    "SeriesDate": "20240102",
    "AcquisitionDate": "20240103",
    "ContentDate": "20240104",
}
STATE: dict[str, tuple[Any, str]] = {
    "PatientSize": ("1.7", "8302-2"),
    "PatientWeight": ("70", "29463-7"),
    "PatientBodyMassIndex": ("24.2", "39156-5"),
    "PregnancyStatus": (1, "82810-3"),
    "LastMenstrualDate": ("20231224", "8665-2"),
    "SmokingStatus": ("NO", "72166-2"),
}


def mapped(*instances: dict[str, Any], **choices: Any) -> Mapped:
    """Return what a study becomes."""
    collector = Collector()
    for one in instances:
        collector.add(one)
    return study_to_fhir(collector.only_study(), site(**choices))


def observations(made: Mapped) -> dict[str, Any]:
    """Return the Observations by LOINC code."""
    found = [one for one in made.resources if one["resourceType"] == "Observation"]
    return {one["code"]["coding"][0]["code"]: one for one in found}


@pytest.mark.parametrize("keyword", STATE)
def test_each_state_of_the_patient_is_one_observation_with_an_id_of_study_and_code(keyword):
    value, loinc = STATE[keyword]
    found = observations(mapped(series(**{keyword: value}, StudyDate="20240517")))
    assert list(found) == [loinc]
    assert found[loinc]["id"] == resource_id(PUBLIC_NAMESPACE, "Observation", "1.2.3", "header", loinc)
    assert found[loinc]["effectiveDateTime"] == "2024-05-17"
    assert found[loinc]["status"] == "final"


def test_vital_signs_claim_their_profile_and_category_and_the_rest_claims_nothing():
    found = observations(
        mapped(series(**{keyword: value for keyword, (value, _) in STATE.items()}, StudyDate="20240517"))
    )
    claimed = {code: one["meta"]["profile"][0].rpartition("/")[2] for code, one in found.items() if "meta" in one}
    assert claimed == {"8302-2": "bodyheight", "29463-7": "bodyweight", "39156-5": "bmi"}
    assert {code for code, one in found.items() if "category" in one} == set(claimed)


@pytest.mark.parametrize("absent", range(5))
def test_the_day_is_that_of_the_study_else_of_the_series_else_of_the_acquisition_else_of_the_content(absent):
    made = mapped(series(PatientSize="1.7", **dict(list(DATES.items())[absent:])))
    found = observations(made)
    if absent == 4:
        assert found == {}
        assert [one.attribute for one in made.problems] == ["PatientSize"]
    else:
        assert found["8302-2"]["effectiveDateTime"] == f"2024-01-0{absent + 1}"


def test_a_vital_sign_needs_a_whole_day():
    made = mapped(series(PatientSize="1.7", StudyDate="202401", SeriesDate="20240102"))
    assert observations(made)["8302-2"]["effectiveDateTime"] == "2024-01-02"


def test_dates_that_de_identification_removed_are_no_dates():
    made = mapped(series(PatientSize="1.7", LongitudinalTemporalInformationModified="REMOVED", **DATES))
    assert observations(made) == {}


def test_an_age_is_written_only_where_a_site_asks_for_it():
    one = series(PatientAge="045Y", StudyDate="20240517")
    assert observations(mapped(one)) == {}
    quantity = observations(mapped(one, options=("age",)))["30525-0"]["valueQuantity"]
    assert quantity == {"value": 45, "unit": "a", "system": "http://unitsofmeasure.org", "code": "a"}


def test_of_two_series_that_disagree_the_first_one_speaks_and_that_is_recorded():
    made = mapped(
        series(2, PatientWeight="80", StudyDate="20240517"), series(1, PatientWeight="70", StudyDate="20240517")
    )
    assert observations(made)["29463-7"]["valueQuantity"]["value"] == 70
    assert [one.attribute for one in made.problems] == ["PatientWeight"]


def test_an_unreadable_sex_costs_no_pregnancy():
    broken = series(PregnancyStatus=3, StudyDate="20240517") | {"00100040": {"vr": "CS", "Value": [{}]}}
    assert "valueCodeableConcept" in observations(mapped(broken))["82810-3"]


def test_unknown_is_a_reason_and_no_value():
    unknown = observations(mapped(series(PregnancyStatus=4, StudyDate="20240517")))["82810-3"]
    assert unknown["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert not {name for name in unknown if name.startswith("value")}


@pytest.mark.parametrize("keyword", [*STATE, "PatientAge"])
def test_silence_makes_no_observation_and_no_problem(keyword):
    made = mapped(series(**{keyword: None}, StudyDate="20240517"), options=("age",))
    assert observations(made) == {}
    assert made.problems == []
