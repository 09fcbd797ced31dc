"""Whether a server holds a resource as we would write it."""

from typing import Any

import orjson

from mapper.fhir.bundle import dump
from mapper.fhir.resource import Resource

SERVERS_OWN = ("versionId", "lastUpdated", "source")
"""What servers set in Resource.meta themselves: HAPI a source too, where we say none."""


def same(ours: Resource, theirs: Resource) -> bool:
    """Tell whether both say the same, but for what servers add."""
    return said(ours, ours) == said(theirs, ours)


def said(resource: Resource, ours: Resource) -> dict[str, Any]:
    """Return what a resource says, as JSON that compares, without what the server added to ours."""
    found: dict[str, Any] = orjson.loads(dump(dict(resource)))
    meta = {name: value for name, value in found.pop("meta", {}).items() if name not in SERVERS_OWN}
    if "text" not in ours:
        found.pop("text", None)
    return {**found, "meta": meta} if meta else found
