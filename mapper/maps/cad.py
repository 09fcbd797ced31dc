"""Reports of computer-aided detection (PS3.16 TID 4000, TID 4100, TID 4120): which of their marks are shown to people.

A mark is for people only where its Rendering Intent says so, and that of every mark above it (PS3.4 O.2.2.1).
"""

from collections.abc import Iterator
from typing import Literal

from mapper.dicom.sr.code import Code
from mapper.dicom.sr.content_item import ContentItem
from mapper.maps.values import concepts as c

TITLES = (c.MAMMOGRAPHY_CAD, c.CHEST_CAD, c.COLON_CAD)
FINDINGS = (c.SINGLE_IMAGE_FINDING, c.COMPOSITE_FEATURE)


def is_cad(root: ContentItem) -> bool:
    """Tell whether a document is a report of computer-aided detection, by its title."""
    return root.means(*(one.pair for one in TITLES))


def kind_of(item: ContentItem) -> Literal["finding", "impression"] | None:
    """Return what kind of mark a content item is, presented or not; what stands outside of the summary is none."""
    if item.value_type == "CODE" and item.means(*(one.pair for one in FINDINGS)):
        kind: Literal["finding", "impression"] = "finding"
    elif item.value_type == "CONTAINER" and item.means(c.CAD_IMPRESSION.pair):
        kind = "impression"
    else:
        return None
    return kind if next(item.ancestors(c.CAD_SUMMARY.pair), None) else None


def is_presented(mark: ContentItem) -> bool:
    """Tell whether a mark and all marks above it are to be presented; one without a Rendering Intent is not."""
    marks = (one for one in (mark, *mark.ancestors()) if kind_of(one))
    return all(is_required(one) for one in marks)


def is_required(mark: ContentItem) -> bool:
    """Tell whether the Rendering Intent of a mark is Presentation Required (CID 6034)."""
    intent = mark.child(c.RENDERING_INTENT.pair)
    return intent is not None and isinstance(intent.value, Code) and intent.value.means(c.PRESENTATION_REQUIRED.pair)


def role_of(item: ContentItem) -> Literal["finding", "impression"] | None:
    """Return what kind of Observation a content item becomes, None where it becomes none."""
    kind = kind_of(item)
    return kind if kind and is_presented(item) else None


def hidden(root: ContentItem) -> Iterator[ContentItem]:
    """Yield the marks of a report that are not for people."""
    yield from (item for item in root.descendants() if kind_of(item) and not is_presented(item))
