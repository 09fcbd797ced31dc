"""Patient: whose number it is, what is said of de-identified people, phantoms, animals, and what a site may choose."""

from typing import Any

import pytest

from tests.support.datasets import BASE
from tests.support.datasets import site as site_with
from tests.support.made import made_of, series

SECURITY = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
QUALIFIERS = {"UniversalEntityID": "1.2.276.0.76.3.1.999", "UniversalEntityIDType": "ISO"}


def patient_of(**attributes: Any) -> Any:
    """Return the Patient of a study with one series."""
    return made_of(series(**attributes))["Patient"]


def label_of(resource: dict[str, Any]) -> list[str]:
    """Return the security labels of a resource."""
    return [one["code"] for one in resource.get("meta", {}).get("security", [])]


@pytest.mark.parametrize(
    ("attributes", "system", "kind"),
    [
        ({}, f"{BASE}/patient", None),
        ({"IssuerOfPatientID": "HOSP"}, f"{BASE}/patient/HOSP", "MR"),
        ({"IssuerOfPatientIDQualifiersSequence": QUALIFIERS}, "urn:oid:1.2.276.0.76.3.1.999", "MR"),
        ({"IssuerOfPatientIDQualifiersSequence": {**QUALIFIERS, "IdentifierTypeCode": "PI"}}, None, "PI"),
        ({"PatientIdentityRemoved": "YES"}, f"{BASE}/patient-deidentified", "ANON"),
    ],
)
def test_whose_number_a_patient_id_is(attributes, system, kind):
    (identifier,) = patient_of(**attributes)["identifier"]
    assert identifier["system"] == (system or "urn:oid:1.2.276.0.76.3.1.999")
    assert identifier.get("type", {"coding": [{"code": None}]})["coding"][0]["code"] == kind


def test_a_sites_own_systems_go_before_made_ones():
    at = site_with(patient_system="urn:oid:1.1", issuers={"HOSP": "urn:oid:1.2"})
    assert made_of(series(), at=at)["Patient"]["identifier"][0]["system"] == "urn:oid:1.1"
    assert made_of(series(IssuerOfPatientID="HOSP"), at=at)["Patient"]["identifier"][0]["system"] == "urn:oid:1.2"


def test_other_numbers_follow_and_none_is_said_twice():
    others = [
        {"PatientID": "1"},
        {"PatientID": "2", "IssuerOfPatientID": "LAB"},
        {"PatientID": "2", "IssuerOfPatientID": "LAB"},
        {"PatientID": "3", "TypeOfPatientID": "RFID"},
        {"PatientID": None},
    ]
    identifiers = patient_of(OtherPatientIDsSequence=others)["identifier"]
    assert [(one["value"], one.get("use")) for one in identifiers] == [("1", "usual"), ("2", None)]


@pytest.mark.parametrize(
    ("attributes", "of_patient", "of_study"),
    [
        ({}, [], []),
        ({"PatientIdentityRemoved": "NO"}, [], []),
        ({"PatientIdentityRemoved": "YES"}, ["PSEUDED"], ["PSEUDED"]),
        ({"PatientIdentityRemoved": "YES", "PatientID": None}, ["ANONYED"], ["ANONYED"]),
        ({"PatientIdentityRemoved": "YES", "IssuerOfPatientID": "HOSP"}, [], ["PSEUDED"]),
    ],
)
def test_labels_go_on_the_study_and_on_a_patient_whom_no_other_study_can_share(attributes, of_patient, of_study):
    method = {"CodeValue": "113100", "CodingSchemeDesignator": "DCM"}
    more = {"PatientSize": "1.7", "StudyDate": "20240517", "Manufacturer": "M", "StationName": "S"}
    made = made_of(series(**attributes, **more, DeidentificationMethodCodeSequence=method))
    assert label_of(made["Patient"]) == of_patient
    assert label_of(made["ImagingStudy"]) == label_of(made["Observation"]) == of_study
    assert "meta" not in made["Device"]
    shared = attributes.get("IssuerOfPatientID") is not None or attributes.get("PatientIdentityRemoved") != "YES"
    assert ("tag" in made["Patient"].get("meta", {})) == (not shared)


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({"ClinicalTrialProtocolID": "T 3"}, True),
        ({}, False),
        ({"ClinicalTrialProtocolID": "T 3", "PatientIdentityRemoved": "NO"}, False),
    ],
)
def test_a_trials_number_names_a_de_identified_subject_within_its_protocol(attributes, named):
    found = patient_of(**{"PatientIdentityRemoved": "YES", "ClinicalTrialSubjectID": "S1", **attributes})["identifier"]
    of_trial = {"system": f"{BASE}/clinical-trial/T%203", "value": "S1"}
    assert found[1:] == ([of_trial] if named else [])


@pytest.mark.parametrize(
    ("attributes", "element", "value"),
    [
        ({"PatientTelephoneNumbers": ["1", "1"]}, "telecom", [{"system": "phone", "value": "1"}]),
        ({"PatientAddress": "Street 1"}, "address", [{"text": "Street 1"}]),
        (
            {"PatientMotherBirthName": "Specimen^Berta"},
            "extension",
            [{"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "Specimen"}],
        ),
    ],
)
def test_what_is_not_everybodys_business_is_written_only_where_a_site_asks_for_it(attributes, element, value):
    assert element not in patient_of(**attributes)
    asked = site_with(options=("telecom", "address", "mothers_maiden_name"))
    assert made_of(series(**attributes), at=asked)["Patient"][element] == value


@pytest.mark.parametrize(
    ("born", "time", "offset", "moment"),
    [
        ("19700228", "0815", "+0100", "1970-02-28T08:15:00+01:00"),
        ("19700228", "0815", None, None),
        ("197002", "0815", "+0100", None),
        ("19700228", None, "+0100", None),
        (None, "0815", "+0100", None),
    ],
)
def test_the_time_of_birth_needs_a_whole_date_and_a_zone(born, time, offset, moment):
    found = patient_of(PatientBirthDate=born, PatientBirthTime=time, TimezoneOffsetFromUTC=offset)
    extensions = found.get("_birthDate", {}).get("extension", [])
    assert [one["valueDateTime"] for one in extensions] == ([moment] if moment else [])


@pytest.mark.parametrize(
    ("attributes", "contact"),
    [
        ({"ResponsiblePersonRole": "OWNER"}, None),
        ({"ResponsibleOrganization": "Stables"}, [{"organization": {"display": "Stables"}}]),
        (
            {"ResponsiblePerson": "Smith^Jane", "ResponsiblePersonRole": "PARENT"},
            [{"relationship": [{"text": "PARENT"}], "name": {"family": "Smith", "given": ["Jane"]}}],
        ),
    ],
)
def test_who_answers_for_the_patient(attributes, contact):
    assert patient_of(**attributes).get("contact") == contact


def test_a_language_keeps_its_scheme():
    def language(value: str, scheme: str) -> Any:
        item = {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": "German"}
        return patient_of(PatientPrimaryLanguageCodeSequence=item)["communication"][0]["language"]["coding"][0]

    assert language("de", "RFC5646") == {"system": "urn:ietf:bcp:47", "code": "de", "display": "German"}
    assert language("ger", "ISO639_2")["system"] == f"{BASE}/codesystem/ISO639_2"


BROKEN = {"00100021": {"vr": "LO", "Value": [{}]}}
"""An IssuerOfPatientID that nobody can read."""


def test_a_patient_whose_issuer_is_unreadable_is_not_taken_for_another():
    known, unreadable = made_of(series(PatientName="A^B")), made_of(series(PatientName="A^B") | BROKEN)
    assert unreadable["Patient"]["id"] != known["Patient"]["id"]
    assert "identifier" not in unreadable["Patient"]
    assert unreadable["Patient"]["name"] == known["Patient"]["name"]
    assert unreadable["ImagingStudy"]["subject"] == {"reference": f"Patient/{unreadable['Patient']['id']}"}


@pytest.mark.parametrize(
    ("attributes", "phantom"),
    [
        ({"QualityControlSubject": "YES"}, True),
        ({"QualityControlSubject": "yes "}, True),
        ({"QualityControlSubject": "NO"}, False),
        ({"QualityControlSubject": "MAYBE"}, False),
        ({"BodyPartExamined": "PHANTOM", "PatientID": "QC-7"}, True),
        ({"BodyPartExamined": "PHANTOM", "PatientID": "MRN-7"}, False),
        ({"BodyPartExamined": "PHANTOM", "PatientID": "QC-7", "PatientBirthDate": "19700101"}, False),
        ({"BodyPartExamined": "CHEST", "PatientID": "QC-7"}, False),
        ({"QualityControlSubject": "YES", "PatientID": None}, True),
    ],
)
def test_a_phantom_is_a_device(attributes, phantom):
    whole = series(**attributes, PatientSize="1.7", StudyDate="20240517")
    made = made_of(whole, at=site_with(phantom_ids=("QC-.*",)))
    subject = made["Device" if phantom else "Patient"]
    assert ("Patient" in made) != phantom
    assert made["ImagingStudy"]["subject"] == {"reference": f"{subject['resourceType']}/{subject['id']}"}
    assert made["Observation"]["subject"] == made["ImagingStudy"]["subject"]


def test_a_phantom_whose_issuer_is_unreadable_is_still_no_patient():
    made = made_of(series(QualityControlSubject="YES") | BROKEN)
    assert "Patient" not in made
    assert "identifier" not in made["Device"]
