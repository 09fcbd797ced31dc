"""Patient <- DICOM Patient module (PS3.3 C.7.1.1) and Patient Identification (C.2.2).

This file is the mapping table: read it beside FHIR R4 Patient. The mapper owns this Patient: its id is made of
identifier system and value, so one (issuer, id) is one Patient, and a blank PatientID never joins two studies.
"""

from typing import Any

from mapper.dicom.item import Item
from mapper.fhir.context import Context
from mapper.fhir.date_time import birth_date
from mapper.fhir.human_name import maiden_names, names, official_names
from mapper.fhir.identifier import other_patient_identifiers, patient_identifier
from mapper.fhir.text import as_code
from mapper.maps import rule
from mapper.maps.rule import MUST, Made, Rule

ISSUED_ID = "PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence"
GENDERS = {"M": "male", "F": "female", "O": "other"}  # FHIR R4 administrative-gender


def issued_id(cx: Context, *issued: Any) -> str | None:
    """PatientID with its issuer -> the patient's id, the same in every study."""
    identifier = patient_identifier(cx, *issued)
    return cx.id("Patient", identifier["system"], identifier["value"]) if identifier else None


def own_id(cx: Context, *_: Any) -> str:
    """No PatientID -> an id of this study's own patient, never merged with another."""
    return cx.id("Patient", "study", cx.study.uid)


def issued_reference(cx: Context, *issued: Any) -> dict[str, str] | None:
    """PatientID with its issuer -> Reference to the Patient."""
    id = issued_id(cx, *issued)
    return {"reference": f"Patient/{id}"} if id else None


def own_reference(cx: Context, *_: Any) -> dict[str, str]:
    """No PatientID -> Reference to this study's own Patient."""
    return {"reference": f"Patient/{own_id(cx)}"}


def identifiers(cx: Context, *issued: Any) -> list[dict[str, Any]]:
    """PatientID with its issuer -> the main identifier, in a list."""
    identifier = patient_identifier(cx, *issued)
    return [identifier] if identifier else []


def gender(cx: Context, sex: Any) -> str | None:
    """PatientSex -> administrative gender: present but empty is unknown, absent is nothing."""
    code = as_code(sex)
    if code is None:
        return "unknown" if "PatientSex" in cx.item else None
    if code not in GENDERS:
        cx.note("not M, F or O")
    return GENDERS.get(code, "unknown")


# fmt: off
RULES = (
    #    FHIR element            DICOM attribute                          by
    Rule("Patient.id",           ISSUED_ID,                               issued_id),
    Rule("Patient.id",           "StudyInstanceUID",                      own_id, MUST),
    Rule("Patient.identifier",   ISSUED_ID,                               identifiers),
    Rule("Patient.identifier",   "OtherPatientIDsSequence*",              other_patient_identifiers),
    Rule("Patient.name",         "PatientName*",                          official_names),
    Rule("Patient.name",         "OtherPatientNames*",                    names),
    Rule("Patient.name",         "PatientBirthName*",                     maiden_names),
    Rule("Patient.gender",       "PatientSex",                            gender),
    Rule("Patient.birthDate",    "PatientBirthDate StudyDate",            birth_date),
)
# fmt: on


def patient(cx: rule.Context, item: Item) -> Made:
    """Return the Patient of a study."""
    return rule.resource("Patient", RULES, cx, item)
