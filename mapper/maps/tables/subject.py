"""Whom a study is about: the Patient, or the Device that a phantom is (PS3.3 C.7.1.1, QualityControlSubject)."""

import re
from typing import Any

from mapper.maps import keys
from mapper.maps.rule import MUST, Rule
from mapper.maps.values.context import Context, all_beside, beside
from mapper.maps.values.identifier import patient_identifier
from mapper.maps.values.text import as_code, as_text

ISSUED_ID = "PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence*"
PHANTOM = "QualityControlSubject PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence*"


def is_phantom(cx: Context) -> bool:
    """Tell whether the data set is of a phantom, by QualityControlSubject or by the site's PatientIDs."""
    if as_code(beside(cx, "QualityControlSubject")) == "YES":
        return True
    patient_id = as_text(beside(cx, "PatientID"))
    return (
        as_code(beside(cx, "BodyPartExamined")) == "PHANTOM"
        and beside(cx, "PatientBirthDate") is None
        and patient_id is not None
        and any(re.fullmatch(expression, patient_id) for expression in cx.site.phantom_ids)
    )


def phantom_id(cx: Context, quality_control: Any, *issued: Any) -> str | None:
    """A phantom's PatientID with its issuer -> id of its Device."""
    if as_code(quality_control) not in ("YES", "NO", None):
        cx.note("QualityControlSubject is neither YES nor NO: read as NO")
    if not is_phantom(cx):
        return None
    identifier = patient_identifier(cx, *issued)
    return cx.id(*keys.phantom(cx.study.uid, identifier)) if identifier else None


def own_phantom_id(cx: Context, *_: Any) -> str | None:
    """Without a readable PatientID the phantom is this study's own."""
    return cx.id(*keys.phantom(cx.study.uid, None)) if is_phantom(cx) else None


def own_phantom_reference(cx: Context, *_: Any) -> dict[str, str] | None:
    """Without a readable PatientID -> Reference to this study's own phantom."""
    id = own_phantom_id(cx)
    return {"reference": f"Device/{id}"} if id else None


def phantom_reference(cx: Context, quality_control: Any, *issued: Any) -> dict[str, str] | None:
    """A phantom's PatientID with its issuer -> Reference to its Device: no Patient is made."""
    id = phantom_id(cx, quality_control, *issued)
    return {"reference": f"Device/{id}"} if id else None


def issued_id(cx: Context, *issued: Any) -> str | None:
    """PatientID with its issuer -> the patient's id, the same in every study."""
    identifier = patient_identifier(cx, *issued)
    return cx.id(*keys.patient(cx.study.uid, identifier)) if identifier else None


def own_id(cx: Context, *_: Any) -> str:
    """Without a PatientID the patient is this study's own, never merged with another."""
    return cx.id(*keys.patient(cx.study.uid, None))


def patient_id(cx: Context) -> str:
    """Return the id of the patient that the data set at hand is of."""
    issued = (beside(cx, "PatientID"), beside(cx, "IssuerOfPatientID"))
    return issued_id(cx, *issued, all_beside(cx, "IssuerOfPatientIDQualifiersSequence")) or own_id(cx)


def issued_reference(cx: Context, *issued: Any) -> dict[str, str] | None:
    """PatientID with its issuer -> Reference to the Patient."""
    id = issued_id(cx, *issued)
    return {"reference": f"Patient/{id}"} if id else None


def own_reference(cx: Context, *_: Any) -> dict[str, str]:
    """Without a PatientID -> Reference to this study's own Patient."""
    return {"reference": f"Patient/{own_id(cx)}"}


def subject(element: str) -> tuple[Rule, ...]:
    """Return the rows of any resource's subject."""
    return (
        Rule(element, PHANTOM, phantom_reference),
        Rule(element, "QualityControlSubject?", own_phantom_reference),
        Rule(element, ISSUED_ID, issued_reference),
        Rule(element, "", own_reference, MUST),
    )
