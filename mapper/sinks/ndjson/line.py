"""One line of a file of NDJSON: a resource in JSON, or why it is none."""

from decimal import Decimal
from typing import Any

import msgspec

from mapper.fhir.bundle import dump
from mapper.fhir.instances import ID
from mapper.nesting import too_deep

DEEPEST = 100
"""Brackets inside brackets: FHIR does not come near it."""
DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def resource_of(text: bytes, kind: str) -> dict[str, Any]:
    """Return what a line says, every number with its digits; raises ValueError where it is no resource of a type."""
    if too_deep(text, DEEPEST):
        raise ValueError("it nests too deep")
    resource = DECODER.decode(text)
    id = resource.get("id")
    if resource.get("resourceType") != kind or not isinstance(id, str) or not ID.fullmatch(id):
        raise ValueError("type or id (FHIR R4 datatypes.html#id) are not as they should be")
    return resource


def sendable(text: bytes, kind: str) -> dict[str, Any]:
    """Return what a line of somebody else says; raises ValueError where it cannot be written as JSON again."""
    resource = resource_of(text, kind)
    try:
        dump(resource)
    except TypeError:
        raise ValueError("a number has more digits than any of FHIR") from None
    return resource
