"""How FHIR says that a study left the PACS: by status, and without an endpoint; never by a FHIR DELETE."""

from typing import Any

RETRACTED_STATUS = {"DocumentReference": "entered-in-error"}
"""Types whose status has no `unknown` in R4."""


def retracted(resource: dict[str, Any], policy: str) -> dict[str, Any] | None:
    """Return a resource that says that its study is gone, or None when it says so already."""
    kind = resource["resourceType"]
    changed = {name: value for name, value in resource.items() if name != "endpoint"}
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
    unknown = RETRACTED_STATUS.get(kind, "unknown")
    changed["status"] = "entered-in-error" if policy == "entered-in-error" else unknown
    if changed == resource:
        return None
    if meta:
        changed["meta"] = meta
    else:
        changed.pop("meta", None)
    return changed
