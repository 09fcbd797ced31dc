"""De-identified data: what was done to it -> FHIR R4 meta.security and meta.tag (PS3.15 annex E, PS3.16 CID 7050)."""

from typing import Any

from mapper.fhir import systems
from mapper.maps.values.coding import Coding, codings
from mapper.maps.values.context import Context, all_beside, beside
from mapper.maps.values.context_groups import cid
from mapper.maps.values.identifier import DEIDENTIFIED, issued
from mapper.maps.values.text import as_code, as_text

METHODS = 7050
LONGITUDINAL = ("UNMODIFIED", "MODIFIED", "REMOVED")  # PS3.3 C.7.1.1
MODIFIED_DATES = "113107"
DISPLAYS = {"PSEUDED": "pseudonymized", "ANONYED": "anonymized"}  # v3-ObservationValue


def security(cx: Context, removed: Any, patient_id: Any = None, subject_id: Any = None) -> list[Coding]:
    """PatientIdentityRemoved, PatientID, ClinicalTrialSubjectID -> label; with an id left somebody may hold a key."""
    if as_code(removed) not in ("YES", "NO", None):
        cx.note("neither YES nor NO: read as NO")
    if as_code(removed) != "YES":
        return []
    code = "PSEUDED" if as_text(patient_id) or as_text(subject_id) else "ANONYED"
    return [{"system": systems.OBSERVATION_VALUE, "code": code, "display": DISPLAYS[code]}]


def methods(cx: Context, sequence: Any, longitudinal: Any = None) -> list[Coding]:
    """DeidentificationMethodCodeSequence, LongitudinalTemporalInformationModified -> tags, sorted by their code."""
    known = cid(METHODS)
    named = codings(cx, sequence)
    found = {one["code"]: one for one in named if one.get("system") == systems.DCM}
    if any(one.get("system") != systems.DCM for one in named):
        cx.note("a method that is no code of DCM: left out")
    if as_code(longitudinal) not in (*LONGITUDINAL, None):
        cx.note("LongitudinalTemporalInformationModified is none of its defined terms: ignored")
    if as_code(longitudinal) == "MODIFIED":
        found.setdefault(MODIFIED_DATES, {"system": systems.DCM, "code": MODIFIED_DATES})
    for code, one in found.items():
        if "display" not in one and code in known:
            one["display"] = known[code]
    return [found[code] for code in sorted(found)]


def security_of_patient(cx: Context, removed: Any, patient_id: Any = None, subject_id: Any = None) -> list[Coding]:
    """PatientIdentityRemoved, PatientID, ClinicalTrialSubjectID -> label, unless the PatientID has an issuer."""
    label = security(cx, removed, patient_id, subject_id)
    return [] if label and is_known_elsewhere(cx) else label


def methods_of_patient(cx: Context, sequence: Any, longitudinal: Any = None) -> list[Coding]:
    """DeidentificationMethodCodeSequence -> tags, sorted, unless the PatientID has an issuer."""
    tags = methods(cx, sequence, longitudinal)
    return [] if tags and is_known_elsewhere(cx) else tags


def is_known_elsewhere(cx: Context) -> bool:
    """Tell whether the patient's identifier is an issuer's: studies that were not de-identified may share it."""
    qualifiers = all_beside(cx, "IssuerOfPatientIDQualifiersSequence")
    identifier = issued(cx, beside(cx, "PatientID"), beside(cx, "IssuerOfPatientID"), qualifiers)
    return identifier is not None and identifier["system"] != systems.local(cx.site.base, DEIDENTIFIED)
