"""One segmentation of a study, and its segments as the rows read them (PS3.3 C.8.20.2, C.8.20.4)."""

from collections.abc import Iterator

from mapper.dicom.collector import identity
from mapper.dicom.documents import is_segmentation
from mapper.dicom.item import Item
from mapper.dicom.study import Instance, Study
from mapper.maps.parted import Parted

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


class Segment(Parted):
    """One segment, with its document and its study."""

    __slots__ = ("sop_instance_uid",)

    def __init__(self, item: Item, sop_instance_uid: str, document: Item, study: Item) -> None:
        """Take an item of SegmentSequence and the UID of the instance that it stands in."""
        super().__init__(item, OF_SEGMENT, document, study)
        self.sop_instance_uid = sop_instance_uid


class Segmentation:
    """An instance that is a segmentation; `series` is the place of its series, from 1."""

    def __init__(self, instance: Instance, series: int = 0) -> None:
        assert instance.document is not None
        self.series, self.uid, self.item = series, instance.uid, instance.document

    def segments(self, study: Study) -> Iterator[Segment]:
        """Yield the segments in their order; raises ValueError where they are not to be read."""
        for one in self.item.values("SegmentSequence"):
            yield Segment(one, self.uid, self.item, study.item)


def is_segmented(one: Instance) -> bool:
    """Tell whether an instance is a segmentation that was read."""
    return one.document is not None and is_segmentation(identity(one.item, "SOPClassUID"))
