"""What the documents of a study become: measurements, doses, text reports, encapsulated documents.

They belong to the study whose series holds them. What several documents repeat under one UID the newest says.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from mapper.errors import Problem
from mapper.maps.content import Within
from mapper.maps.report import ACCUMULATED, Part, Report
from mapper.maps.rule import Made, MissingElement
from mapper.maps.silence import STUDY, Silences
from mapper.maps.silence import of_documents as place_of
from mapper.maps.tables import algorithm, authorizer, dose, irradiation_event, verifier
from mapper.maps.tables.body_structure import body_structure, holder_of
from mapper.maps.tables.diagnostic_report import diagnostic_report
from mapper.maps.tables.document_reference import document_reference
from mapper.maps.tables.measurement import observation
from mapper.maps.values.concepts import ALGORITHM_NAME, PERSON_NAME
from mapper.maps.values.context import Context, beside
from mapper.maps.values.date_time import instant

LARGEST = 5_000
"""Observations of one report; what comes behind them is recorded and left out."""
TOO_MANY = Problem("Observation", "ContentSequence", f"more than {LARGEST} in one report: the others are left out")
REPEATED = Problem("Observation", "ObservationUID", "in several documents: the newest one speaks")
OVERLAPPING = Problem(
    "Observation", "ContentSequence", "dose reports share some irradiation events and not all: each has its summary"
)
UNFINISHED = Problem(
    "Observation", "CompletionFlag", "an unfinished dose report has all events of a finished one: it replaces it"
)
WITHOUT_TOTALS = Problem(
    "Observation", "ContentSequence", "a dose report without totals has all events of one with totals: these stay"
)
UNTITLED = Problem(
    "Observation", "ConceptNameCodeSequence", "a dose report whose title is none of a dose report: it makes nothing"
)
TWICE = Problem("Observation", "ObservationUID", "several times in one report: the first item has it")
EVENT_TWICE = Problem("Observation", "UID", "an irradiation event twice in one report: the first one speaks")


def of_documents(cx: Context) -> Iterator[Made]:
    """Yield what the documents of a study make, the newest document first."""
    numbered = [(number, one) for number, series in enumerate(cx.study.series, 1) for one in series.instances]
    found = (Report(one, number) for number, one in numbered if one.document is not None)
    reports = sorted(found, key=lambda one: written(cx, one), reverse=True)
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


def written(cx: Context, report: Report) -> tuple[datetime, str]:
    """Return a sort key: the newest document is last, of two of one moment the one with the larger UID."""
    cx.rule, cx.item = None, report.item
    da, tm, offset = (beside(cx, one) for one in ("ContentDate", "ContentTime", "TimezoneOffsetFromUTC"))
    return instant(cx, da, tm, offset), report.uid


def of_report(cx: Context, report: Report) -> Iterator[Made]:
    """Yield what a measurement report, a text report or an encapsulated document makes."""
    if report.kind == "document":
        if made := document_reference(cx, report):
            yield made
        return
    if report.kind == "other":
        cx.record(UNTITLED)
    yield from observations(cx, report)
    if report.kind == "text":
        yield diagnostic_report(cx, report)
        yield from verifier.verifiers(cx, report.item)


def observations(cx: Context, report: Report) -> Iterator[Made]:
    """Yield the Observations of a report, and what they refer to beside the study."""
    parts = list(report.parts.values())
    if len(parts) > LARGEST:
        cx.record(TOO_MANY)
        parts = parts[:LARGEST]
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


def made_of(cx: Context, report: Report, parts: Sequence[Part]) -> list[Made]:
    """Return the Observations that can be made of parts: what cannot is no member of anything either."""
    report.made = {cx.id(*part.key) for part in parts}
    silences = cx.silences
    while True:
        cx.silences = None if silences is None else Silences()
        made = [one for part in parts if (one := observation(cx, report, part))]
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


def of_dose(cx: Context, report: Report) -> Iterator[Made]:
    """Yield the summaries of a dose report, its events where a site wants them, and who authorised them."""
    for container in report.accumulated:
        yield dose.summary(cx, report, container)
    if irradiation_event.OPTION not in cx.site.options:
        cx.silent(irradiation_event.RULES[0], f"option {irradiation_event.OPTION} is off")
    else:
        told: set[str] = set()
        for container in irradiation_event.events(report):
            if made := irradiation_event.event(cx, report, container):
                if made["id"] in told:
                    cx.record(EVENT_TWICE)
                told.add(made["id"])
                yield made
    for person in authorizer.authorizers(list(report.tree.root.descendants(PERSON_NAME.pair))):
        with suppress(MissingElement):
            yield authorizer.authorizer(cx, report.within(cx.study, person))


def standing(cx: Context, reports: Sequence[Report]) -> list[Report]:
    """Return the dose reports that count, the newest first: one whose events another one has all is replaced by it.

    What has no totals replaces none. Two that share some events and not all both stay: which of them is right is not
    ours to know, so that is recorded.
    """
    doses = [(one, dose.event_uids(one)) for one in reports if one.kind in ACCUMULATED]
    kept: list[Report] = []
    for number, (one, events) in enumerate(doses):
        alike = [(other, theirs) for other, theirs in doses if other is not one and other.kind == one.kind]
        others = [(other, theirs) for other, theirs in alike if other.accumulated or not one.accumulated]
        if one.accumulated and any(events and events <= theirs and not other.accumulated for other, theirs in alike):
            cx.record(WITHOUT_TOTALS)
        newer = [other for other, _ in doses[:number]]
        replaced_by = [
            other for other, theirs in others if events and (events < theirs or (events == theirs and other in newer))
        ]
        if replaced_by:
            if not dose.unfinished(one) and all(map(dose.unfinished, replaced_by)):
                cx.record(UNFINISHED)
            continue
        kept.append(one)
        if any(events & theirs and not (events <= theirs or theirs <= events) for _, theirs in others):
            cx.record(OVERLAPPING)
    return kept
