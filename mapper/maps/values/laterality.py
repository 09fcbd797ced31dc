"""Laterality: L, R, B -> Coding of SNOMED CT (PS3.16 CID 244, PS3.3 C.7.3.1.1.2)."""

from collections.abc import Iterator
from typing import Any

from mapper.fhir import systems
from mapper.maps.values.context import Context
from mapper.maps.values.frame_anatomy import of_frames
from mapper.maps.values.text import as_code, as_list

BOTH = "B"
UNPAIRED = "U"  # CID 244 has "Unilateral" for it, which says nothing a reader would look for
CODES = {"L": ("7771000", "Left"), "R": ("24028007", "Right"), BOTH: ("51440002", "Bilateral")}


def laterality(
    cx: Context, series: Any, images: Any = None, shared: Any = None, frames: Any = None
) -> dict[str, str] | None:
    """Laterality, else ImageLaterality of all images, else FrameLaterality -> Coding: left, right or both.

    Left and right make both; images of which some do not say make nothing, frames that disagree neither. What was
    handed over with the series counts where its header is silent.
    """
    for sides in (as_list(series), list(of_instances(cx)) or as_list(images)):
        found = {as_code(side) for side in sides}
        if found - {None}:
            return coding_of(found)
    found = {as_code(side) for side in of_frames(cx, shared, frames, "FrameLaterality")}
    if found - {None}:
        return coding_of(found)
    return coding_of(set(cx.series.sides)) if cx.series and cx.series.sides else None


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
