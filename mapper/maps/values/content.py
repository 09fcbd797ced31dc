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
from mapper.maps.values.text import as_text

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
    """Return the value of a CODE or TEXT item as a CodeableConcept."""
    if item is None:
        return None
    if isinstance(item.value, Code):
        codes = item.item.values("ConceptCodeSequence")
        return concept_of(cx, codes[0]) if codes else None
    words = text_of(item)
    return {"text": words} if words else None


def one_concept(cx: Context, *found: list[ContentItem]) -> dict[str, Any] | None:
    """The value of a CODE or TEXT item -> CodeableConcept, in words where there is no code."""
    return concept(cx, first(cx, found[-1]))


def text_of(item: ContentItem | None) -> str | None:
    """Return the value of a text item; raises ValueError when it is longer than a string of FHIR may be."""
    found = as_text(item.value) if item is not None and isinstance(item.value, str) else None
    if found and len(found) > LONGEST:
        raise ValueError("longer than a string of FHIR may be")
    return found


def text_of_first(items: list[ContentItem]) -> str | None:
    """Return the value of the first of several text items, None where there is none; see text_of."""
    return text_of(next(iter(items), None))


def is_code(value: Any, concept: Concept) -> bool:
    """Tell whether the value of a content item is one code, retired or not."""
    return isinstance(value, Code) and value.means(concept.pair)


def name_of(item: ContentItem) -> str | None:
    """Return the concept name as a person reads it."""
    return (item.concept.meaning or item.concept.value) if item.concept else None


def full_name_of(item: ContentItem) -> str | None:
    """Return the concept name with the side that the item is of behind it."""
    side = item.child(LATERALITY.pair)
    return ", ".join(filter(None, [name_of(item), meaning_of(side) if side else None])) or None


def meaning_of(item: ContentItem) -> str | None:
    """Return the value of a CODE or TEXT item as a person reads it."""
    return (item.value.meaning or item.value.value) if isinstance(item.value, Code) else text_of(item)


def in_words(cx: Context, item: ContentItem) -> str | None:
    """Return the value of any item that says something as a person reads it."""
    value = item.value
    if isinstance(value, MeasuredValue):
        return measured_value.in_words(value)
    if isinstance(value, dict):
        return display_name(cx, value)
    return meaning_of(item)


def quantity(cx: Context, *_: object) -> dict[str, Any] | None:
    """NUM -> Quantity: the number with every digit, a code only of UCUM."""
    value = at(cx).content.value
    return measured_value.quantity(cx, value) if isinstance(value, MeasuredValue) else None


def absent_reason(cx: Context, *_: object) -> dict[str, Any] | None:
    """NUM without a number -> why, by its qualifier (PS3.16 CID 42)."""
    value = at(cx).content.value
    return measured_value.absent_reason(value) if isinstance(value, MeasuredValue) else None
