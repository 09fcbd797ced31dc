"""Measured values: DS -> FHIR R4 Quantity in UCUM, dropped when no living body has it."""

from decimal import Decimal
from typing import Any

from mapper.fhir import systems
from mapper.maps.values.context import Context

TALLEST = Decimal(3)  # m
HEAVIEST = Decimal(650)  # kg
Quantity = dict[str, Any]


def quantity(value: Decimal, unit: str) -> Quantity:
    """Return a Quantity whose unit is a UCUM code."""
    return {"value": plain(value), "unit": unit, "system": systems.UCUM, "code": unit}


def height(cx: Context, value: Any) -> Quantity | None:
    """PatientSize in metres -> Quantity in cm; nobody is taller than 3 m."""
    found = between(value, TALLEST)
    return quantity(found.scaleb(2), "cm") if found is not None else None


def weight(cx: Context, value: Any) -> Quantity | None:
    """PatientWeight in kg -> Quantity in kg; nobody weighs more than 650 kg."""
    found = between(value, HEAVIEST)
    return quantity(found, "kg") if found is not None else None


def body_mass_index(cx: Context, value: Any) -> Quantity | None:
    """PatientBodyMassIndex -> Quantity in kg/m2; it is never computed."""
    found = between(value, None)
    return quantity(found, "kg/m2") if found is not None else None


def between(value: Any, largest: Decimal | None) -> Decimal | None:
    """Return a number above zero and not above a limit; raises ValueError otherwise, and guesses nothing."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise ValueError("not a number")
    number = Decimal(value)
    if not number.is_finite() or number <= 0 or (largest is not None and number > largest):
        raise ValueError("zero, negative or more than is possible")
    if not -20 < number.adjusted() < 20:
        raise ValueError("zero, negative or more than is possible")
    return number


def plain(number: Decimal) -> int | float:
    """Return a number as JSON writes it: no exponent, no trailing zeros."""
    return int(number) if number == number.to_integral_value() else float(number)
