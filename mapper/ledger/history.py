"""What became of each sync, for as long as the site keeps it: the question "what failed last week" is answered here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, cast, delete, exists, func, insert, select, tuple_

from mapper.ledger.database import Database
from mapper.ledger.schema import history, study
from mapper.ledger.state import State

AT_ONCE = 500
"""Rows that are forgotten in one transaction: nobody who writes waits for long."""
FAILING: tuple[State, ...] = ("parked", "retrying")
"""Fates of a sync that failed."""
ADDED = insert(history)
Moment = tuple[float, int]
"""When a sync ended, and its number: where a page of the history ends, and the next one begins."""


@dataclass(frozen=True, slots=True)
class Sync:
    """One attempt to bring FHIR in line with one study; times are seconds since 1970 UTC."""

    source: str
    study_uid: str
    started: float
    ended: float
    fate: State
    """The state that it led to: synced, removed, parked or retrying."""
    failure: str | None
    """Kind of failure, a name of mapper.errors; None where there was none."""
    attempts: int
    """The number of the attempt since the study was marked."""
    number: int = 0

    @property
    def took(self) -> float:
        """Return its seconds."""
        return max(0.0, self.ended - self.started)

    @property
    def moment(self) -> Moment:
        """Return where it stands in the history."""
        return self.ended, self.number


@dataclass(frozen=True, slots=True)
class Span:
    """What happened in one stretch of time: how many syncs by fate, and their seconds on average and at most."""

    begins: float
    fates: dict[State, int]
    mean: float
    longest: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A study of which syncs failed: the last time, how, and how often."""

    source: str
    study_uid: str
    last: float
    failure: str
    times: int


class History:
    """The `history` table; every query follows an index, however many rows there are."""

    def __init__(self, database: Database) -> None:
        self._database, self.at_once = database, AT_ONCE

    def add(self, sync: Sync) -> None:
        """Record a sync in a transaction of its own; the ledger itself does so in the one that ends the claim."""
        with self._database.write() as db:
            add(db, [sync])

    def of(self, study_uid: str, *, before: Moment | None = None, limit: int = 50) -> list[Sync]:
        """Return the syncs of one study, newest first; `before`: the moment of the last one of the page before."""
        return self._page([history.c.study_uid == study_uid], before, limit)

    def latest(
        self,
        *,
        failure: str | None = None,
        fate: State | None = None,
        since: float | None = None,
        before: Moment | None = None,
        limit: int = 50,
    ) -> list[Sync]:
        """Return syncs of all studies, newest first: those of a fate, of a kind of failure, ended since then."""
        return self._page(asked(failure, fate, since), before, limit)

    def counts(self, since: float) -> dict[tuple[State, str | None], int]:
        """Return how many syncs ended since then, by fate and kind of failure."""
        by = func.coalesce(history.c.fate, ""), func.coalesce(history.c.failure, "")  # else SQLite sorts all by index
        with self._database.read() as db:
            rows = db.execute(select(*by, func.count()).where(history.c.ended >= since).group_by(*by)).all()
        return {(row[0], row[1] or None): row[2] for row in rows}

    def failed(
        self, since: float, failure: str | None = None, state: State | None = None, limit: int = 100
    ) -> list[Failed]:
        """Return the studies of which syncs failed since then, of any kind or of one, who failed last first.

        Those that were synced since then are among them, unless `state` says how they stand now.
        """
        failing = [history.c.fate.in_(FAILING), history.c.ended >= since]
        if failure is not None:
            failing.append(history.c.failure == failure)
        if state is not None:
            now = study.c.source == history.c.source, study.c.study_uid == history.c.study_uid
            failing.append(exists().where(*now, study.c.state == state))
        who = history.c.source, history.c.study_uid
        newest = func.row_number().over(partition_by=who, order_by=(history.c.ended.desc(), history.c.id.desc()))
        times = func.count().over(partition_by=who)
        told = select(*who, history.c.ended, history.c.failure, times.label("times"), newest.label("newest"))
        one = told.where(*failing).subquery().c
        query = select(one.source, one.study_uid, one.ended, one.failure, one.times).where(one.newest == 1)
        query = query.order_by(one.ended.desc(), one.study_uid, one.source).limit(limit)
        with self._database.read() as db:
            return [Failed(*row) for row in db.execute(query)]

    def spans(self, since: float, seconds: int) -> list[Span]:
        """Return what happened since then, a stretch of so many seconds at a time; one without any sync is left out."""
        second = history.c.ended if self._database.is_sqlite else func.floor(history.c.ended)  # else its cast rounds
        stretch = cast(second, BigInteger) // seconds
        took = history.c.ended - history.c.started
        query = select(stretch, history.c.fate, func.count(), func.sum(took), func.max(took))
        query = query.where(history.c.ended >= since).group_by(stretch, history.c.fate)
        found: dict[int, list[Any]] = {}
        with self._database.read() as db:
            for row in db.execute(query):
                found.setdefault(row[0], []).append(row)
        return [_span(number * seconds, rows) for number, rows in sorted(found.items())]

    def forget(self, older_than: float) -> int:
        """Forget the oldest syncs that ended before then, `at_once` at most; returns how many."""
        oldest = select(history.c.id).where(history.c.ended < older_than).order_by(history.c.ended, history.c.id)
        with self._database.write() as db:
            return int(db.execute(delete(history).where(history.c.id.in_(oldest.limit(self.at_once)))).rowcount)

    def _page(self, wanted: Sequence[Any], before: Moment | None, limit: int) -> list[Sync]:
        with self._database.read() as db:
            return [_sync(row) for row in db.execute(page(wanted, before, limit))]


def asked(failure: str | None = None, fate: State | None = None, since: float | None = None) -> list[Any]:
    """Return what SQL is to look for; what is left out wants all."""
    wanted = []
    if failure is not None:
        wanted.append(history.c.failure == failure)
    if fate is not None:
        wanted.append(history.c.fate == fate)
    if since is not None:
        wanted.append(history.c.ended >= since)
    return wanted


def page(wanted: Sequence[Any], before: Moment | None, limit: int) -> Select[Any]:
    """Return the query for one page, newest first, the syncs before `before`."""
    place = history.c.ended, history.c.id
    query = select(history).where(*wanted).order_by(*(column.desc() for column in place)).limit(limit)
    return query if before is None else query.where(tuple_(*place) < tuple_(*before))


def add(db: Connection, syncs: Sequence[Sync]) -> None:
    """Record syncs inside a transaction that is open already."""
    rows = [
        {
            "source": one.source,
            "study_uid": one.study_uid,
            "started": one.started,
            "ended": one.ended,
            "fate": one.fate,
            "failure": one.failure or "",
            "attempts": one.attempts,
        }
        for one in syncs
    ]
    if rows:
        db.execute(ADDED, rows)


def _sync(row: Any) -> Sync:
    facts = row.source, row.study_uid, row.started, row.ended, row.fate, row.failure or None, row.attempts, row.id
    return Sync(*facts)


def _span(begins: float, rows: Sequence[Any]) -> Span:
    number = sum(row[2] for row in rows)
    mean = sum(row[3] for row in rows) / number
    return Span(begins, {row[1]: row[2] for row in rows}, max(0.0, mean), max(0.0, *(row[4] for row in rows)))
