"""Sex: PatientSex -> FHIR R4 AdministrativeGender; never inferred from anything else."""

from typing import Any

from mapper.maps.values.context import Context
from mapper.maps.values.text import as_code

GENDERS = {"M": "male", "F": "female", "O": "other"}  # PS3.3 C.7.1.1


def gender(cx: Context, sex: Any) -> str | None:
    """PatientSex -> code; there but empty is unknown, not there at all is nothing."""
    code = as_code(sex)
    if code is None:
        return "unknown" if "PatientSex" in cx.item else None
    if code not in GENDERS:
        cx.note("not M, F or O: unknown is written")
    return GENDERS.get(code, "unknown")
