"""Coded entries: an item of a code sequence -> FHIR R4 Coding, CodeableConcept (PS3.3 section 8)."""

import re
from collections.abc import Iterable
from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.retired_codes import successor
from mapper.fhir import systems
from mapper.maps.values.context import Context
from mapper.maps.values.distinct import unseen
from mapper.maps.values.text import as_items, as_text, each

CODE = re.compile(r"\S+( \S+)*")  # FHIR R4 datatypes.html, code
SCT_CODE = re.compile(r"[0-9]{6,18}")
VERSIONLESS = systems.SNOMED_DESIGNATORS | {"DCM"}  # DICOM fills in dates that mean nothing to FHIR

Coding = dict[str, str]
Concept = dict[str, Any]


def checked(text: str) -> str:
    """Return a text that FHIR's type code can hold; raises ValueError for any other."""
    if not CODE.fullmatch(text):
        raise ValueError("FHIR's type code cannot hold it")
    return text


def coding(cx: Context, sequence: Any) -> Coding | None:
    """Code sequence -> the one Coding that FHIR allows here: its first item."""
    items = as_items(sequence)
    if len(items) > 1:
        cx.note("several codes where FHIR allows one: the first is kept")
    return coding_of(cx, items[0]) if items else None


def codings(cx: Context, sequence: Any) -> list[Coding]:
    """Code sequence -> Codings, one an item."""
    return each(cx, as_items(sequence), lambda item: coding_of(cx, item))


def codeable_concept(cx: Context, sequence: Any) -> Concept | None:
    """Code sequence -> the one CodeableConcept that FHIR allows here: its first item and its equivalents."""
    items = as_items(sequence)
    if len(items) > 1:
        cx.note("several codes where FHIR allows one: the first is kept")
    return concept_of(cx, items[0]) if items else None


def codeable_concepts(cx: Context, sequence: Any) -> list[Concept]:
    """Code sequence -> CodeableConcepts, one an item."""
    return each(cx, as_items(sequence), lambda item: concept_of(cx, item))


def code_meaning(cx: Context, sequence: Any) -> str | None:
    """Code sequence -> string: the meaning of its first item."""
    items = as_items(sequence)
    return as_text(items[0]["CodeMeaning"]) if items else None


def concept_of(cx: Context, item: Item) -> Concept | None:
    """Return the CodeableConcept of one item; its text is the meaning only where there is no code."""
    return concept_by(cx, item, entries_of(item))


def entries_of(item: Item) -> list[Item]:
    """Return an item of a code sequence and its equivalents."""
    return [item, *as_items(item.values("EquivalentCodeSequence"))]


def concept_by(cx: Context, item: Item, entries: Iterable[Item]) -> Concept | None:
    """Return the CodeableConcept of one item by those of its entries that are to be told."""
    made = [one for entry in entries if (one := coding_of(cx, entry)) and "code" in one]
    if made:
        return {"coding": unseen(made, set())}
    meaning = as_text(item["CodeMeaning"])
    return {"text": meaning} if meaning else None


def coding_of(cx: Context, item: Item) -> Coding | None:
    """Return the Coding of one item; only a display when the code or its scheme is missing."""
    urn = as_text(item["URNCodeValue"])
    code = as_text(item["CodeValue"]) or as_text(item["LongCodeValue"])
    designator = as_text(item["CodingSchemeDesignator"])
    made: Coding = {}
    if code and not CODE.fullmatch(code):
        cx.note("a code that FHIR's type code cannot hold: the code is left out")
    elif code and designator:
        made = {"system": system_of(cx, designator), "code": code}
        if made["system"] == systems.SCT and not SCT_CODE.fullmatch(code):
            made = snomed_rt(code)
        version = as_text(item["CodingSchemeVersion"])
        if version and designator not in VERSIONLESS:
            made["version"] = version
    elif code:
        cx.note("a code without its coding scheme: the code is left out")
    elif urn and CODE.fullmatch(urn):
        made = {"system": systems.URI, "code": urn}
    if meaning := as_text(item["CodeMeaning"]):
        made["display"] = meaning
    return made or None


def snomed_rt(code: str) -> Coding:
    """SNOMED RT code -> Coding of what took its place; it is never written as if it were SNOMED CT."""
    value, designator = successor(code) or (code, "")
    return {"system": systems.DESIGNATORS.get(designator, systems.SRT), "code": value}


def system_of(cx: Context, designator: str) -> str:
    """CodingSchemeDesignator -> code system URI, by the data set's own CodingSchemeIdentificationSequence last."""
    return systems.code_system(cx.site.base, cx.site.coding_schemes, designator, registered_uid(cx, designator))


def registered_uid(cx: Context, designator: str) -> str | None:
    """Return the CodingSchemeUID that the data set gives for a designator."""
    try:
        for scheme in as_items(cx.item.values("CodingSchemeIdentificationSequence")):
            if as_text(scheme["CodingSchemeDesignator"]) == designator:
                return as_text(scheme["CodingSchemeUID"])
    except ValueError:
        cx.note("CodingSchemeIdentificationSequence is not readable: ignored")
    return None
