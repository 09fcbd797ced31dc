"""What PS3.6 says of an attribute by its keyword, and of a SOP class by its own.

attributes.csv and sop_classes.csv hold what the mapper names, printed from pydicom's dictionaries (`make docs`): these
take 40 MB and half a second, so they are asked only for what somebody else names.
"""

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple


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
    tag, vr, vm = named().get(keyword) or known(keyword)
    return Attribute(tag, vr.split(" or ")[0], vm == "1")


@cache
def named() -> dict[str, tuple[str, str, str]]:
    """Return tag, VR and VM of the keywords that the mapper names."""
    return {row["keyword"]: (row["tag"], row["vr"], row["vm"]) for row in rows("attributes.csv")}


def known(keyword: str) -> tuple[str, str, str]:
    """Return tag, VR and VM of a keyword as pydicom has them; raises KeyError when it has no such keyword."""
    from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return f"{tag:08X}", dictionary_VR(tag), dictionary_VM(tag)


@cache
def named_classes() -> dict[str, str]:
    """Return the UIDs of the SOP classes that the mapper names, by keyword."""
    return {row["keyword"]: row["uid"] for row in rows("sop_classes.csv")}


def sop_classes(*keywords: str) -> frozenset[str]:
    """Return the UIDs of SOP classes; raises KeyError when PS3.6 has no such keyword."""
    return frozenset(named_classes().get(keyword) or known_class(keyword) for keyword in keywords)


def known_class(keyword: str) -> str:
    """Return the UID of a SOP class as pydicom has it; raises KeyError when it has no such keyword."""
    from pydicom import uid

    return str(vars(uid)[keyword])


def rows(table: str) -> list[dict[str, str]]:
    """Return the rows of one of the tables beside this module."""
    return list(csv.DictReader(files("mapper.dicom").joinpath(table).read_text(encoding="utf-8").splitlines()))
