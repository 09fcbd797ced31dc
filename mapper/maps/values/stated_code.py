"""Codes whose stated meaning is another one than theirs: the words are believed, the code is not.

MONAI Label writes the code of the spleen (78961009, SCT) for every segment, with the name of the organ as its meaning.
Known meanings are those of PS3.16 annex D and of its context groups (pydicom); a code that these lack is believed.
"""

import re
from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.retired_codes import successor
from mapper.maps.values.coding import SCT_CODE, Concept, concept_of
from mapper.maps.values.context import Context
from mapper.maps.values.pydicom_codes import meanings
from mapper.maps.values.text import as_items, as_text

SAYS_NOTHING = frozenset({"a", "an", "and", "body", "entire", "of", "or", "part", "region", "structure", "the"})
"""Words that one meaning of a code has and another one lacks: Liver, Liver structure, Structure of liver."""
SIDES = frozenset({"bilateral", "both", "left", "right"})
"""Words that a segment's meaning adds to a code of the pair: Left kidney is a kidney."""
WORD = re.compile(r"[^\W_]+")


def stated_concept(cx: Context, sequence: Any) -> Concept | None:
    """Code sequence -> CodeableConcept of its first item; a code that means something else than stated is left out."""
    items = as_items(sequence)
    if len(items) > 1:
        cx.note("several codes where FHIR allows one: the first is kept")
    if not items:
        return None
    if contradicts(items[0]):
        cx.note("the code means something else than its stated meaning: the code is left out")
        return {"text": as_text(items[0]["CodeMeaning"])}
    return concept_of(cx, items[0])


def contradicts(item: Item) -> bool:
    """Tell whether the stated meaning of a code is none of those that DICOM knows of it."""
    code, scheme, stated = (as_text(item[one]) for one in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"))
    if not (code and scheme and stated):
        return False
    if scheme in ("SRT", "SNM3", "99SDM", "SCT") and not SCT_CODE.fullmatch(code):
        code, scheme = successor(code) or (code, scheme)
    elif scheme in ("SRT", "SNM3", "99SDM"):
        scheme = "SCT"
    known = meanings(scheme, code)
    return bool(known) and not any(is_said(one, stated) for one in known)


def is_said(known: str, stated: str) -> bool:
    """Tell whether two meanings are the same but for words that say nothing, a plural, and a side."""
    ours, theirs = words(known), words(stated)
    return ours == theirs or ours - SIDES == theirs - SIDES == ours


def words(meaning: str) -> frozenset[str]:
    """Return the words of a meaning that say something."""
    found = (one.casefold() for one in WORD.findall(meaning))
    return frozenset(one.removesuffix("s") for one in found if one not in SAYS_NOTHING)
