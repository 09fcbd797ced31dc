"""JSON of an answer -> objects: only of the shape that is expected, and only where it does not nest too deep."""

from typing import TypeVar

import msgspec

from mapper.http.no_answer import TooMuch, Unreadable
from mapper.nesting import too_deep

DEEPEST = 100
"""Brackets inside brackets: neither Orthanc's REST API nor FHIR comes near it."""
T = TypeVar("T")


def decoded(body: bytes, kind: type[T]) -> T:
    """Return a JSON text as what it should be (msgspec checks it); raises TooMuch or Unreadable."""
    if too_deep(body, DEEPEST):
        raise TooMuch(f"nests deeper than {DEEPEST}")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unreadable("is not the JSON that it should be") from None
