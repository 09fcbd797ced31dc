"""States of the patient that the header codes by number or word -> FHIR R4 CodeableConcept.

PS3.3 C.7.2.2; codes: SNOMED CT, as HL7's International Patient Summary uses them for the same facts.
"""

from decimal import Decimal
from typing import Any

from mapper.fhir import systems
from mapper.maps.values.context import Context
from mapper.maps.values.context_groups import meaning
from mapper.maps.values.text import as_code, whole

NOT_PREGNANT, POSSIBLY_PREGNANT, DEFINITELY_PREGNANT, UNKNOWN = 1, 2, 3, 4
PREGNANCY = {NOT_PREGNANT: "60001007", POSSIBLY_PREGNANT: "146799005", DEFINITELY_PREGNANT: "77386006"}
SMOKING = {"YES": "77176002", "NO": "8392000", "UNKNOWN": "266927001"}


def pregnancy(cx: Context, status: Any, sex: Any = None) -> dict[str, Any] | None:
    """PregnancyStatus, PatientSex -> CodeableConcept; nothing for 4, unknown."""
    number = pregnancy_status(status)
    if number is None or number == UNKNOWN:
        return None
    if number == DEFINITELY_PREGNANT and sex == "M":
        cx.note("pregnant, and PatientSex is M")
    return snomed(PREGNANCY[number])


def pregnancy_unknown(cx: Context, status: Any) -> dict[str, Any] | None:
    """PregnancyStatus -> the reason why there is no value: 4, unknown."""
    if pregnancy_status(status) != UNKNOWN:
        return None
    return {"coding": [{"system": systems.DATA_ABSENT_REASON, "code": "unknown"}]}


def smoking(cx: Context, status: Any) -> dict[str, Any] | None:
    """SmokingStatus -> CodeableConcept of SNOMED CT."""
    code = as_code(status)
    if code is None:
        return None
    if code not in SMOKING:
        raise ValueError("not YES, NO or UNKNOWN")
    return snomed(SMOKING[code])


def pregnancy_status(status: Any) -> int | None:
    """Return PregnancyStatus as a number; raises ValueError for one that PS3.3 does not define."""
    number = whole(status, smallest=0) if isinstance(status, Decimal | int) else status
    if number is not None and (not isinstance(number, int) or number not in (*PREGNANCY, UNKNOWN)):
        raise ValueError("not one of the states that DICOM defines")
    return number


def snomed(code: str) -> dict[str, Any]:
    """SNOMED CT code -> CodeableConcept, with the display that PS3.16 has for it."""
    made = {"system": systems.SCT, "code": code}
    if display := meaning("SCT", code):
        made["display"] = display
    return {"coding": [made]}
