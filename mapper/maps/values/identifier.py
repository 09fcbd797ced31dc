"""Identifiers of patients, orders and things: FHIR R4 Identifier with a system, so that it is unique."""

from typing import Any

from mapper.dicom.item import Item
from mapper.fhir import systems
from mapper.maps.values.authority import (
    facility,
    first_item,
    identity_removed,
    local_system,
    universal_system,
)
from mapper.maps.values.context import Context, all_beside, beside
from mapper.maps.values.text import as_code, as_items, as_text, each

Identifier = dict[str, Any]

# HL7 v2 table 0203 as FHIR R4 publishes it (v2-tables.json), without its wildcard entries
V2_0203 = """
    AC ACSN AM AMA AN ANC AND ANON ANT APRN ASID BA BC BCFN BCT BR BRN BSNR CC CONM CY CZ DC DCFN DDS DEA DFN DI
    DL DN DO DP DPM DR DS EI EN ESN FDR FDRFN FI FILL GI GL GN HC IND JHN LACSN LANR LI LN LR MA MB MC MCD MCN
    MCR MCT MD MI MR MRT MS NBSNR NCT NE NH NI NII NIIP NP NPI OBI OD PA PC PCN PE PEN PHC PHE PHO PI PLAC PN
    PNT PPIN PPN PRC PRN PT QA RI RN RPH RR RRI RRP SB SID SL SN SNBSN SNO SP SR SS STN TAX TN TPR TRL U UDI
    UPIN USID VN VP VS WC WCN WP XV XX"""
TYPES = frozenset(V2_0203.split())
DEIDENTIFIED = "patient-deidentified"
"""Where the PatientIDs of de-identified data live, never among the hospital's."""
NOT_TEXT = frozenset({"RFID", "BARCODE"})  # TypeOfPatientID, PS3.3 C.7.1.1: a label, not a number


def identifier_type(code: str) -> dict[str, Any]:
    """Code of HL7 v2 table 0203 -> CodeableConcept."""
    return {"coding": [{"system": systems.IDENTIFIER_TYPE, "code": code}]}


def patient_identifier(cx: Context, value: Any, issuer: Any = None, qualifiers: Any = None) -> Identifier | None:
    """PatientID + IssuerOfPatientID + IssuerOfPatientIDQualifiersSequence -> Identifier with use usual."""
    made = issued(cx, value, issuer, qualifiers)
    return {"use": "usual", **made} if made else None


def other_patient_identifiers(cx: Context, sequence: Any) -> list[Identifier]:
    """OtherPatientIDsSequence -> Identifiers without a use; the patient's main one is not said again."""
    items = as_items(sequence)
    if not items:
        return []
    main = (
        beside(cx, "PatientID"),
        beside(cx, "IssuerOfPatientID"),
        all_beside(cx, "IssuerOfPatientIDQualifiersSequence"),
    )
    said = {key(made) for made in each(cx, [main], lambda parts: issued(cx, *parts))}
    others = []
    for made in each(cx, items, lambda item: other(cx, item)):
        if key(made) not in said:
            said.add(key(made))
            others.append(made)
    return others


def trial_identifiers(cx: Context, subject: Any, protocol: Any = None) -> list[Identifier]:
    """ClinicalTrialSubjectID, ClinicalTrialProtocolID -> Identifier of a trial, for de-identified data."""
    number, trial = as_text(subject), as_text(protocol)
    if number is None or not identity_removed(cx):
        return []
    if trial is None:
        raise ValueError("a subject's number without its protocol identifies nobody")
    return [{"system": systems.local(cx.site.base, "clinical-trial", trial), "value": number}]


def other(cx: Context, item: Item) -> Identifier | None:
    """Return the Identifier of one item of OtherPatientIDsSequence, None for what is only a label."""
    if as_code(item["TypeOfPatientID"]) in NOT_TEXT:
        return None
    qualifiers = item.values("IssuerOfPatientIDQualifiersSequence")
    return issued(cx, item["PatientID"], item["IssuerOfPatientID"], qualifiers)


def key(identifier: Identifier) -> tuple[str, str]:
    """Return what makes an identifier the same as another: system and value."""
    return identifier["system"], identifier["value"]


def issued(cx: Context, value: Any, issuer: Any, qualifiers: Any) -> Identifier | None:
    """Return an Identifier of a patient; qualifiers win over the issuer's name, because that is free text."""
    number = as_text(value)
    if number is None:
        return None
    item, name = first_item(cx, qualifiers), as_text(issuer)
    known = universal_system(cx, item, "patient") or local_system(cx, name, "patient")
    if identity_removed(cx):
        system, kind = known or systems.local(cx.site.base, DEIDENTIFIED), "ANON"
    else:
        system = known or cx.site.patient_system or systems.local(cx.site.base, "patient")
        kind = type_code(item) or ("MR" if known else "")
    made: Identifier = {"type": identifier_type(kind)} if kind else {}
    made |= {"system": system, "value": number}
    if assigner := name or facility(item):
        made["assigner"] = {"display": assigner}
    return made


def type_code(item: Item) -> str | None:
    """IdentifierTypeCode -> a code of HL7 v2 table 0203, None when it is not one."""
    code = as_code(item["IdentifierTypeCode"])
    return code if code in TYPES else None


def serial_number(cx: Context, value: Any) -> Identifier | None:
    """DeviceSerialNumber -> Identifier of type SNO; unique with its manufacturer only, so it has no system."""
    number = as_text(value)
    return {"type": identifier_type("SNO"), "value": number} if number else None
