"""Specimens: FHIR R4 references.html (logical), by identifier only (PS3.3 C.7.6.22)."""

from typing import Any

from mapper.maps.values.authority import issuer_system
from mapper.maps.values.context import Context
from mapper.maps.values.text import as_items, as_text


def specimens(cx: Context, descriptions: Any) -> list[dict[str, Any]]:
    """SpecimenIdentifier with its issuer of SpecimenDescriptionSequence -> References by identifier alone."""
    made = []
    for item in as_items(descriptions):
        value = as_text(item["SpecimenIdentifier"])
        if value:
            system = issuer_system(cx, item.values("IssuerOfTheSpecimenIdentifierSequence"), "specimen")
            made.append({"type": "Specimen", "identifier": {"system": system, "value": value}})
    return made
