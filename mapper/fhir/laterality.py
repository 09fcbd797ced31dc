"""Laterality: L, R, B -> Coding of SNOMED CT (PS3.16 CID 244, PS3.3 C.7.3.1.1.2)."""

from collections.abc import Iterator
from typing import Any

from mapper.dicom.item import Item
from mapper.fhir import systems
from mapper.fhir.context import Context
from mapper.fhir.text import as_code, as_items, as_list

BOTH = "B"
UNPAIRED = "U"  # CID 244 has "Unilateral" for it, which says nothing a reader would look for
CODES = {"L": ("7771000", "Left"), "R": ("24028007", "Right"), BOTH: ("51440002", "Bilateral")}


def laterality(cx: Context, series: Any, images: Any = None, frames: Any = None) -> dict[str, str] | None:
    """Laterality, else ImageLaterality of all images, else SharedFunctionalGroupsSequence -> Coding.

    Left and right make both; images of which some do not say make nothing.
    """
    for sides in (as_list(series), list(of_instances(cx)) or as_list(images), list(of_frames(frames))):
        found = {as_code(side) for side in sides}
        if found - {None}:
            return coding_of(found)
    return None


def coding_of(sides: set[str | None]) -> dict[str, str] | None:
    """Return the Coding of all sides that were named; None among them is an image that does not say."""
    if sides - {*CODES, UNPAIRED, None}:
        raise ValueError("not L, R, B or U")
    named = {side for side in sides if side is not None and side in CODES}
    if named != sides:
        return None
    code, display = CODES[BOTH if len(named) > 1 else max(named)]
    return {"system": systems.SCT, "code": code, "display": display}


def of_instances(cx: Context) -> Iterator[Any]:
    """Yield ImageLaterality of every instance of the series that is being read, None where it is absent."""
    for series in cx.study.series:
        if series.item is cx.item:
            for instance in series.instances:
                yield instance.item["ImageLaterality"]


def of_frames(groups: Any) -> Iterator[Any]:
    """Yield FrameLaterality that all frames of an enhanced image share."""
    for group in as_items(groups):
        for anatomy in frame_anatomy(group):
            yield from anatomy.values("FrameLaterality")


def frame_anatomy(group: Item) -> list[Item]:
    """Return the items of FrameAnatomySequence in one item of the functional groups."""
    return as_items(group.values("FrameAnatomySequence"))
