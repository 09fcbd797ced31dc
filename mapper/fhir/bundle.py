"""The transaction Bundle of one study: every resource once, PUT under its own id, byte-stable."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from mapper.fhir.resource import Resource

TYPES = (
    "Patient",
    "Practitioner",
    "Organization",
    "Endpoint",
    "Device",
    "ServiceRequest",
    "BodyStructure",
    "Group",
    "ResearchStudy",
    "ResearchSubject",
    "ImagingStudy",
    "Observation",
    "DiagnosticReport",
    "DocumentReference",
)
"""The order of entries: what is referred to stands before what refers; inside a type by id."""
NONE_YET = "0"
"""A version that no resource has: HAPI looks at `ifMatch` only where there is one, and ignores `ifNoneMatch` on PUT."""

R = TypeVar("R", bound=Resource)


def as_entries(resources: Iterable[R]) -> list[R]:
    """Return resources in the order of the Bundle."""
    return sorted(resources, key=lambda one: (order_of(one["resourceType"]), one["id"]))


def order_of(kind: str) -> tuple[int, str]:
    """Return what sorts types: those that we make in their order, then all others."""
    return TYPES.index(kind) if kind in TYPES else len(TYPES), kind


def transaction(
    resources: Iterable[Resource], fhir_base: str, expected: Mapping[tuple[str, str], str] | None = None
) -> dict[str, Any]:
    """Return a FHIR R4 transaction Bundle; `fhir_base` makes the absolute fullUrls.

    `expected` are versions, by type and id, that the server must hold still (`ifMatch`); empty: none yet.
    """
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [entry(resource, fhir_base, expected or {}) for resource in as_entries(resources)],
    }


def entry(resource: Resource, fhir_base: str, expected: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Return one entry: PUT of a resource under its own id."""
    key = (resource["resourceType"], resource["id"])
    request = {"method": "PUT", "url": "/".join(key)}
    if key in expected:
        request["ifMatch"] = f'W/"{expected[key] or NONE_YET}"'
    return {"fullUrl": f"{fhir_base}/{'/'.join(key)}", "resource": resource, "request": request}


def dump(value: Any) -> bytes:
    """Return JSON bytes, the same for the same value; Decimal keeps its digits."""
    return orjson.dumps(value, default=_number)


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value).encode())
    raise TypeError(type(value).__name__)
