"""Observation <- measurements and evaluations of reports (PS3.16 TID 1500 and what it includes, TID 2000).

A Measurement Group is an Observation that has its measurements and evaluations as members. Who is the patient, when
the images were taken, which algorithm measured and where: said once in the report, it stands in every Observation.
Numbers of the image library say how images were made: they are left out. Source: HL7 DICOM SR to FHIR 1.0.0, which is
R5, brought back to FHIR R4 Observation.
"""

from collections.abc import Iterator
from typing import Any

from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.maps import engine
from mapper.maps.content import ContentRule
from mapper.maps.report import CONTEXT, NO_EVALUATION, Part, Report
from mapper.maps.rule import MUST, Made, MissingElement
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
        ContentRule("Observation.valueCodeableConcept", "ConceptCodeSequence*? TextValue?", evaluation, MUST),
        *WHERE_AND_HOW,
        IMAGES,
    ),
}
# fmt: on
RULES = tuple(dict.fromkeys(row for table in (*TABLES.values(), (EMPTY,)) for row in table))
SAID = (
    *(c.MEASUREMENT_METHOD, c.FINDING_SITE, c.NORMALITY, c.NORMAL_RANGE_LOWER, c.NORMAL_RANGE_UPPER),
    *(c.NORMAL_RANGE_TEXT, c.NORMAL_RANGE_AUTHORITY),
    *(c.ALGORITHM_NAME, c.ALGORITHM_VERSION, c.ALGORITHM_PARAMETERS, c.ALGORITHM_FAMILY),
    *(c.TRACKING_IDENTIFIER, c.TRACKING_UID, c.ACTIVITY_SESSION, c.PERSON_OBSERVER),
)
"""Children of a measurement that have an element of their own: they are no components."""
SAID_OF_GROUP = (*NO_EVALUATION, c.TRACKING_UID, c.PERSON_OBSERVER)
"""The same of a group."""
MOMENTS = ("DATE", "DATETIME", "TIME", "PNAME", "UIDREF")
"""Value types that are components of a group wherever they stand in it: as Observations they would say little."""


def observation(cx: Context, report: Report, part: Part) -> Made | None:
    """Return the Observation of one content item, None where it has no name or says nothing: that is recorded."""
    within = report.within(cx.study, part.content)
    try:
        made = engine.resource(TABLES[part.role], cx, within, "Observation")
    except MissingElement as missing:
        cx.item = within
        cx.left_out(missing)
        return None
    if found := components(cx, within, beside(part), made["code"]):
        made["component"] = found
    return said(cx, within, made) if part.role == "group" else made


def beside(part: Part) -> Iterator[ContentItem]:
    """Yield the content items that are components: what modifies a value, and of a group its second Finding too."""
    is_group = part.role == "group"
    if is_group:
        yield from part.content.having(c.FINDING.pair)[1:]
    told = tuple(one.pair for one in (SAID_OF_GROUP if is_group else SAID))
    for child in part.content.children:
        item = child if child.reference is None else child.target
        if item is None or item.means(*told):
            continue
        modifies = child.relationship in content.MODIFIES
        if (modifies and item.value_type in (*content.WORDS, "UIDREF")) or (
            is_group and child.relationship not in CONTEXT and item.value_type in MOMENTS
        ):
            yield item
