"""What a NUM item says: numbers with every digit that was sent, unit, qualifier (PS3.3 C.18.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from mapper.dicom.decoding import Element
from mapper.dicom.sr.code import Code, read_code
from mapper.dicom.sr.reading import Reading

DIGITS = 16
"""Digits that a DS can hold at most (PS3.5 table 6.2-1)."""


@dataclass(frozen=True, slots=True)
class MeasuredValue:
    """A measured value; without any number when it was not measured, `qualifier` then says why (CID 42)."""

    value: Decimal | None = None
    """NumericValue, the digits as sent."""
    floating: Decimal | None = None
    """FloatingPointValue: the same with more digits than a DS can hold."""
    rational: tuple[int, int] | None = None
    """RationalNumeratorValue and RationalDenominatorValue."""
    unit: Code | None = None
    qualifier: Code | None = None
    unreadable: bool = False
    """Whether there is a NumericValue that is no number."""


def read_measured_value(reading: Reading) -> MeasuredValue:
    """Return what a NUM item says; MeasuredValueSequence may be empty (Type 2)."""
    qualifier = read_code(reading, "NumericValueQualifierCodeSequence")
    measured = reading.only("MeasuredValueSequence")
    if measured is None:
        return MeasuredValue(qualifier=qualifier)
    value = first(measured, "NumericValue")
    unreadable = value is None and is_unreadable(measured, "NumericValue")
    if unreadable:
        measured.note("NumericValue", "not a number")
    return MeasuredValue(
        value,
        first(measured, "FloatingPointValue"),
        rational(measured),
        read_code(measured, "MeasurementUnitsCodeSequence"),
        qualifier,
        unreadable,
    )


def first(measured: Reading, keyword: str) -> Decimal | None:
    """Return the first number of an attribute; more of them are recorded, they have no meaning of their own here."""
    found = measured.all(keyword)
    if len(found) > 1:
        measured.note(keyword, "several values: the first is kept")
    if not found:
        return None
    return found[0] if is_text(measured.item.element(keyword)) else as_written(found[0])


def as_written(number: Decimal) -> Decimal:
    """Return the number that the file holds for a JSON number that is a double with all its digits.

    Orthanc's DICOMweb 1.7 sends 72.459999999999994 where the file says 72.46. A DS has no more than 16 digits
    and an FD is a double: the shortest decimal that is the same double is what was written.
    """
    return Decimal(repr(float(number))) if len(number.as_tuple().digits) > DIGITS else number


def is_text(element: Element) -> bool:
    """Tell whether an attribute's numbers were sent as they stand in the file, as texts."""
    return "InlineBinary" in element or any(isinstance(value, str) for value in element["Value"])


def rational(measured: Reading) -> tuple[int, int] | None:
    """Return numerator and denominator when both are there and make a number."""
    numerators = measured.wholes("RationalNumeratorValue")
    denominators = measured.wholes("RationalDenominatorValue")
    if not numerators and not denominators:
        return None
    if not numerators or not denominators or denominators[0] <= 0:
        measured.note("RationalDenominatorValue", "numerator and denominator make no number")
        return None
    return numerators[0], denominators[0]


def is_unreadable(measured: Reading, keyword: str) -> bool:
    """Tell whether an attribute holds something that is no number.

    Orthanc says so by an empty `Value`, and has none at all where the attribute is empty, as PS3.18 F.2.5 asks.
    """
    try:
        measured.item.values(keyword)
    except ValueError:
        return True
    element = measured.item.element(keyword)
    return isinstance(element, Mapping) and element.get("Value") == []
