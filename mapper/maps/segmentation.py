"""One segmentation of a study, and its segments as the rows read them (PS3.3 C.8.20.2, C.8.20.4)."""

from collections.abc import Iterable
from typing import Any

from mapper.dicom.collector import identity
from mapper.dicom.documents import is_segmentation
from mapper.dicom.item import Item
from mapper.dicom.sr.reading import Problems, Reading
from mapper.dicom.study import Instance, Study
from mapper.errors import Problem
from mapper.maps.part_item import PartItem

ELEMENT = "BodyStructure"
"""What problems of the sequence of segments are problems of."""
SEGMENTS = ("SegmentSequence",)
"""What must be read of a segmentation beside what rows name."""
OF_SEGMENT = frozenset(
    {
        "AnatomicRegionSequence",
        "SegmentDescription",
        "SegmentLabel",
        "SegmentNumber",
        "SegmentedPropertyCategoryCodeSequence",
        "SegmentedPropertyTypeCodeSequence",
        "TrackingID",
        "TrackingUID",
    }
)
"""Attributes of the segment itself; the region that a whole image is of stands in the image too."""


class Segment(PartItem):
    """One segment, with its document and its study."""

    __slots__ = ("_shared", "sop_instance_uid")

    def __init__(self, item: Item, sop_instance_uid: str, document: Item, study: Item, shared: dict[int, Any]) -> None:
        """Take an item of SegmentSequence, the UID of the instance that it stands in, and what all of these share."""
        super().__init__(item, OF_SEGMENT, document, study)
        self.sop_instance_uid, self._shared = sop_instance_uid, shared

    def kept(self, keywords: Iterable[str]) -> dict[int, Any] | None:
        """Return what rows made that read nothing of the segment: the same for all segments of an instance."""
        return self._shared if OF_SEGMENT.isdisjoint(keywords) else None


class Segmentation:
    """An instance that is a segmentation; `series` is the place of its series, from 1."""

    def __init__(self, instance: Instance, series: int = 0) -> None:
        assert instance.document is not None
        self.series, self.uid, self.item = series, instance.uid, instance.document

    def segments(self, study: Study) -> tuple[list[Segment], tuple[Problem, ...]]:
        """Return the segments in their order, and what of the sequence cannot be read."""
        problems, shared = Problems(ELEMENT), dict[int, Any]()
        found = Reading(self.item, (), "", problems).items("SegmentSequence")
        return [Segment(one.item, self.uid, self.item, study.item, shared) for one in found], problems.all()


def is_segmented(one: Instance) -> bool:
    """Tell whether an instance is a segmentation that was read."""
    return one.document is not None and is_segmentation(identity(one.item, "SOPClassUID"))
