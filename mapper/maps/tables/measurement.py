"""Observation <- measurements and evaluations of reports (PS3.16 TID 1500 and what it includes, TID 2000, TID 5100,
TID 5200, TID 5220, TID 5300).

A Measurement Group is an Observation that has its measurements and evaluations as members. Who is the patient, when
the images were taken, which algorithm measured and where: said once in the report, it stands in every Observation.
Numbers of the image library say how images were made: they are left out. In an ultrasound report sections name sites,
groups say the image mode, the point of the cycle, the direction of flow: a component of each measurement. Of several
values of one measurement the selected one, else the mean counts, all with the option `repeated_measurements`; what the
report says of the patient (age, height, weight) is left out there. Source: HL7 DICOM SR to FHIR 1.0.0, which is
R5, brought back to FHIR R4 Observation.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.maps import engine
from mapper.maps.content import ContentRule
from mapper.maps.part import HOLDING, Part
from mapper.maps.report import Report
from mapper.maps.rule import MUST, Made, MissingElement, Rule
from mapper.maps.tables.algorithm import NAMED, algorithm_reference
from mapper.maps.tables.body_structure import body_site
from mapper.maps.tables.component import NUMBER, components
from mapper.maps.tables.group import EMPTY, said
from mapper.maps.tables.observation import constant
from mapper.maps.tables.reported import FRAME, IDENTITY, MADE_BY, evidence
from mapper.maps.values import concepts as c
from mapper.maps.values import content, measured_value
from mapper.maps.values.coding import codeable_concept
from mapper.maps.values.context import Context

Told = Callable[[Report, Part], Iterator[ContentItem]]


def part_at(cx: Context) -> Part:
    """Return the part of the report that is being read."""
    here = content.at(cx)
    part: Part = here.report.parts[here.content.positions]
    return part


def observation_id(cx: Context, *_: Any) -> str:
    """ObservationUID -> id, else SOPInstanceUID and the place of the item."""
    return cx.id(*part_at(cx).key)


def group_code(cx: Context, categories: list[ContentItem]) -> dict[str, Any]:
    """Finding category, else that it is a Measurement Group -> code: what the group is of."""
    return content.one_concept(cx, categories) or {"coding": [c.MEASUREMENT_GROUP.coding]}


def group_category(cx: Context, categories: list[ContentItem]) -> list[dict[str, Any]]:
    """That it is a Measurement Group -> category, where the code says something else."""
    return [{"coding": [c.MEASUREMENT_GROUP.coding]}] if content.one_concept(cx, categories[:1]) else []


def first_finding(cx: Context, findings: list[ContentItem]) -> dict[str, Any] | None:
    """The first Finding -> value; the others are components."""
    return content.full_concept(cx, findings[0]) if findings else None


def members(cx: Context) -> list[dict[str, str]]:
    """The measurements and evaluations of a group -> hasMember, in the order of the report."""
    made = content.at(cx).report.made
    ids = (cx.id(*part.key) for part in part_at(cx).members)
    return [{"reference": f"Observation/{id}"} for id in dict.fromkeys(ids) if id in made]


def inferred_from(cx: Context) -> list[dict[str, str]]:
    """What a measurement was INFERRED FROM -> derivedFrom, where that is an Observation too."""
    here = content.at(cx)
    parts = (here.report.parts.get(one.positions) for one in here.content.related("INFERRED FROM"))
    ids = (cx.id(*part.key) for part in parts if part)
    return [{"reference": f"Observation/{id}"} for id in dict.fromkeys(ids) if id in here.report.made]


def normality(cx: Context, found: list[ContentItem]) -> list[dict[str, Any]]:
    """Normality -> interpretation, in the code of the report."""
    return [made for one in found if (made := content.full_concept(cx, one))]


def normal_range(cx: Context, lower: Any, upper: Any, words: Any, authority: Any) -> list[dict[str, Any]]:
    """Normal range limits, description and authority -> referenceRange, numbers as stated."""
    made: dict[str, Any] = {}
    for name, limits in (("low", lower), ("high", upper)):
        limit = content.first(cx, limits)
        value = limit.value if limit else None
        if isinstance(value, MeasuredValue) and (found := measured_value.quantity(cx, value)):
            made[name] = found
    told = [text for one in (*words, *authority) if (text := content.meaning_of(one))]
    if told:
        made["text"] = "; ".join(told)
    return [made] if made else []


def evaluation(cx: Context, *_: Any) -> dict[str, Any] | None:
    """CODE or TEXT -> CodeableConcept, in words where there is no code."""
    return content.concept(cx, content.at(cx).content)


def category(name: str, concept: c.Concept, doc: str) -> ContentRule:
    """Return a row of a category that is the same for all of a kind."""
    return ContentRule("Observation.category", "", constant(name, [{"coding": [concept.coding]}], doc))


# fmt: off
WHERE_AND_HOW = (
    ContentRule("Observation.bodySite",             "",                          body_site, concepts=(c.FINDING_SITE, c.TRACKING_UID), reach="above"),
    ContentRule("Observation.method",               "",                          content.one_concept, concepts=(c.MEASUREMENT_METHOD,), reach="above"),
    ContentRule("Observation.device",               "",                          algorithm_reference, concepts=NAMED, reach="above"),
    MADE_BY,
)
NAME = ContentRule("Observation.code",              "ConceptNameCodeSequence*",  codeable_concept, MUST)
EVALUATED = ContentRule("Observation.valueCodeableConcept", "ConceptCodeSequence*? TextValue?", evaluation, MUST)
IMAGES = ContentRule("Observation.derivedFrom",     "CurrentRequestedProcedureEvidenceSequence*? PertinentOtherEvidenceSequence*?", evidence)
MEASURED = (
    NAME,
    ContentRule("Observation.valueQuantity",        NUMBER,                      content.quantity),
    ContentRule("Observation.dataAbsentReason",     NUMBER,                      content.absent_reason),
    ContentRule("Observation.interpretation",       "",                          normality, concepts=(c.NORMALITY,)),
    ContentRule("Observation.referenceRange",       "",                          normal_range, concepts=(c.NORMAL_RANGE_LOWER, c.NORMAL_RANGE_UPPER, c.NORMAL_RANGE_TEXT, c.NORMAL_RANGE_AUTHORITY)),
    ContentRule("Observation.derivedFrom",          "",                          inferred_from),
    IMAGES,
)
ID = ContentRule("Observation.id",                  "ObservationUID?",           observation_id, MUST)
HEAD = (ID, *IDENTITY, *FRAME)
TABLES = {
    "group": (
        *HEAD,
        ContentRule("Observation.category",         "",                          group_category, concepts=(c.FINDING_CATEGORY,)),
        ContentRule("Observation.code",             "",                          group_code, MUST, concepts=(c.FINDING_CATEGORY,)),
        ContentRule("Observation.valueCodeableConcept", "",                      first_finding, concepts=(c.FINDING,)),
        *WHERE_AND_HOW,
        ContentRule("Observation.hasMember",        "",                          members),
        IMAGES,
    ),
    "measurement": (*HEAD, *MEASURED, *WHERE_AND_HOW),
    "derived": (*HEAD, category("derived", c.DERIVED_MEASUREMENTS, "A measurement that was derived from others (PS3.16 TID 1420)."), *MEASURED, *WHERE_AND_HOW),
    "evaluation": (
        *HEAD,
        category("evaluation", c.QUALITATIVE, "An evaluation in words or codes (PS3.16 TID 1501)."),
        NAME,
        EVALUATED,
        *WHERE_AND_HOW,
        IMAGES,
    ),
}
# fmt: on
RULES = tuple(dict.fromkeys(row for table in (*TABLES.values(), (EMPTY,)) for row in table))


def observation(
    cx: Context, report: Report, part: Part, tables: Mapping[str, tuple[Rule, ...]], told: Told
) -> Made | None:
    """Return the Observation of one content item, None where it has no name or says nothing: that is recorded.

    `tables` has the rows of each role, `told` yields the content items that are components.
    """
    within = report.within(cx.study, part.content)
    try:
        made = engine.resource(tables[part.role], cx, within, "Observation")
    except MissingElement as missing:
        cx.item = within
        cx.left_out(missing)
        return None
    if found := components(cx, within, told(report, part), made["code"]):
        made["component"] = found
    return said(cx, within, made) if part.role in HOLDING else made
