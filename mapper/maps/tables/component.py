"""Observation.component <- a content item that belongs to another one (PS3.3 C.17.3.2.4)."""

from collections.abc import Iterable
from typing import Any

from mapper.dicom.sr.content_item import ContentItem
from mapper.maps import engine
from mapper.maps.content import ContentRule, Within
from mapper.maps.rule import MUST, Made, MissingElement
from mapper.maps.values import content
from mapper.maps.values.coding import codeable_concept
from mapper.maps.values.concepts import LATERALITY
from mapper.maps.values.context import Context

NUMBER = "MeasuredValueSequence*? NumericValueQualifierCodeSequence*?"


def name(cx: Context, concept: Any, sides: list[ContentItem]) -> dict[str, Any] | None:
    """Concept name -> code; the side that a dose is of stands in its text."""
    made = codeable_concept(cx, concept)
    if made and content.first(cx, sides) and (words := content.full_name_of(content.at(cx).content)):
        made["text"] = words
    return made


def text(cx: Context, value: Any) -> str | None:
    """TEXT -> string, as it stands there."""
    return content.text_of(content.at(cx).content)


# fmt: off
RULES = (
    #           FHIR element                                  content item                by
    ContentRule("Observation.component.code",                 "ConceptNameCodeSequence*", name, MUST, concepts=(LATERALITY,)),
    ContentRule("Observation.component.valueQuantity",        NUMBER,                     content.quantity),
    ContentRule("Observation.component.valueCodeableConcept", "ConceptCodeSequence*",     codeable_concept),
    ContentRule("Observation.component.valueString",          "TextValue",                text),
    ContentRule("Observation.component.dataAbsentReason",     NUMBER,                     content.absent_reason),
)
# fmt: on
VALUES = ("valueQuantity", "valueCodeableConcept", "valueString", "dataAbsentReason")
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
