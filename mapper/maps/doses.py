"""What the dose reports of a study become: the reports that count, and what each of them makes."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from mapper.errors import Problem
from mapper.maps.report import ACCUMULATED, Report
from mapper.maps.rule import Made, MissingElement
from mapper.maps.tables import authorizer, dose, irradiation_event
from mapper.maps.values.concepts import PERSON_NAME
from mapper.maps.values.context import Context

OVERLAPPING = Problem(
    "Observation", "ContentSequence", "dose reports share some irradiation events and not all: each has its summary"
)
UNFINISHED = Problem(
    "Observation", "CompletionFlag", "an unfinished dose report has all events of a finished one: it replaces it"
)
WITHOUT_TOTALS = Problem(
    "Observation", "ContentSequence", "a dose report without totals has all events of one with totals: these stay"
)
EVENT_TWICE = Problem("Observation", "UID", "an irradiation event twice in one report: the first one speaks")


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
