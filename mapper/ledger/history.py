"""What became of each sync, for as long as the site keeps it: the question "what failed last week" is answered here."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, cast, delete, func, insert, select, tuple_

from mapper.ledger.database import Database
from mapper.ledger.outcome import Failed, Moment, Span, Sync, asked
from mapper.ledger.schema import FAILED, history, study
from mapper.ledger.state import State

AT_ONCE = 500
"""Rows that are forgotten in one transaction: nobody who writes waits for long."""
NAMED = 500
"""Studies that are named in one query: a database bounds its length."""
ADDED = insert(history)
ONE = history.c.source, history.c.study_uid
OF_EACH = (
    *ONE,
    history.c.ended,
    history.c.failure,
    func.count().over(partition_by=ONE).label("times"),
    func.row_number().over(partition_by=ONE, order_by=(history.c.ended.desc(), history.c.id.desc())).label("place"),
)
"""A sync, how many there are of its study among those asked for, and which of these it is, the last one first."""


class History:
    """The `history` table; a page follows an index, and what is counted costs what there is of it to count."""

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

    def between(
        self, begins: float, ends: float, *, failed: bool = False, before: Moment | None = None, limit: int = 50
    ) -> list[Sync]:
        """Return the syncs that ended in a stretch of time, newest first; `ends` itself is outside."""
        only = [FAILED] if failed else []
        return self._page([*asked(since=begins), history.c.ended < ends, *only], before, limit)

    def counts(self, since: float) -> dict[tuple[State, str | None], int]:
        """Return how many syncs ended since then, by fate and kind of failure."""
        by = func.coalesce(history.c.fate, ""), func.coalesce(history.c.failure, "")  # else SQLite sorts all by index
        with self._database.read() as db:
            rows = db.execute(select(*by, func.count()).where(history.c.ended >= since).group_by(*by)).all()
        return {(row[0], row[1] or None): row[2] for row in rows}

    def failed(
        self,
        studies: Sequence[tuple[str, str]],
        since: float,
        failure: str | None = None,
        until: float | None = None,
    ) -> dict[tuple[str, str], Failed]:
        """Return of these studies, by source and UID, how syncs failed since then: of any kind or of one."""
        found: dict[tuple[str, str], Failed] = {}
        wanted = [FAILED, *asked(failure, since=since), *([] if until is None else [history.c.ended < until])]
        with self._database.read() as db:
            for first in range(0, len(studies), NAMED):
                named = history.c.study_uid.in_({uid for _, uid in studies[first : first + NAMED]})
                each = select(*OF_EACH).where(named, *wanted).subquery()
                columns = each.c.source, each.c.study_uid, each.c.ended, each.c.failure, each.c.times
                for row in db.execute(select(*columns).where(each.c.place == 1)):
                    found[row.source, row.study_uid] = Failed(*row)
        return {who: found[who] for who in studies if who in found}

    def kinds(self) -> list[str]:
        """Return every kind of failure that is remembered."""
        found: list[str] = []
        with self._database.read() as db:
            last: str | None = ""
            while last := db.execute(select(func.min(history.c.failure)).where(history.c.failure > last)).scalar():
                found.append(last)  # a step of the index a kind, however long the history is
        return found

    def states(self, syncs: Sequence[Sync]) -> dict[tuple[str, str], State]:
        """Return how the studies of some syncs stand now, by source and UID."""
        named = study.c.study_uid.in_({one.study_uid for one in syncs})
        with self._database.read() as db:
            rows = db.execute(select(study.c.source, study.c.study_uid, study.c.state).where(named)) if syncs else ()
            return {(row[0], row[1]): row[2] for row in rows}

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
