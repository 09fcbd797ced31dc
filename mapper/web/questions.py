"""What the API is asked: studies, their history, what keeps them back, how things stand. It reads the ledger alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query
from pydantic import AwareDatetime

from mapper.ledger.choice import ANY, Choice, Place
from mapper.ledger.ledger import Ledger
from mapper.ledger.outcome import Failed, Sync
from mapper.ledger.rows import Row
from mapper.ledger.state import State
from mapper.remedies import KIND, remedy
from mapper.service import Service
from mapper.standing import HoldUps, only_kinds, standing
from mapper.web import shapes
from mapper.web.cursor import AFTER_STUDY, AFTER_SYNC, LONGEST, SOURCE, place, word
from mapper.web.standing_shape import StandingShape
from mapper.web.uid import StudyUID
from mapper.web.visitor import Role, needs
from mapper.words import Links, failed_json, standing_json, status, sync_json

MOST = 1000
"""Studies in one request, or in one answer."""
LAST = 10**9
"""The largest offset: more studies than anybody has, and fewer than SQLite can count."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="At most so many on a page.")]
After = Annotated[str, Query(max_length=LONGEST, description="`next` of the page before.")]
KINDS = (
    f"Kind of failure (docs/errors.md), or `{ANY}`: studies that fail so now; with `since` those of which a "
    "sync failed so since then, as they stand now."
)
Kind = Annotated[
    str | None,
    Query(pattern=f"^{KIND}$", description=KINDS),
]
Since = Annotated[AwareDatetime | None, Query(description="Not before this time (ISO 8601 with an offset).")]
Until = Annotated[AwareDatetime | None, Query(description="Before this time.")]
Beginning = Annotated[str, Query(pattern="^[0-9A-Za-z.-]{0,64}$", description="How the StudyInstanceUID begins.")]
Source = Annotated[str | None, Query(pattern=f"^{SOURCE}$", description="Name of a source.")]


def add_questions(app: FastAPI, service: Service, links: Links) -> None:
    """Add what may be asked; every one of these may be asked again at any time."""
    read = [needs(Role.READ)]

    def known(failure: str | None) -> None:
        known_kind(service.ledger, failure)

    @app.get("/api/studies", response_model=shapes.Studies, response_model_exclude_unset=True, dependencies=read)
    def studies(
        state: State | None = None,
        failure: Kind = None,
        since: Since = None,
        until: Until = None,
        uid_begins: Beginning = "",
        source: Source = None,
        limit: Limit = 100,
        after: After = "",
        offset: Annotated[int, Query(ge=0, le=LAST, deprecated=True, description="Say `after` instead.")] = 0,
        counts: Annotated[bool, Query(description="Count the whole ledger too, which reads all of it.")] = True,
    ) -> dict[str, Any]:
        """Return studies, those that moved last first. A page ends where `next` is null."""
        rows = service.ledger.rows
        known(failure)
        known_source(service, source)
        choice = Choice(state, failure, seconds(since), seconds(until), uid_begins, source)
        if offset:
            if choice != Choice(state) or after:
                raise HTTPException(422, "offset: say after instead, beside anything but state")
            found, more = rows.page(state, limit, offset), False
        else:
            begin = place(after, AFTER_STUDY)
            found = rows.chosen(choice, Place(*begin) if begin else None, limit + 1)
            found, more = found[:limit], len(found) > limit
        following = word(found[-1].place) if more else None
        holdups = HoldUps(service.ledger)
        told = [status(row, links, holdups) for row in found]
        if choice.looks_back:
            failed = failures_of(service.ledger, choice, found)
            told = [{**one, "failed": failed_json(how)} if how else one for one, how in zip(told, failed, strict=True)]
        return {**({"counts": rows.counts()} if counts else {}), "studies": told, "next": following}

    @app.get("/api/studies/{study_uid}/history", response_model=shapes.Syncs, dependencies=read)
    def history_of_a_study(study_uid: StudyUID, limit: Limit = 50, after: After = "") -> dict[str, Any]:
        """Return what became of each sync of one study, newest first; nothing where it was never synced."""
        before = place(after, AFTER_SYNC)
        return page(service.ledger.history.of(study_uid, before=before, limit=limit + 1), limit)

    @app.get("/api/history", response_model=shapes.Syncs, dependencies=read)
    def history(
        fate: State | None = None,
        failure: Annotated[str | None, Query(pattern=f"^{KIND}$", description="Kind of failure.")] = None,
        since: Since = None,
        limit: Limit = 50,
        after: After = "",
    ) -> dict[str, Any]:
        """Return what became of each sync of all studies, newest first: `failure` and `since` say which failed."""
        known(failure)
        before = place(after, AFTER_SYNC)
        begin = seconds(since)
        found = service.ledger.history.latest(failure=failure, fate=fate, since=begin, before=before, limit=limit + 1)
        return page(found, limit)

    @app.get("/api/failures", response_model=shapes.Failures, dependencies=read)
    def failures() -> dict[str, Any]:
        """Return what keeps studies back now, by kind of failure, and what to do about each."""
        found = []
        for (state, kind), number in sorted(service.ledger.rows.failures().items()):
            said = remedy(kind)
            found.append({"failure": kind, "state": state, "studies": number, "what": said.what, "do": said.do})
        return {"failures": found}

    @app.get("/api/status", response_model=StandingShape, dependencies=read)
    def how_things_stand() -> dict[str, Any]:
        """Return whether FHIR is in line with the PACS, and if not, why and what to do."""
        return standing_json(standing(service.ledger, tuple(service.worker.sources)))


def known_source(service: Service, source: str | None) -> None:
    """Raise HTTPException 422 for a source that neither the settings name nor the ledger knows studies of."""
    if source and source not in (known := {*service.worker.sources, *service.ledger.rows.counts_by_source()}):
        raise HTTPException(422, f"source: one of {', '.join(sorted(known))}")


def known_kind(ledger: Ledger, failure: str | None) -> None:
    """Raise HTTPException 422 with the list of kinds for a kind of failure that is none."""
    try:
        only_kinds(ledger, failure)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


def failures_of(ledger: Ledger, choice: Choice, rows: Sequence[Row]) -> list[Failed | None]:
    """Return how each of these studies failed in the time asked for, None where it is not asked for."""
    named = [(row.source, row.study_uid) for row in rows]
    if not choice.looks_back or choice.since is None:
        return [None for _ in named]
    kind = None if choice.failure == ANY else choice.failure
    failed = ledger.history.failed(named, choice.since, kind, choice.until)
    return [failed.get(one) for one in named]


def page(found: list[Sync], limit: int) -> dict[str, Any]:
    """Return a page of the history, of which one more was asked for than it holds."""
    following = word(found[limit - 1].moment) if len(found) > limit else None
    return {"syncs": [sync_json(one) for one in found[:limit]], "next": following}


def seconds(time: datetime | None) -> float | None:
    """Return a time in seconds since 1970 UTC."""
    return time.timestamp() if time is not None else None
