"""Codes whose stated meaning is another one than theirs: the words are believed, the code is not.

MONAI Label writes the code of the spleen (78961009, SCT) for every segment, with the name of the organ as its meaning.
Known meanings are those of PS3.16: annex D, annex L, its context groups (pydicom), and those of the lists that common
writers take their codes from (also_meant.csv names them); a code that all of these lack is believed.
"""

import csv
import re
from functools import cache
from importlib.resources import files
from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.sr.retired import RT_DESIGNATORS, current
from mapper.maps.values.coding import Concept, concept_by, entries_of
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
    entries = entries_of(items[0])
    believed = [one for one in entries if not contradicts(one)]
    if len(believed) < len(entries):
        cx.note("the code means something else than its stated meaning, or that is not known: the code is left out")
    return concept_by(cx, items[0], believed)


def contradicts(item: Item) -> bool:
    """Tell whether the stated meaning of a code is none of those that DICOM knows of it."""
    code = as_text(item["CodeValue"]) or as_text(item["LongCodeValue"])
    scheme, stated = as_text(item["CodingSchemeDesignator"]), as_text(item["CodeMeaning"])
    if not (code and scheme and stated):
        return False
    is_numeric = scheme in RT_DESIGNATORS and code.isascii() and code.isdigit()  # SNOMED CT under the old name
    code, scheme = (code, "SCT") if is_numeric else current(code, scheme)
    known = meanings(scheme, code)
    told = also_meant().get(code, []) if scheme == "SCT" else []
    return bool(known) and not any(is_said(one, stated) for one in (*known, *told))


@cache
def also_meant() -> dict[str, list[str]]:
    """Return what codes of SNOMED CT mean beside what DICOM's context groups say: in annex L, and in well-known lists."""
    found: dict[str, list[str]] = {}
    for table, meaning in (("also_meant.csv", "meaning"), ("body_parts.csv", "display")):
        text = files("mapper.maps.values").joinpath(table).read_text(encoding="utf-8")
        for row in csv.DictReader(text.splitlines()):
            found.setdefault(row["code"], []).append(row[meaning])
    return found


def is_said(known: str, stated: str) -> bool:
    """Tell whether two meanings are the same but for words that say nothing, a plural, and a side."""
    ours, theirs = words(known), words(stated)
    return ours == theirs or ours - SIDES == theirs - SIDES == ours


def words(meaning: str) -> frozenset[str]:
    """Return the words of a meaning that say something."""
    found = (one.casefold() for one in WORD.findall(meaning))
    return frozenset(singular(one) for one in found if one not in SAYS_NOTHING)


def singular(word: str) -> str:
    """Return an English word without its plural, in the spelling of DICOM."""
    british = word.replace("oe", "e").replace("aemorr", "emorr").replace("umour", "umor")
    return british.removesuffix("ies") + "y" if british.endswith("ies") else british.removesuffix("s")
