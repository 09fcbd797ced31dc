"""Observation <- marks of computer-aided detection (PS3.16 TID 4003, TID 4004, TID 4006, TID 4102, TID 4104, TID 4127).

Only marks that a rendering device is expected to present, and as what they are: preliminary findings of an algorithm,
with its certainty and probability as it states them. They are never a diagnosis: nothing here makes a Condition. What
was detected or analysed without a mark is not told. Source: FHIR R4 Observation.
"""

from collections.abc import Iterator

from mapper.dicom.sr.content_item import ContentItem
from mapper.maps import cad
from mapper.maps.components import SAID
from mapper.maps.content import ContentRule
from mapper.maps.part import Part
from mapper.maps.report import Report
from mapper.maps.rule import MUST, Rule
from mapper.maps.tables.measurement import (
    EVALUATED,
    ID,
    IMAGES,
    NAME,
    WHERE_AND_HOW,
    inferred_from,
    members,
)
from mapper.maps.tables.observation import constant
from mapper.maps.tables.reported import FRAME, IDENTITY
from mapper.maps.values.concepts import RENDERING_INTENT

# fmt: off
STATUS = Rule("Observation.status",                 "",                          constant("preliminary", "preliminary", "A mark of a machine that nobody has judged, whatever the flags of its document (PS3.4 O.2.2.1)."), MUST)
HEAD = (ID, *IDENTITY, *(row for row in FRAME if row.element != STATUS.element), STATUS)
TABLES = {
    "finding": (
        *HEAD,
        NAME,
        EVALUATED,
        *WHERE_AND_HOW,
        ContentRule("Observation.derivedFrom",      "",                          inferred_from),
        IMAGES,
    ),
    "impression": (
        *HEAD,
        NAME,
        *WHERE_AND_HOW,
        ContentRule("Observation.hasMember",        "",                          members),
        IMAGES,
    ),
}
# fmt: on
RULES = tuple(dict.fromkeys(row for table in TABLES.values() for row in table))
TELLING = {
    "finding": ("HAS CONCEPT MOD", "HAS PROPERTIES"),
    "impression": ("CONTAINS", "HAS CONCEPT MOD", "HAS PROPERTIES"),
}
"""Relationships of what is a component of each kind of mark: certainty, probability and whatever else it says."""


def components(report: Report, part: Part) -> Iterator[ContentItem]:
    """Yield the content items that are components: what a mark says of itself, but whether it is to be shown."""
    for child in part.content.related(*TELLING[part.role]):
        said = child.means(RENDERING_INTENT.pair, *(one.pair for one in SAID))
        if child.value_type in ("CODE", "NUM", "TEXT") and not said and not cad.kind_of(child):
            yield child
