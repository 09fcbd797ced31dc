"""What the documents of a study become: measurements, marks, doses, text reports, encapsulated documents.

They belong to the study whose series holds them. What several documents repeat under one UID the newest says.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from mapper.errors import Problem
from mapper.maps import cad, ultrasound
from mapper.maps.components import components
from mapper.maps.content import Within
from mapper.maps.doses import of_dose, standing
from mapper.maps.newest import newest_first
from mapper.maps.part import Part
from mapper.maps.report import Report
from mapper.maps.rule import Made, MissingElement
from mapper.maps.segmentation import is_segmented
from mapper.maps.silence import STUDY, Silences
from mapper.maps.silence import of_documents as place_of
from mapper.maps.tables import algorithm, key_objects, measurement, verifier
from mapper.maps.tables import cad as mark
from mapper.maps.tables.body_structure import body_structure, holder_of
from mapper.maps.tables.diagnostic_report import diagnostic_report
from mapper.maps.tables.document_reference import document_reference
from mapper.maps.values.concepts import ALGORITHM_NAME
from mapper.maps.values.context import Context

MOST_OBSERVATIONS = 5_000
"""Observations of one report; what comes behind them is recorded and left out."""
TOO_MANY = Problem(
    "Observation", "ContentSequence", f"more than {MOST_OBSERVATIONS} in one report: the others are left out"
)
REPEATED = Problem("Observation", "ObservationUID", "in several documents: the newest one speaks")
UNTITLED = Problem(
    "Observation", "ConceptNameCodeSequence", "a dose report whose title is none of a dose report: it makes nothing"
)
TWICE = Problem("Observation", "ObservationUID", "several times in one report: the first item has it")


def of_documents(cx: Context) -> Iterator[Made]:
    """Yield what the documents of a study make, the newest document first."""
    numbered = [(number, one) for number, series in enumerate(cx.study.series, 1) for one in series.instances]
    found = (Report(one, number) for number, one in numbered if one.document is not None and not is_segmented(one))
    reports = newest_first(cx, found)
    for report in reports:
        for problem in report.tree.problems:
            cx.record(problem)
    said: set[str] = set()
    for report in reports:
        cx.place = place_of(report.series)
        for one in of_report(cx, report):
            if one["resourceType"] == "Observation" and one["id"] in said:
                cx.record(REPEATED)
            else:
                yield one
                said.add(one["id"])
    for report in standing(cx, reports):
        cx.place = place_of(report.series)
        for one in of_dose(cx, report):
            if one["resourceType"] != "Observation" or one["id"] not in said:  # an event is told once, by the newest
                yield one
                said.add(one["id"])
    cx.place = STUDY


def of_report(cx: Context, report: Report) -> Iterator[Made]:
    """Yield what a measurement report, a text report, an encapsulated document or a selection of key objects makes."""
    if report.kind in ("document", "key objects"):
        if made := reference_of(cx, report):
            yield made
        return
    if report.kind == "other":
        cx.record(UNTITLED)
    yield from observations(cx, report)
    if report.kind in ("text", "ultrasound"):
        yield diagnostic_report(cx, report)
        yield from verifier.verifiers(cx, report.item)


def reference_of(cx: Context, report: Report) -> Made | None:
    """Return the DocumentReference of an encapsulated document; of key objects where a site wants it."""
    if report.kind == "document":
        return document_reference(cx, report)
    if key_objects.OPTION in cx.site.options:
        return key_objects.key_objects(cx, report)
    cx.silent(key_objects.RULES[0], f"option {key_objects.OPTION} is off")
    return None


def observations(cx: Context, report: Report) -> Iterator[Made]:
    """Yield the Observations of a report, and what they refer to beside the study."""
    parts = counting(cx, report)
    if len(parts) > MOST_OBSERVATIONS:
        cx.record(TOO_MANY)
        parts = parts[:MOST_OBSERVATIONS]
    if any(part.content.observation_uid and part.key[1] != "uid" for part in parts):
        cx.record(TWICE)
    yield from made_of(cx, report, parts)
    items = [report.within(cx.study, part.content) for part in parts]
    for item in holders(items, (ALGORITHM_NAME.pair,)):
        with suppress(MissingElement):
            yield algorithm.algorithm(cx, item)
    for item in {place.content.positions: place for one in items if (place := holder_of(one))}.values():
        if structure := body_structure(cx, item):
            yield structure


def counting(cx: Context, report: Report) -> list[Part]:
    """Return the parts of a report that count, the others told as silent: values not chosen, marks not for people."""
    parts = list(report.parts.values())
    if report.kind == "cad":
        for _ in cad.hidden(report.tree.root):
            cx.silent(mark.RULES[0], "its Rendering Intent, or that of a mark above it, is not Presentation Required")
    if report.kind != "ultrasound" or ultrasound.OPTION in cx.site.options:
        return parts
    over = ultrasound.passed_over(part.content for part in parts)
    for _ in over:
        cx.silent(measurement.RULES[0], f"another value was chosen, and option {ultrasound.OPTION} is off")
    return [part for part in parts if part.content.positions not in over]


def made_of(cx: Context, report: Report, parts: Sequence[Part]) -> list[Made]:
    """Return the Observations that can be made of parts: what cannot is no member of anything either."""
    rows = (mark.TABLES, mark.components) if report.kind == "cad" else (measurement.TABLES, components)
    report.made = {cx.id(*part.key) for part in parts}
    silences = cx.silences
    while True:
        cx.silences = None if silences is None else Silences()
        made = [one for part in parts if (one := measurement.observation(cx, report, part, *rows))]
        if report.made == {one["id"] for one in made}:
            break
        report.made = {one["id"] for one in made}
    if silences is not None and cx.silences is not None:
        silences.take(cx.silences)
    cx.silences = silences
    return made


def holders(items: Sequence[Within], concepts: tuple[tuple[str, str], ...]) -> list[Within]:
    """Return the items that have what these look for above themselves, each once."""
    found = (one.report.names.holder(one.content, concepts) for one in items)
    return [items[0].at(one) for one in dict.fromkeys(filter(None, found))]
