"""What PS3.6 says of an attribute, by its keyword."""

from functools import cache
from typing import NamedTuple

from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword


class Attribute(NamedTuple):
    """One row of PS3.6's table of data elements."""

    tag: str
    """As DICOM JSON writes it, `0020000D`."""
    vr: str
    """The value representation, the first where PS3.6 lists several."""
    is_single: bool
    """Whether PS3.6 allows one value only."""


@cache
def attribute(keyword: str) -> Attribute:
    """Return what PS3.6 says of a keyword; raises KeyError when it has no such keyword."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return Attribute(f"{tag:08X}", dictionary_VR(tag).split(" or ")[0], dictionary_VM(tag) == "1")
