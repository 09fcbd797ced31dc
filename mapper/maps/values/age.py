"""Age: AS -> FHIR R4 Quantity in UCUM (PS3.5 section 6.2); never turned into a birth date."""

import re
from decimal import Decimal
from typing import Any

from mapper.maps.values.context import Context
from mapper.maps.values.quantity import Quantity, quantity
from mapper.maps.values.text import as_text

AS = re.compile(r"([0-9]{3})([DWMY])")
UNITS = {"D": "d", "W": "wk", "M": "mo", "Y": "a"}  # UCUM


def age(cx: Context, value: Any) -> Quantity | None:
    """PatientAge -> Quantity in years, months, weeks or days, as the header has it."""
    text = as_text(value)
    if text is None:
        return None
    found = AS.fullmatch(text.upper())
    if found is None:
        raise ValueError("not an age such as 045Y")
    number = Decimal(found[1])
    if number == 0 and found[2] == "Y":
        raise ValueError("zero years say nothing: days, weeks or months are wanted")
    return quantity(number, UNITS[found[2]])
