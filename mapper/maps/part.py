"""The content items of a document that become Observations, and what each of them becomes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.reading import Positions
from mapper.maps.derived_keys import Key
from mapper.maps.values import concepts as c
from mapper.maps.values.concepts import Concept

Role = Literal["group", "measurement", "derived", "evaluation", "finding", "impression"]
CONTEXT = frozenset({"HAS OBS CONTEXT", "HAS ACQ CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES", "SELECTED FROM"})
"""Relationships of what only says how something was found."""
HOLDING = ("group", "impression")
"""Roles of what has members."""
NO_EVALUATION = (
    *(c.TRACKING_IDENTIFIER, c.FINDING, c.REGION_PURPOSE, c.ACTIVITY_SESSION, c.FINDING_CATEGORY, c.FINDING_SITE),
    *(c.MEASUREMENT_METHOD, c.ALGORITHM_NAME, c.ALGORITHM_VERSION, c.ALGORITHM_PARAMETERS, c.ALGORITHM_FAMILY),
)
"""Children of a group that say something of the group: they make no Observation of their own."""


@dataclass(frozen=True, slots=True)
class Part:
    """A content item that becomes an Observation."""

    role: Role
    content: ContentItem
    key: Key
    members: list["Part"] = field(default_factory=list)
    """What a group holds, in the order of the document."""


def outside(root: ContentItem, *left_out: Concept) -> Iterator[ContentItem]:
    """Yield all items by value in the order of the document, without what is below items of some concept names."""
    waiting = [root]
    while waiting:
        found = waiting.pop()
        if found.reference is None and not found.means(*(one.pair for one in left_out)):
            yield found
            waiting.extend(reversed(found.children))


def role_of(item: ContentItem, places: frozenset[Positions] = frozenset()) -> Role | None:
    """Return what kind of Observation a content item becomes, None where it becomes none; at `places` stand groups."""
    above = item.parent
    if item.value_type == "CONTAINER":
        return "group" if is_group(item, places) else None
    if above is None or item.relationship in CONTEXT:
        return None
    if item.value_type == "NUM":
        if above.value_type == "CONTAINER":
            return "derived" if above.means(c.DERIVED_MEASUREMENTS.pair) else "measurement"
        return "measurement" if above.value_type == "NUM" and item.relationship == "INFERRED FROM" else None
    if item.value_type in ("CODE", "TEXT") and is_group(above, places):
        return None if item.means(*(one.pair for one in NO_EVALUATION)) else "evaluation"
    return None


def is_group(item: ContentItem, places: frozenset[Positions]) -> bool:
    """Tell whether an item holds measurements of one thing, by its concept name or its place."""
    return item.means(c.MEASUREMENT_GROUP.pair) or item.positions in places
