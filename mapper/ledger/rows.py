"""What pages, commands and metrics read of the ledger."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import case, func, select

from mapper.errors import Problem
from mapper.ledger.choice import BY_CHANGE, Choice, Place, descending
from mapper.ledger.claim import BEHIND
from mapper.ledger.database import Database
from mapper.ledger.schema import study
from mapper.ledger.state import OPEN, STATES, State
from mapper.ledger.transition import within

AT_ONCE = 500
"""Studies that are named in one query: a database bounds its length."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the ledger knows of one study."""

    source: str
    study_uid: str
    state: State
    reason: str
    problems: tuple[Problem, ...]
    attempts: int
    not_before: float
    synced_at: float | None
    mapping_version: str
    failure: str = ""
    """Kind of the last failure, a name of mapper.errors; empty where there was none since it was synced."""
    changed_at: float = 0.0
    """Since when it is in its state, in seconds since 1970 UTC; so are all times here."""
    marked_at: float = 0.0
    """Since when it is dirty, where it is."""
    claimed_at: float | None = None
    """When the last attempt began."""
    priority: int = 0

    @property
    def place(self) -> Place:
        """Return where it stands: the next page begins behind it."""
        return Place(self.changed_at, self.study_uid, self.source)


class Rows:
    """The `study` table, read only."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock

    def find(self, study_uid: str, source: str | None = None) -> Row | None:
        """Return what is known of one study, or None."""
        query = select(study).where(study.c.study_uid == study_uid)
        if source is not None:
            query = query.where(study.c.source == source)
        with self._database.read() as db:
            found = db.execute(query.order_by(study.c.source)).first()
        return _row(found) if found else None

    def page(self, state: State | None = None, limit: int = 100, offset: int = 0) -> list[Row]:
        """Return studies, those that moved last first; far ahead `offset` is slow, and `chosen` is not."""
        query = select(study).where(*Choice(state).where()).order_by(*descending(BY_CHANGE))
        with self._database.read() as db:
            return [_row(found) for found in db.execute(query.limit(limit).offset(offset))]

    def chosen(self, choice: Choice, after: Place | None = None, limit: int = 100) -> list[Row]:
        """Return the studies wanted, those behind the place where the page before ended."""
        with self._database.read() as db:
            return [_row(found) for found in db.execute(choice.page(select(study), after, limit))]

    def number(self, choice: Choice, at_most: int = 100_000) -> int:
        """Return how many studies are wanted; counting ends there."""
        counted = select(study.c.study_uid).where(*choice.where()).limit(at_most).subquery()
        with self._database.read() as db:
            return db.execute(select(func.count()).select_from(counted)).scalar_one()

    def of_all_sources(self, study_uid: str) -> list[Row]:
        """Return what is known of one study in each of its sources, by their names."""
        query = select(study).where(study.c.study_uid == study_uid).order_by(study.c.source)
        with self._database.read() as db:
            return [_row(found) for found in db.execute(query)]

    def those_in(self, state: State, study_uids: Sequence[str]) -> frozenset[str]:
        """Return which of these studies are in a state, in any of their sources."""
        query = select(study.c.study_uid).where(study.c.state == state, study.c.study_uid.in_(study_uids))
        with self._database.read() as db:
            return frozenset(db.execute(query).scalars())

    def known(self, study_uids: Sequence[str]) -> frozenset[str]:
        """Return which of these studies are known, in any source."""
        found: set[str] = set()
        with self._database.read() as db:
            for first in range(0, len(study_uids), AT_ONCE):
                named = study.c.study_uid.in_(study_uids[first : first + AT_ONCE])
                found.update(db.execute(select(study.c.study_uid).where(named)).scalars())
        return frozenset(found)

    def states_of(self, study_uids: Sequence[str]) -> dict[tuple[State, str], int]:
        """Return the number of these studies by state and kind of the last failure."""
        by = study.c.state, study.c.failure
        found: Counter[tuple[State, str]] = Counter()
        with self._database.read() as db:
            for first in range(0, len(study_uids), AT_ONCE):
                named = study.c.study_uid.in_(study_uids[first : first + AT_ONCE])
                for state, failure, number in db.execute(select(*by, func.count()).where(named).group_by(*by)):
                    found[state, failure] += number
        return dict(found)

    def counts(self) -> dict[State, int]:
        """Return the number of studies in each state."""
        found: Counter[State] = Counter()
        for numbers in self.counts_by_source().values():
            found.update(numbers)
        return {state: found[state] for state in STATES}

    def counts_by_source(self) -> dict[str, dict[State, int]]:
        """Return the number of studies in each state, of each source that has any."""
        by = study.c.source, study.c.state
        found: dict[str, dict[State, int]] = {}
        with self._database.read() as db:
            for source, state, number in db.execute(select(*by, func.count()).group_by(*by)):
                found.setdefault(source, dict.fromkeys(STATES, 0))[state] = number
        return found

    def never_synced(self, source: str) -> dict[State, int]:
        """Return the number of studies of a source that FHIR never had, parked or open, by state."""
        which = study.c.source == source, within("parked", *OPEN), study.c.synced_at.is_(None)
        with self._database.read() as db:
            query = select(study.c.state, func.count()).where(*which).group_by(study.c.state)
            return {row[0]: row[1] for row in db.execute(query)}

    def failures(self) -> dict[tuple[State, str], int]:
        """Return the number of studies that are parked or tried again, by state and kind of failure."""
        by = study.c.failure, study.c.state
        query = select(*by, func.count()).where(study.c.failure > "", within("parked", "retrying")).group_by(*by)
        with self._database.read() as db:
            return {(row[1], row[0]): row[2] for row in db.execute(query)}

    def parked_by_failure(self) -> dict[str, int]:
        """Return the number of parked studies by kind of failure."""
        query = select(study.c.failure, func.count()).where(study.c.state == "parked").group_by(study.c.failure)
        with self._database.read() as db:
            return {row[0]: row[1] for row in db.execute(query)}

    def oldest_wait(self) -> float:
        """Return for how many seconds the longest-waiting study has been dirty."""
        waiting = select(func.min(study.c.marked_at)).where(within(*OPEN))
        with self._database.read() as db:
            since = db.execute(waiting).scalar()
        return max(0.0, self._clock() - since) if since is not None else 0.0

    def next_due(self) -> float | None:
        """Return when the next study is due, or None when nobody waits."""
        due = case((study.c.state == "pending", 0.0), else_=study.c.not_before)
        waiting = select(func.min(due)).where(within("pending", "retrying"))
        with self._database.read() as db:
            return db.execute(waiting).scalar()

    def behind(self) -> int:
        """Return how many studies that stand behind live work are not done, whoever is at them."""
        with self._database.read() as db:
            return int(db.execute(select(func.count()).where(study.c.priority == BEHIND, within(*OPEN))).scalar_one())

    def sources_of(self, study_uid: str) -> list[str]:
        """Return the sources that are known to hold, or to have held, a study."""
        with self._database.read() as db:
            found = db.execute(select(study.c.source).where(study.c.study_uid == study_uid))
            return sorted(found.scalars())

    def states(self, source: str) -> dict[str, State]:
        """Return the state of every study of a source, by StudyInstanceUID."""
        with self._database.read() as db:
            found = db.execute(select(study.c.study_uid, study.c.state).where(study.c.source == source))
            return {row.study_uid: row.state for row in found}


def _row(found: Any) -> Row:
    return Row(
        source=found.source,
        study_uid=found.study_uid,
        state=found.state,
        reason=found.reason,
        problems=tuple(msgspec.json.decode(found.problems, type=list[Problem])),
        attempts=found.attempts,
        not_before=found.not_before,
        synced_at=found.synced_at,
        mapping_version=found.mapping_version,
        failure=found.failure,
        changed_at=found.changed_at,
        marked_at=found.marked_at,
        claimed_at=found.claimed_at,
        priority=found.priority,
    )
