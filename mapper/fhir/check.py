"""The check of what we are about to send: a lint of our own, then the R4B models of fhir.resources.

A stage of its own, between the mapping and the sink, on exactly what is sent.

The lint finds what the models let pass (measured: empty arrays, blank strings, control characters, times without
a zone, unknown codes); the models find what a lint would have to repeat. R4B's shapes are R4's for all we write.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import ValidationError

from mapper.dicom.characters import NONCHARACTERS
from mapper.dicom.decoding import JSON_OBJECT, SCALAR
from mapper.errors import BundleRejected
from mapper.fhir.bundle import as_entries, dump
from mapper.fhir.instances import ID, parts
from mapper.fhir.resource import Resource

DATE_TIME = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00)))?)?)?")
LOOKS_LIKE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T")
TIMES = frozenset({"started", "issued", "effectiveDateTime", "valueDateTime", "date", "lastUpdated"})
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
ABBREVIATED = {
    "DiagnosticReport": {
        "status": frozenset(
            {
                *("registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled"),
                *("entered-in-error", "unknown"),
            }
        )
    },
    "Observation": {
        "status": frozenset(
            ("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
        )
    },
}
"""Codes that the models end with a `+`: FHIR R4 diagnostic-report-status, observation-status."""


SAID = 3
"""How many faults a message names."""


class Fault(str):
    """One sentence: where the Bundle is wrong and why, without the value."""


def check(resources: Iterable[Resource]) -> None:
    """Let resources pass that may be sent as one transaction; raises BundleRejected, with the first faults."""
    if found := faults({"entry": [{"resource": one} for one in as_entries(resources)]}):
        raise BundleRejected(f"our own check refuses the result: {'; '.join(found[:SAID])}")


CODE_ALONE = re.compile(r"valueQuantity|\.relatesTo\[\d+\]$")
"""Elements whose `code` is of the type code: no Coding (FHIR R4 DocumentReference.relatesTo)."""


def faults(bundle: Mapping[str, Any], *, models: bool = True) -> list[Fault]:
    """Return what is wrong with a transaction Bundle, best first; nothing when it may be sent."""
    found = list(lint(bundle, "Bundle"))
    seen: set[str] = set()
    for entry in bundle.get("entry", ()):
        resource = entry["resource"]
        where = f"{resource['resourceType']}/{resource['id']}"
        if where in seen:
            found.append(Fault(f"{where}: twice in one Bundle"))
        seen.add(where)
        if models:
            found.extend(model_faults(resource))
    return list(dict.fromkeys(found))


def lint(value: Any, path: str) -> Iterator[Fault]:
    """Yield what no FHIR JSON may hold, wherever it stands."""
    if isinstance(value, str):
        if not value.strip():
            yield Fault(f"{path}: empty text")
        if not (value.isascii() and value.isprintable()) and (CONTROLS.search(value) or NONCHARACTERS.search(value)):
            yield Fault(f"{path}: control characters or noncharacters")
    elif value is None:
        yield Fault(f"{path}: null")
    elif isinstance(value, int):  # true and false among them
        return
    elif isinstance(value, JSON_OBJECT):
        if not value:
            yield Fault(f"{path}: empty object")
        for name, child in value.items():
            yield from lint(child, f"{path}.{name}")
            if name in ("id", "uid") and not (isinstance(child, str) and ID.fullmatch(child)):
                yield Fault(f"{path}.{name}: not an id")
            if name in TIMES and isinstance(child, str) and LOOKS_LIKE_TIME.match(child):
                yield from time_faults(child, f"{path}.{name}")
            if name == "code" and "system" not in value and not CODE_ALONE.search(path) and _is_coding(value):
                yield Fault(f"{path}.code: a code without its system")
    elif isinstance(value, list):
        if not value:
            yield Fault(f"{path}: empty array")
        for number, child in enumerate(value):
            yield from lint(child, f"{path}[{number}]")
    elif isinstance(value, Decimal) and not value.is_finite():
        yield Fault(f"{path}: not a finite number")


def _is_coding(value: Mapping[str, Any]) -> bool:
    """Tell a Coding from what only shares the name `code` (a CodeableConcept is no text)."""
    return isinstance(value.get("code"), str)


def time_faults(text: str, path: str) -> Iterator[Fault]:
    """Yield a fault when a time has no zone or is none (FHIR R4 dateTime)."""
    if not DATE_TIME.fullmatch(text):
        yield Fault(f"{path}: not a FHIR dateTime with seconds and a zone")


def model_faults(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what the R4B model of a resource refuses, codes of required bindings included."""
    kind = resource["resourceType"]
    sent = bytes_of(resource) if kind in SHARED else b""
    if sent in PASSED:
        return
    found = list(faults_of(resource, kind))
    yield from found
    if sent and not found:
        if len(PASSED) >= KEPT:
            PASSED.clear()
        PASSED.add(sent)


SHARED = frozenset({"Device", "Endpoint", "Organization", "Practitioner"})
"""Types of which one resource goes with many studies: what passed is let pass again."""
KEPT, LARGEST_KEPT = 512, 4096
"""How many resources that passed are remembered, and the bytes of the largest."""
PASSED: set[bytes] = set()


def bytes_of(resource: Mapping[str, Any]) -> bytes:
    """Return a resource as it is sent, nothing where that does not tell all of it, or it is large."""
    try:
        sent = dump(resource)
    except TypeError:  # the models say what is wrong with it
        return b""
    return b"" if len(sent) > LARGEST_KEPT or b"null" in sent else sent  # null is what NaN is sent as, too


def faults_of(resource: Mapping[str, Any], kind: str) -> Iterator[Fault]:
    """Yield what the model of a resource type refuses."""
    for part in parts(resource):
        try:
            model(kind).model_validate(plain(part))
        except ValidationError as error:
            for fault in error.errors(include_input=False, include_url=False):
                yield Fault(f"{kind}.{'.'.join(map(str, fault['loc']))}: {fault['type']}")
    yield from code_faults(resource, kind)


def code_faults(resource: Mapping[str, Any], kind: str) -> Iterator[Fault]:
    """Yield a fault for each top-level code outside a required binding: the models do not look."""
    for name, allowed in enumerations(kind).items():
        if name in resource and resource[name] not in allowed:
            yield Fault(f"{kind}.{name}: not one of the codes that FHIR allows")


@cache
def model(kind: str) -> Any:
    """Return the R4B model of a resource type; imported late, it is large."""
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(kind)


@cache
def enumerations(kind: str) -> dict[str, frozenset[str]]:
    """Return the codes that a resource's own elements allow."""
    found = {}
    for name, field in model(kind).model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and isinstance(extra.get("enum_values"), Iterable):
            found[field.alias or name] = frozenset(map(str, extra["enum_values"]))
    return found | ABBREVIATED.get(kind, {})


def plain(value: Any) -> Any:
    """Return the same content in dict and list only, as the models want it."""
    if isinstance(value, SCALAR):
        return value
    if isinstance(value, JSON_OBJECT):
        return {name: plain(child) for name, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value
