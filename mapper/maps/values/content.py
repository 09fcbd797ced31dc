"""Content items -> what FHIR R4 has for them: CodeableConcept, text, time, person, place (PS3.3 C.17.3, C.18)."""

from typing import Any

from mapper.dicom.sr.code import Code
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.maps.content import Within
from mapper.maps.values import measured_value
from mapper.maps.values.coding import concept_of
from mapper.maps.values.concepts import LATERALITY, Concept
from mapper.maps.values.context import Context
from mapper.maps.values.human_name import display_name
from mapper.maps.values.moments import date_in_words, time_in_words
from mapper.maps.values.text import as_text

MODIFIES = ("HAS CONCEPT MOD", "HAS PROPERTIES", "HAS ACQ CONTEXT")
"""Relationships of what qualifies a value (PS3.3 table C.17.3-8); who looked, and at whom, is another matter."""
MOMENTS = {"DATE": date_in_words, "DATETIME": date_in_words, "TIME": time_in_words}
WORDS = ("CODE", "NUM", "TEXT", "PNAME", *MOMENTS)
"""Value types that a person can read."""
LONGEST = 1 << 20
"""Characters of a string (FHIR R4 datatypes.html)."""


def at(cx: Context) -> Within:
    """Return the content item that is being read."""
    assert isinstance(cx.item, Within)
    return cx.item


def first(cx: Context, items: list[ContentItem]) -> ContentItem | None:
    """Return the one content item that FHIR allows here; of several the first, recorded."""
    if len(items) > 1:
        cx.note("several content items where FHIR allows one: the first is kept")
    return items[0] if items else None


def concept(cx: Context, item: ContentItem | None) -> dict[str, Any] | None:
    """Return the value of a CODE or TEXT item as a CodeableConcept; a CONTAINER that is a place says it by its name."""
    if item is None:
        return None
    if isinstance(item.value, Code) or item.value_type == "CONTAINER":
        codes = item.item.values("ConceptCodeSequence" if isinstance(item.value, Code) else "ConceptNameCodeSequence")
        return concept_of(cx, codes[0]) if codes else None
    words = text_of(item)
    return {"text": words} if words else None


def full_concept(cx: Context, item: ContentItem | None, told: tuple[Concept, ...] = ()) -> dict[str, Any] | None:
    """Return the same with what modifies it in its text, but for what is told elsewhere: a code has no other room."""
    made = concept(cx, item)
    if made and item and item.value_type != "CONTAINER" and (modifiers := modifiers_in_words(cx, item, told)):
        made["text"] = within_bounds(", ".join(filter(None, [meaning_of(item), *modifiers])))
    return made


def one_concept(cx: Context, *found: list[ContentItem]) -> dict[str, Any] | None:
    """The value of a CODE or TEXT item -> CodeableConcept, in words where there is no code."""
    return full_concept(cx, first(cx, found[-1]))


def text_of(item: ContentItem | None) -> str | None:
    """Return the value of a text item; raises ValueError when it is longer than a string of FHIR may be."""
    found = as_text(item.value) if item is not None and isinstance(item.value, str) else None
    return within_bounds(found) if found else found


def within_bounds(text: str) -> str:
    """Return a text; raises ValueError when it is longer than a string of FHIR may be."""
    if len(text) > LONGEST:
        raise ValueError("longer than a string of FHIR may be")
    return text


def text_of_first(items: list[ContentItem]) -> str | None:
    """Return the value of the first of several text items, None where there is none; see text_of."""
    return text_of(next(iter(items), None))


def is_code(value: Any, concept: Concept) -> bool:
    """Tell whether the value of a content item is one code, retired or not."""
    return isinstance(value, Code) and value.means(concept.pair)


def name_of(item: ContentItem) -> str | None:
    """Return the concept name as a person reads it."""
    return (item.concept.meaning or item.concept.value) if item.concept else None


def full_name_of(cx: Context, item: ContentItem) -> str | None:
    """Return the concept name with what modifies the item behind it, a side by its word alone."""
    side = item.child(LATERALITY.pair)
    words = [meaning_of(side) if side else None, *modifiers_in_words(cx, item, (LATERALITY,))]
    return within_bounds(", ".join(filter(None, [name_of(item), *words]))) or None


def modifiers_in_words(cx: Context, item: ContentItem, told: tuple[Concept, ...] = ()) -> list[str]:
    """Return what modifies an item, each with its name and what modifies it in turn; a UID is no word.

    Items by reference are not followed: they stand somewhere else in the report.
    """
    found = []
    for child in item.children:
        if (
            child.reference is not None
            or child.relationship not in MODIFIES
            or child.means(*(one.pair for one in told))
        ):
            continue
        words = in_words(cx, child) if child.value_type in WORDS else None
        if words:
            name = None if child.means(LATERALITY.pair) else full_name_of(cx, child)
            found.append(" ".join(filter(None, [name, words])))
    return found


def meaning_of(item: ContentItem) -> str | None:
    """Return the value of a CODE or TEXT item as a person reads it, of a CONTAINER its name."""
    if item.value_type == "CONTAINER":
        return name_of(item)
    return (item.value.meaning or item.value.value) if isinstance(item.value, Code) else text_of(item)


def in_words(cx: Context, item: ContentItem) -> str | None:
    """Return the value of any item that says something as a person reads it."""
    value = item.value
    if isinstance(value, MeasuredValue):
        return measured_value.in_words(value)
    if isinstance(value, dict):
        return display_name(cx, value)
    if item.value_type in MOMENTS and isinstance(value, str):
        return MOMENTS[item.value_type](value)
    return meaning_of(item)


def quantity(cx: Context, *_: object) -> dict[str, Any] | None:
    """NUM -> Quantity: the number with every digit, a code only of UCUM."""
    value = at(cx).content.value
    return measured_value.quantity(cx, value) if isinstance(value, MeasuredValue) else None


def absent_reason(cx: Context, *_: object) -> dict[str, Any] | None:
    """NUM without a number -> why, by its qualifier (PS3.16 CID 42)."""
    value = at(cx).content.value
    return measured_value.absent_reason(value) if isinstance(value, MeasuredValue) else None
