"""What pages, commands and metrics read of the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import case, func, literal, select

from mapper.errors import Problem
from mapper.ledger.database import Database
from mapper.ledger.schema import study
from mapper.ledger.state import OPEN, STATES, State
from mapper.ledger.transition import within


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
        """Return studies, those that moved last first."""
        query = select(study).order_by(func.coalesce(study.c.synced_at, literal(1e18)).desc(), study.c.study_uid)
        if state is not None:
            query = query.where(study.c.state == state)
        with self._database.read() as db:
            return [_row(found) for found in db.execute(query.limit(limit).offset(offset))]

    def those_in(self, state: State, study_uids: Sequence[str]) -> frozenset[str]:
        """Return which of these studies are in a state, in any of their sources."""
        query = select(study.c.study_uid).where(study.c.state == state, study.c.study_uid.in_(study_uids))
        with self._database.read() as db:
            return frozenset(db.execute(query).scalars())

    def counts(self) -> dict[State, int]:
        """Return the number of studies in each state."""
        with self._database.read() as db:
            rows = db.execute(select(study.c.state, func.count()).group_by(study.c.state)).all()
        found: dict[str, int] = {row[0]: row[1] for row in rows}
        return {state: found.get(state, 0) for state in STATES}

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
    )
