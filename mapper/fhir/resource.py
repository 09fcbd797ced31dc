"""A FHIR resource as plain JSON, and the key that names it."""

from collections.abc import Mapping
from typing import Any

Resource = Mapping[str, Any]
Key = tuple[str, str]
"""A resource's type and id."""


def key_of(resource: Resource) -> Key:
    """Return type and id of a resource."""
    return resource["resourceType"], resource["id"]
