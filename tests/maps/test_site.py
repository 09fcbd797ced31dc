"""A site's tables are looked up by names in one normal form, and their order says nothing."""

import unicodedata
from typing import Any

import pytest
from pydantic import ValidationError

from mapper.dicom.collector import Collector
from mapper.maps import study_to_fhir
from mapper.maps.site import NOBODY, Site
from mapper.service import output_version
from tests.support.datasets import dataset

NAMES = {
    "an umlaut": "K\u00f6ln",
    "two marks": "Vi\u1ec7t",
    "a unit that is a letter": "\u212bngstr\u00f6m",
    "Hangul": "\uc11c\uc6b8",
    "an ideograph that is another's": "\ufa10",
    "ASCII": "COLOGNE",
}
FORMS = ("NFC", "NFD")
SYSTEM, ZONE = "urn:oid:2.999.7", "Asia/Kolkata"


def mapped(site: Site, name: str) -> dict[str, Any]:
    """Return what a table makes of a name: the PatientID's system, the time and the code's system."""
    collector = Collector()
    code = {"CodeValue": "1", "CodingSchemeDesignator": name, "CodeMeaning": "x"}
    collector.add(
        dataset(
            StudyInstanceUID="1.2",
            SeriesInstanceUID="1.2.1",
            SOPInstanceUID="1.2.1.1",
            SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
            Modality="CT",
            PatientID="P",
            IssuerOfPatientID=name,
            InstitutionName=name,
            StudyDate="20240102",
            StudyTime="101112",
            ProcedureCodeSequence=[code],
        )
    )
    made = {one["resourceType"]: one for one in study_to_fhir(collector.only_study(), site).resources}
    study = made["ImagingStudy"]
    return {
        "issuers": made["Patient"]["identifier"][0]["system"],
        "timezones": study["started"],
        "coding_schemes": study["procedureCode"][0]["coding"][0]["system"],
    }


FOUND = {"issuers": SYSTEM, "timezones": "2024-01-02T10:11:12+05:30", "coding_schemes": SYSTEM}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("held", FORMS)
@pytest.mark.parametrize("written", FORMS)
def test_a_name_is_found_however_it_is_composed(written: str, held: str, name: str) -> None:
    key = unicodedata.normalize(written, name)
    site = Site(issuers={key: SYSTEM}, timezones={key: ZONE}, coding_schemes={key: SYSTEM})
    assert mapped(site, unicodedata.normalize(held, name)) == FOUND


@pytest.mark.parametrize("other", ["Koln", "K\u00f6ln 2", "k\u00f6ln"])
def test_another_name_is_another(other: str) -> None:
    site = Site(issuers={other: SYSTEM}, timezones={other: ZONE}, coding_schemes={other: SYSTEM})
    found = mapped(site, "K\u00f6ln")
    assert {table for table in FOUND if found[table] == FOUND[table]} == set()


@pytest.mark.parametrize("table", FOUND)
def test_a_name_that_stands_there_twice_must_mean_one_thing(table: str) -> None:
    first, second = (unicodedata.normalize(form, "K\u00f6ln") for form in FORMS)
    one, other = ("Asia/Kolkata", "Europe/Berlin") if table == "timezones" else ("urn:oid:2.999.1", "urn:oid:2.999.2")
    assert len(getattr(Site(**{table: {first: one, second: one}}), table)) == 1
    with pytest.raises(ValidationError) as failed:
        Site(**{table: {first: one, second: other}})
    assert "ln" not in str(failed.value)[len(table) :].split("[type")[0]


A, B = "urn:oid:2.999.1", "urn:oid:2.999.2"
SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "issuers": ({"issuers": {"A": A, "B": B}}, {"issuers": {"B": B, "A": A}}),
    "schemes": ({"coding_schemes": {"A": A, "B": B}}, {"coding_schemes": {"B": B, "A": A}}),
    "zones": (
        {"timezones": {"A": "Asia/Kolkata", "B": "Europe/Berlin"}},
        {"timezones": {"B": "Europe/Berlin", "A": "Asia/Kolkata"}},
    ),
    "a form of a name": (
        {"issuers": {unicodedata.normalize("NFC", "K\u00f6ln"): A}},
        {"issuers": {unicodedata.normalize("NFD", "K\u00f6ln"): A}},
    ),
    "nobody": ({"nobody": ("X", "Y")}, {"nobody": ("Y", "X", "Y")}),
    "nobody by default": ({}, {"nobody": NOBODY[::-1]}),
    "options": ({"options": ("age", "telecom")}, {"options": ("telecom", "age")}),
    "phantoms": ({"phantom_ids": ("A.*", "B.*")}, {"phantom_ids": ("B.*", "A.*")}),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_the_same_choices_are_one_version_however_they_are_written(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert Site(**one) == Site(**other)
    assert output_version(Site(**one), "u") == output_version(Site(**other), "u")


OTHERS = [{}, {"issuers": {"A": A}}, {"issuers": {"A": B}}, {"issuers": {"B": A}}, {"coding_schemes": {"A": A}}]


def test_other_choices_are_another_version() -> None:
    assert len({output_version(Site(**one), "u") for one in OTHERS}) == len(OTHERS)
