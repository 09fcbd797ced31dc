"""Elements of a resource that a server holds, read whatever shape others gave them."""

from collections.abc import Iterator, Mapping
from typing import Any


def elements(value: Any, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of an element, whether it is a list or not."""
    found = value.get(name) if isinstance(value, Mapping) else None
    yield from (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping))


def identifiers(resource: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the identifiers that have a system and a value."""
    for one in elements(resource, "identifier"):
        if text(one.get("system")) and text(one.get("value")):
            yield one


def codes(concept: Any) -> list[tuple[Any, Any]]:
    """Return system and code of each Coding of a CodeableConcept."""
    return [(one.get("system"), one.get("code")) for one in elements(concept, "coding") if text(one.get("code"))]


def text(value: Any) -> str | None:
    """Return a text, None for anything else."""
    return value if isinstance(value, str) and value else None
