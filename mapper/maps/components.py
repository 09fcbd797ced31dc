"""What stands beside the value of a measurement or a group in a report: its components, but what has its own element."""

from collections.abc import Iterator

from mapper.dicom.sr.content_item import ContentItem
from mapper.maps import ultrasound
from mapper.maps.part import CONTEXT, NO_EVALUATION, Part
from mapper.maps.report import Report
from mapper.maps.values import concepts as c
from mapper.maps.values import content

SAID = (
    *(c.MEASUREMENT_METHOD, c.FINDING_SITE, c.NORMALITY, c.NORMAL_RANGE_LOWER, c.NORMAL_RANGE_UPPER),
    *(c.NORMAL_RANGE_TEXT, c.NORMAL_RANGE_AUTHORITY),
    *(c.ALGORITHM_NAME, c.ALGORITHM_VERSION, c.ALGORITHM_PARAMETERS, c.ALGORITHM_FAMILY),
    *(c.TRACKING_IDENTIFIER, c.TRACKING_UID, c.ACTIVITY_SESSION, c.PERSON_OBSERVER),
)
"""Children of a measurement that have an element of their own: they are no components."""
SAID_OF_GROUP = (*NO_EVALUATION, c.TRACKING_UID, c.PERSON_OBSERVER)
"""The same of a group."""
MOMENTS = ("DATE", "DATETIME", "TIME", "PNAME", "UIDREF")
"""Value types that are components of a group wherever they stand in it: as Observations they would say little."""


def components(report: Report, part: Part) -> Iterator[ContentItem]:
    """Yield the content items that are components: what modifies a value, and of a group its second Finding too."""
    is_group, is_ultrasound = part.role == "group", report.kind == "ultrasound"
    if is_group:
        yield from part.content.having(c.FINDING.pair)[1:]
    sides = ultrasound.SIDES if is_ultrasound and ultrasound.has_site(part.content, report.names) else ()
    told = tuple(one.pair for one in (*(SAID_OF_GROUP if is_group else SAID), *sides))
    for child in part.content.children:
        item = child if child.reference is None else child.target
        if item is None or item.means(*told):
            continue
        modifies = child.relationship in content.MODIFIES
        if (modifies and item.value_type in (*content.WORDS, "UIDREF")) or (
            is_group and child.relationship not in CONTEXT and item.value_type in MOMENTS
        ):
            yield item
    if is_ultrasound:
        yield from ultrasound.inherited(part.content, report.names)
