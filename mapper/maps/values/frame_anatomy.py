"""What the frames of an enhanced image show: FrameAnatomySequence (PS3.3 C.7.6.16.2.8)."""

from typing import Any

from mapper.dicom.item import Item
from mapper.maps.values.context import Context
from mapper.maps.values.text import as_items


def of_frames(cx: Context, shared: Any, frames: Any, keyword: str) -> list[Any]:
    """SharedFunctionalGroupsSequence, else PerFrameFunctionalGroupsSequence -> values of one attribute.

    What the groups of single frames say counts only where all of them say the same.
    """
    said = [value for group in as_items(shared) for value in values_of(group, keyword)]
    if said:
        return said
    each = [values_of(group, keyword) for group in as_items(frames)]
    if not any(each):
        return []
    if len({tuple(map(comparable, one)) for one in each}) > 1:
        cx.note("frames disagree: none of them speaks for the series")
        return []
    return each[0]


def values_of(group: Item, keyword: str) -> list[Any]:
    """Return the values of one attribute in one item of the functional groups."""
    return [value for anatomy in as_items(group.values("FrameAnatomySequence")) for value in anatomy.values(keyword)]


def comparable(value: Any) -> str:
    """Return what makes a value the same as another: of a code its value and scheme, not its meaning."""
    if not isinstance(value, Item):
        return str(value).strip().upper()
    parts = ("CodeValue", "LongCodeValue", "URNCodeValue", "CodingSchemeDesignator")
    code = [str(value[part] or "") for part in parts]
    return "|".join(code) if any(code) else value.canonical()
