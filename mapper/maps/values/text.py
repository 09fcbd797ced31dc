"""Texts and whole numbers: FHIR R4 string, unsignedInt."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from mapper.dicom.characters import composed
from mapper.dicom.item import Item
from mapper.maps.values.context import Context

LARGEST = 2_147_483_647  # FHIR R4 datatypes.html: integers have 32 bits


def text(cx: Context, value: Any) -> str | None:
    """Text -> string, as it stands but for controls and padding."""
    return as_text(value)


def texts(cx: Context, values: Any) -> list[str]:
    """Texts -> strings, each once."""
    return list(dict.fromkeys(filter(None, map(as_text, as_list(values)))))


def text_concept(cx: Context, value: Any) -> dict[str, Any] | None:
    """Text -> CodeableConcept that has no code."""
    found = as_text(value)
    return {"text": found} if found else None


def text_concepts(cx: Context, values: Any) -> list[dict[str, Any]]:
    """Text or texts -> CodeableConcepts that have no code."""
    return [{"text": found} for found in texts(cx, values)]


def display_reference(cx: Context, value: Any) -> dict[str, str] | None:
    """Text -> Reference to what has a name here, but no identity."""
    found = as_text(value)
    return {"display": found} if found else None


def unsigned_int(cx: Context, value: Any) -> int | None:
    """IS, US or DS -> unsignedInt; a fraction is none."""
    return whole(value, smallest=0)


def whole(value: Any, smallest: int) -> int | None:
    """Return a whole number; raises ValueError for fractions and for what FHIR cannot hold."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise ValueError("not a number")
    number = Decimal(value)
    if not number.is_finite() or not smallest <= number <= LARGEST:  # the range first: 1E+999999 is a Decimal
        raise ValueError(f"out of the range from {smallest} to {LARGEST}")
    if number != number.to_integral_value():
        raise ValueError("not a whole number")
    return int(number)


def as_text(value: Any) -> str | None:
    """Return a text, None when it is empty; raises ValueError for anything else."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value if value.strip() else None


def as_code(value: Any) -> str | None:
    """Return a text of type CS as it is compared: stripped, in capitals."""
    found = as_text(value)
    return composed(found.strip().upper()) if found else None


def as_list(values: Any) -> list[Any]:
    """Return the values of an attribute, one or several, without the empty ones."""
    if values is None:
        return []
    return [value for value in (values if isinstance(values, list | tuple) else [values]) if value is not None]


def as_items(values: Any) -> list[Item]:
    """Return the items of a sequence; raises ValueError when they are something else."""
    items = as_list(values)
    if not all(isinstance(item, Item) for item in items):
        raise ValueError("not a sequence of items")
    return items


def each(cx: Context, values: Iterable[Any], by: Callable[[Any], Any]) -> list[Any]:
    """Return what is made of each value; one that cannot be read is recorded and left out alone."""
    made = []
    for value in values:
        try:
            one = by(value)
        except ValueError as error:
            cx.note(f"one of several is left out: {error}")
            continue
        if one:
            made.append(one)
    return made
