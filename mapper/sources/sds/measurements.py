"""`measurements.json`: bytes to records and back, numbers to their last digit."""

import json
from decimal import Decimal
from typing import Any

import msgspec

from mapper.nesting import too_deep
from mapper.records.measurements import Measurements, measurements

ENCODER = msgspec.json.Encoder(decimal_format="number")
DEEPEST = 64
"""Brackets that are open at one time; fhir-cda needs twelve."""
LONGEST_INT = 18
"""Digits that a whole number of 64 bits always holds."""


def parse_measurements(raw: bytes) -> Measurements:
    """Return the records of a file; raises ValueError when it is not fhir-cda's."""
    if too_deep(raw, DEEPEST):
        raise ValueError("nested too deep")
    document = json.loads(
        raw.decode("utf-8-sig"),
        parse_float=Decimal,
        parse_int=whole,
        parse_constant=refuse,
        object_pairs_hook=unique,
    )
    return measurements(document)


def dump_measurements(records: Measurements) -> bytes:
    """Return the bytes of a file, indented as fhir-cda does it."""
    return msgspec.json.format(ENCODER.encode(records.json()), indent=4)


def whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= LONGEST_INT else Decimal(digits)


def refuse(word: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raises ValueError when it has a key twice, as one of them would be lost."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found
