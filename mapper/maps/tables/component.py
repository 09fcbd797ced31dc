"""Observation.component <- a content item that belongs to another one (PS3.3 C.17.3.2.4)."""

from collections.abc import Iterable
from typing import Any

from mapper.dicom.sr.code import Code
from mapper.dicom.sr.content_item import ContentItem
from mapper.maps import engine
from mapper.maps.content import ContentRule, Within
from mapper.maps.rule import MUST, Made, MissingElement
from mapper.maps.tables.reported import ZONE
from mapper.maps.values import content
from mapper.maps.values.coding import codeable_concept
from mapper.maps.values.concepts import LATERALITY
from mapper.maps.values.context import Context
from mapper.maps.values.date_time import date, dt_date_time, tm_time
from mapper.maps.values.human_name import display_name
from mapper.maps.values.text import as_text
from mapper.maps.values.uid import uid_uri

NUMBER = "MeasuredValueSequence*? NumericValueQualifierCodeSequence*?"


def name(cx: Context, concept: Any, sides: list[ContentItem]) -> dict[str, Any] | None:
    """Concept name -> code; the side that the item is of, and what else modifies a number or a text, stands in its text."""
    made, item = codeable_concept(cx, concept), content.at(cx).content
    side = content.first(cx, sides)
    words = [] if isinstance(item.value, Code) else content.modifiers_in_words(cx, item, (LATERALITY,))
    told = [content.meaning_of(side) if side else None, *words]  # the value's text has room for what modifies a code
    if made and (named := content.name_of(item)) and any(told):
        made["text"] = content.within_bounds(", ".join(filter(None, [named, *told])))
    return made


def concept(cx: Context, value: Any) -> dict[str, Any] | None:
    """CODE -> CodeableConcept; what modifies it stands in its text."""
    item = content.at(cx).content
    return content.full_concept(cx, item, (LATERALITY,)) if isinstance(item.value, Code) else None


def person(cx: Context, value: Any) -> str | None:
    """PNAME -> string, as people write a name."""
    return display_name(cx, value)


def text(cx: Context, value: Any) -> str | None:
    """TEXT -> string, as it stands there."""
    words = as_text(value)
    return content.within_bounds(words) if words else None


# fmt: off
RULES = (
    #           FHIR element                                  content item                by
    ContentRule("Observation.component.code",                 "ConceptNameCodeSequence*", name, MUST, concepts=(LATERALITY,)),
    ContentRule("Observation.component.valueQuantity",        NUMBER,                     content.quantity),
    ContentRule("Observation.component.valueCodeableConcept", "ConceptCodeSequence*",     concept),
    ContentRule("Observation.component.valueString",          "TextValue",                text),
    ContentRule("Observation.component.valueString",          "PersonName",               person),
    ContentRule("Observation.component.valueString",          "UID",                      uid_uri),
    ContentRule("Observation.component.valueDateTime",        f"DateTime {ZONE}?",        dt_date_time),
    ContentRule("Observation.component.valueDateTime",        "Date",                     date),
    ContentRule("Observation.component.valueTime",            "Time",                     tm_time),
    ContentRule("Observation.component.dataAbsentReason",     NUMBER,                     content.absent_reason),
)
# fmt: on
VALUES = ("valueQuantity", "valueCodeableConcept", "valueString", "valueDateTime", "valueTime", "dataAbsentReason")
SAME_CODE = "has the code of the whole, which FHIR does not allow (obs-7): left out"


def components(cx: Context, within: Within, items: Iterable[ContentItem], code: Any = None) -> list[Made]:
    """Return a component for each content item that has a name and a value.

    None has the code of the whole: a parent's value and a component of the same code contradict (obs-7).
    """
    made = []
    for item in items:
        try:
            one = engine.apply(RULES, cx, within.at(item), "Observation.component")
        except MissingElement as missing:
            cx.left_out(missing)
            continue
        if not codes(one["code"]).isdisjoint(codes(code)):
            cx.problem(RULES[0], SAME_CODE)
        elif any(value in one for value in VALUES):
            made.append(one)
    return made


def codes(concept: Any) -> set[tuple[str, str]]:
    """Return system and code of every Coding of a CodeableConcept."""
    return {(one["system"], one["code"]) for one in (concept or {}).get("coding", ())}
