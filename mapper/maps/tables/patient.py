"""Patient <- DICOM Patient module (PS3.3 C.7.1.1), Patient Identification (C.2.2) and Demographic (C.2.3).

This file is the mapping table: read it beside FHIR R4 Patient. The mapper owns this Patient: its id is made of
identifier system and value, so one (issuer, id) is one Patient, and a blank PatientID never joins two studies.
"""

from typing import Any

from mapper.dicom.item import Item
from mapper.fhir import systems
from mapper.maps import engine
from mapper.maps.rule import MUST, Made, Rule, many
from mapper.maps.tables.deidentified import meta_of_patient
from mapper.maps.tables.subject import ISSUED_ID, issued_id, own_id
from mapper.maps.values.animal import patient_animal, patient_names
from mapper.maps.values.coding import codeable_concepts
from mapper.maps.values.context import Context
from mapper.maps.values.date_time import birth_date, date_time
from mapper.maps.values.gender import gender
from mapper.maps.values.human_name import human_name, maiden_names, names
from mapper.maps.values.identifier import other_patient_identifiers, patient_identifier, trial_identifiers
from mapper.maps.values.text import as_text

ANIMAL = (
    "PatientSpeciesDescription? PatientSpeciesCodeSequence*? PatientBreedDescription? PatientBreedCodeSequence*? "
    "PatientSexNeutered?"
)
TIMED = len("2024-05-17T")


def mothers_maiden_name(cx: Context, name: Any) -> dict[str, str] | None:
    """PatientMotherBirthName -> extension, the family name as text."""
    made = human_name(cx, name)
    family = made and (made.get("family") or made.get("text"))
    return {"url": systems.MOTHERS_MAIDEN_NAME, "valueString": family} if family else None


def birth_time(cx: Context, day: Any, time: Any, offset: Any) -> dict[str, str] | None:
    """PatientBirthDate, PatientBirthTime, TimezoneOffsetFromUTC -> extension, with a whole date and a zone only."""
    moment = date_time(cx, day, time, offset) if time else None
    if moment is None or len(moment) < TIMED:
        return None
    return {"url": systems.BIRTH_TIME, "valueDateTime": moment}


def phones(cx: Context, numbers: Any) -> list[dict[str, str]]:
    """PatientTelephoneNumbers -> phone numbers; the header does not say whose."""
    return [{"system": "phone", "value": number} for number in map(as_text, numbers) if number]


def address(cx: Context, text: Any) -> dict[str, str] | None:
    """PatientAddress -> address as one text: DICOM does not take it apart."""
    said = as_text(text)
    return {"text": said} if said else None


def contact(cx: Context, person: Any, role: Any, organization: Any) -> dict[str, Any] | None:
    """ResponsiblePerson, ResponsiblePersonRole, ResponsibleOrganization -> contact with its role as text."""
    made: dict[str, Any] = {}
    if name := human_name(cx, person):
        made["name"] = name
    if house := as_text(organization):
        made["organization"] = {"display": house}
    if not made:
        return None  # pat-1: a contact needs a name or an organization
    if part := as_text(role):
        made = {"relationship": [{"text": part}], **made}
    return made


def languages(cx: Context, codes: Any) -> list[dict[str, Any]]:
    """PatientPrimaryLanguageCodeSequence -> languages; those of scheme RFC5646 are BCP 47."""
    return [{"language": language} for language in codeable_concepts(cx, codes)]


# fmt: off
RULES = (
    #    FHIR element                        DICOM attribute                                         by
    Rule("Patient.id",                       ISSUED_ID,                                              issued_id),
    Rule("Patient.id",                       "",                                                     own_id, MUST),
    *meta_of_patient("Patient"),
    Rule("Patient.extension",                ANIMAL,                                                 patient_animal),
    Rule("Patient.extension",                "PatientMotherBirthName",                               many(mothers_maiden_name), option="mothers_maiden_name"),
    Rule("Patient.identifier",               ISSUED_ID,                                              many(patient_identifier)),
    Rule("Patient.identifier",               "OtherPatientIDsSequence*",                             other_patient_identifiers),
    Rule("Patient.identifier",               "ClinicalTrialSubjectID ClinicalTrialProtocolID",       trial_identifiers),
    Rule("Patient.name",                     "PatientName*",                                         patient_names),
    Rule("Patient.name",                     "OtherPatientNames*",                                   names),
    Rule("Patient.name",                     "PatientBirthName*",                                    maiden_names),
    Rule("Patient.telecom",                  "PatientTelephoneNumbers*",                             phones, option="telecom"),
    Rule("Patient.gender",                   "PatientSex",                                           gender),
    Rule("Patient.birthDate",                "PatientBirthDate StudyDate?",                          birth_date),
    Rule("Patient._birthDate.extension",     "PatientBirthDate PatientBirthTime? TimezoneOffsetFromUTC?", many(birth_time)),
    Rule("Patient.address",                  "PatientAddress",                                       many(address), option="address"),
    Rule("Patient.contact",                  "ResponsiblePerson? ResponsiblePersonRole? ResponsibleOrganization?", many(contact)),
    Rule("Patient.communication",            "PatientPrimaryLanguageCodeSequence*",                  languages),
)
# fmt: on


def patient(cx: Context, item: Item) -> Made:
    """Return the Patient of a study."""
    return engine.resource(RULES, cx, item, "Patient")
