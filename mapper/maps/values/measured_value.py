"""What a NUM item says -> FHIR R4 Quantity, or why it says nothing (PS3.3 C.18.1, PS3.16 CID 42)."""

import re
from decimal import Decimal
from typing import Any

from mapper.dicom.sr.code import Code
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.fhir import systems
from mapper.maps.values.coding import CODE
from mapper.maps.values.context import Context

Quantity = dict[str, Any]

REASONS = {
    "114000": "not-a-number",
    "114001": "negative-infinity",
    "114002": "positive-infinity",
    **dict.fromkeys(("114003", "114004", "114005", "114006", "114008", "114009"), "error"),
    "114007": "not-performed",
    **dict.fromkeys(("114010", "114011"), "unknown"),
}
"""Code of FHIR R4's data-absent-reason by the DCM code of CID 42."""
DOTLESS = re.compile(r"[a-zµμ]?Gy\*?c?m2?")
"""Units of dose that machines write under the designator of UCUM without its dot: mGycm, uGym2, dGycm2."""
BLANK = re.compile(r"\s(?![^{]*\})")
"""A blank outside an annotation, which no code of UCUM has."""
LARGEST_EXPONENT = 300
"""Powers of ten up to which a double holds a number."""
WRITTEN_OUT = 30
"""Digits before or after the point up to which a number is written without an exponent."""


def quantity(cx: Context, measured: MeasuredValue) -> Quantity | None:
    """Return the Quantity of a measured value, its number with every digit; None where nothing was measured."""
    number = value_of(cx, measured)
    if number is None:
        return None
    if not is_writable(number):
        raise ValueError("a number that no reader of FHIR could hold")
    return {"value": written_out(number), **unit_of(cx, measured.unit)}


def value_of(cx: Context, measured: MeasuredValue) -> Decimal | None:
    """Return the number: FloatingPointValue where it only adds digits to NumericValue."""
    value, floating = measured.value, measured.floating
    if value is not None and floating is not None and floating.is_finite() and not agrees(value, floating):
        cx.note("NumericValue and FloatingPointValue are not the same number: NumericValue counts")
    return number_of(measured)


def number_of(measured: MeasuredValue) -> Decimal | None:
    """Return the number that counts of the two that a measured value may have; None where there is none."""
    value, floating = measured.value, measured.floating
    if value is None:
        return floating if not measured.unreadable else None
    if floating is None or not floating.is_finite() or not agrees(value, floating):
        return value
    return floating if exponent(floating) < exponent(value) else value


def exponent(number: Decimal) -> int:
    """Return the power of ten of the last digit that a finite number has."""
    return int(number.as_tuple().exponent)


def is_writable(number: Decimal) -> bool:
    """Tell whether readers of FHIR can hold a number."""
    return number.is_finite() and abs(number.adjusted()) <= LARGEST_EXPONENT


def agrees(value: Decimal, floating: Decimal) -> bool:
    """Tell whether a double, rounded or cut to the digits of a decimal number, is this number.

    Of a number with an exponent the digits before the point count all: 1.2E+3 is 1200, not anything from 1150 on.
    """
    step = Decimal((0, (1,), min(exponent(value), 0)))
    distance = abs(value - floating)
    is_cut = distance < step and abs(floating) > abs(value) and value * floating >= 0
    return distance <= step / 2 or is_cut or float(value) == float(floating)


def written_out(number: Decimal) -> Decimal:
    """Return the same number as FHIR R4 decimal shows it: no exponent where a person would write none."""
    if exponent(number) > 0 and number.adjusted() < WRITTEN_OUT:
        return Decimal(f"{number:f}")
    return number


def unit_of(cx: Context, unit: Code | None) -> dict[str, str]:
    """Return unit, system and code of a Quantity: a code only of UCUM, and only where the report says that it is."""
    if unit is None:
        return {}
    shown = unit.meaning or unit.value
    made = {"unit": shown} if shown else {}
    if unit.scheme == "UCUM" and unit.value and CODE.fullmatch(unit.value):
        if not is_ucum(unit):
            cx.note("a unit that is no UCUM, whatever it says: written as text")
        else:
            made |= {"system": systems.UCUM, "code": unit.value}
    return made


def is_ucum(unit: Code) -> bool:
    """Tell whether a unit may be UCUM: ASCII, without blanks, and in CodeValue, which holds every code of UCUM."""
    code = unit.value or ""
    stands = unit.keyword in ("CodeValue", None)
    return stands and code.isascii() and not DOTLESS.fullmatch(code) and not BLANK.search(code)


def absent_reason(measured: MeasuredValue) -> dict[str, Any] | None:
    """Return why there is no number, as a code of FHIR R4's data-absent-reason; None where there is one."""
    number = number_of(measured)
    if number is not None and is_writable(number):
        return None
    code = measured.qualifier.value if measured.qualifier else None
    reason = "error" if measured.unreadable or number is not None else REASONS.get(code or "", "unknown")
    return {"coding": [{"system": systems.DATA_ABSENT_REASON, "code": reason}]}


def in_words(measured: MeasuredValue) -> str | None:
    """Return number and unit as a person reads them, the number that the Quantity has; None where there is none."""
    number = number_of(measured)
    if number is None or not number.is_finite():
        return None
    unit = measured.unit
    shown = (unit.meaning or unit.value) if unit else None
    return " ".join(filter(None, [str(written_out(number)), shown]))
