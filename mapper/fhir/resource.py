"""A FHIR resource as plain JSON, and the key that names it."""

from collections.abc import Mapping
from typing import Any

Resource = Mapping[str, Any]
Key = tuple[str, str]
"""A resource's type and id."""


def key_of(resource: Resource) -> Key:
    """Return type and id of a resource."""
    return resource["resourceType"], resource["id"]


def key_in(url: str) -> Key:
    """Return the key of a literal reference."""
    kind, _, id = url.partition("/")
    return kind, id
