"""The ledger: which study is dirty, being synced, done, parked or removed, and why.

A mark only moves `generation`; a claim is a lease with an owner; whatever a claim ends with is fenced by owner
and generation in the UPDATE itself, so a process that wakes up late changes nothing.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, case, func, literal, or_, select, update

from mapper.errors import Problem, SettingError
from mapper.sync.database import Database
from mapper.sync.process import is_dead, new_owner
from mapper.sync.schema import STATES, State, meta, seen, study

LEASE = 120.0
ATTEMPTS = 8
LEAD = 20.0
"""Seconds after which another process takes the lead from one that fell silent."""
BACKOFF, LONGEST_BACKOFF = 2.0, 300.0
BEHIND = -1
"""Priority of a study that is only mapped anew."""
BY_HAND = 1
"""Priority of a study that a person asked for: first in line, and everything of it is sent again."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to sync one study until the lease is over."""

    source: str
    study_uid: str
    generation: int
    attempts: int
    priority: int
    owner: str


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


class Ledger:
    """The tables of DESIGN section 4 behind the verbs of the worker, the triggers and the pages."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.database = database
        self.clock = clock
        self._jitter = jitter
        database.create()

    # -- what it was made with ------------------------------------------------------------------

    def guard(self, facts: dict[str, str]) -> None:
        """Store what the ledger is made with, or refuse to go on when it was made with something else.

        Raises SettingError that names the setting.
        """
        with self.database.write() as db:
            for key, value in facts.items():
                db.execute(self.database.insert(meta).values(key=key, value=value).on_conflict_do_nothing())
                if db.execute(select(meta.c.value).where(meta.c.key == key)).scalar() != value:
                    raise SettingError(
                        f"{key}: differs from what this ledger was made with; put the old one back, or start a "
                        "new ledger if all ids in FHIR may change"
                    )

    # -- dirty ----------------------------------------------------------------------------------

    def mark(self, source: str, study_uids: Iterable[str], priority: int = 0, not_before: float | None = None) -> int:
        """Mark studies dirty; returns how many. A study that is being synced is synced once more after."""
        uids = sorted(set(study_uids))
        with self.database.write() as db:
            mark(self.database, db, source, uids, self.clock() if not_before is None else not_before, priority)
        return len(uids)

    def retry(self, study_uids: Sequence[str] = (), state: State = "parked") -> int:
        """Put studies in `state` (all, or those named) back in line; returns how many."""
        chosen = [study.c.state == state]
        if study_uids:
            chosen.append(study.c.study_uid.in_(study_uids))
        with self.database.write() as db:
            rows = db.execute(select(study.c.source, study.c.study_uid).where(*chosen)).all()
            for row in rows:
                mark(self.database, db, row.source, [row.study_uid], self.clock(), BY_HAND)
        return len(rows)

    def remap(self, source: str, version: str, at_once: int) -> int:
        """Mark studies that another version of the mapping made or parked, behind all others.

        At most `at_once` of them wait at one time; returns how many were marked.
        """
        other = study.c.mapping_version.not_in((version, ""))
        done = study.c.state.in_(("synced", "parked"))
        with self.database.write() as db:
            waiting = study.c.priority == BEHIND, study.c.state.in_(("pending", "retrying", "syncing"))
            in_line = db.execute(select(func.count()).where(study.c.source == source, *waiting)).scalar_one()
            query = select(study.c.study_uid).where(study.c.source == source, done, other)
            query = query.limit(max(at_once - in_line, 0))
            uids = list(db.execute(query).scalars())
            mark(self.database, db, source, uids, self.clock(), BEHIND)
        return len(uids)

    # -- claims ---------------------------------------------------------------------------------

    def claim(self, sources: Sequence[str], limit: int = 1) -> list[Claim]:
        """Take up to `limit` due studies of these sources; one whose lease ran out is due again.

        A study whose last allowed attempt never came to an end is parked instead.
        """
        now = self.clock()
        owner = new_owner()
        due = study.c.source.in_(sources) & or_(
            and_(study.c.state.in_(("pending", "retrying")), study.c.not_before <= now),
            and_(study.c.state == "syncing", study.c.lease_until <= now),
        )
        with self.database.write() as db:
            db.execute(
                update(study)
                .where(study.c.state == "syncing", study.c.lease_until <= now, study.c.attempts >= ATTEMPTS)
                .values(state="parked", owner="", reason=f"gave up: {ATTEMPTS} attempts never came to an end")
            )
            chosen = (
                select(study.c.source, study.c.study_uid)
                .where(due)
                .order_by(study.c.priority.desc(), study.c.not_before)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            claims = []
            for source, study_uid in db.execute(chosen).all():
                row = db.execute(
                    update(study)
                    .where(study.c.source == source, study.c.study_uid == study_uid)
                    .values(state="syncing", owner=owner, lease_until=now + LEASE, attempts=study.c.attempts + 1)
                    .returning(study.c.generation, study.c.attempts, study.c.priority)
                ).one()
                claims.append(Claim(source, study_uid, row.generation, row.attempts, row.priority, owner))
        return claims

    def take_back(self) -> int:
        """End the leases of processes of this machine that died at work; returns how many. Call it at a start."""
        held = select(study.c.owner).where(study.c.state == "syncing").distinct()
        with self.database.write() as db:
            dead = [owner for owner in db.execute(held).scalars() if is_dead(owner)]
            for owner in dead:
                ours = study.c.state == "syncing", study.c.owner == owner
                db.execute(update(study).where(*ours).values(lease_until=0.0))
        return len(dead)

    def extend(self, claim: Claim) -> bool:
        """Lengthen the lease of a claim; False when it is no longer ours."""
        return self._settle(claim, lease_until=self.clock() + LEASE)

    def finish(self, claim: Claim, state: State = "synced", reason: str = "", **facts: Any) -> bool:
        """End a claim with `synced`, `removed` or `parked`; False when it is no longer ours.

        A mark that came in between makes the study pending again.
        """
        unchanged = study.c.generation == claim.generation
        now = self.clock()
        if state in ("synced", "removed"):
            facts |= {"synced_at": now, "attempts": 0}
        with self.database.write() as db:
            ended = db.execute(
                update(study)
                .where(_ours(claim), unchanged)
                .values(
                    state=state,
                    reason=reason,
                    owner="",
                    priority=0,
                    done_generation=claim.generation,
                    **facts,
                )
            ).rowcount
            if ended:
                return True
            # marked while it was synced: what was done stands, and it is done once more
            facts["attempts"] = 0
            return bool(
                db.execute(
                    update(study)
                    .where(_ours(claim))
                    .values(
                        state="pending",
                        reason="",
                        owner="",
                        not_before=now,
                        marked_at=now,
                        done_generation=claim.generation,
                        **facts,
                    )
                ).rowcount
            )

    def fail(self, claim: Claim, reason: str, retry_after: float | None = None) -> bool:
        """End a claim that failed but may succeed later: it waits longer each time, and is parked at last."""
        if claim.attempts >= ATTEMPTS:
            return self.finish(claim, "parked", f"gave up after {claim.attempts} attempts: {reason}")
        wait = self._jitter(0.0, min(LONGEST_BACKOFF, BACKOFF * 2**claim.attempts))
        return self._settle(
            claim,
            state="retrying",
            owner="",
            reason=reason,
            not_before=self.clock() + max(wait, retry_after or 0.0),
        )

    def release(self, claim: Claim, reason: str, wait: float) -> bool:
        """Give a claim back unused (an outage): no attempt is burnt."""
        return self._settle(
            claim,
            state="retrying",
            owner="",
            reason=reason,
            attempts=_when(study.c.attempts > 0, study.c.attempts - 1, 0),  # a mark may have set it to 0
            not_before=self.clock() + wait,
        )

    def _settle(self, claim: Claim, **values: Any) -> bool:
        with self.database.write() as db:
            return bool(db.execute(update(study).where(_ours(claim)).values(**values)).rowcount)

    # -- what pages and commands read -----------------------------------------------------------

    def row(self, study_uid: str, source: str | None = None) -> Row | None:
        """Return what is known of one study, or None."""
        query = select(study).where(study.c.study_uid == study_uid)
        if source is not None:
            query = query.where(study.c.source == source)
        with self.database.read() as db:
            found = db.execute(query.order_by(study.c.source)).first()
        return _row(found) if found else None

    def rows(self, state: State | None = None, limit: int = 100, offset: int = 0) -> list[Row]:
        """Return studies, those that moved last first."""
        query = select(study).order_by(func.coalesce(study.c.synced_at, literal(1e18)).desc(), study.c.study_uid)
        if state is not None:
            query = query.where(study.c.state == state)
        with self.database.read() as db:
            return [_row(found) for found in db.execute(query.limit(limit).offset(offset))]

    def counts(self) -> dict[State, int]:
        """Return the number of studies in each state."""
        with self.database.read() as db:
            rows = db.execute(select(study.c.state, func.count()).group_by(study.c.state)).all()
        found: dict[str, int] = {row[0]: row[1] for row in rows}
        return {state: found.get(state, 0) for state in STATES}

    def oldest_wait(self) -> float:
        """Return for how many seconds the longest-waiting study has been dirty."""
        waiting = select(func.min(study.c.marked_at)).where(study.c.state.in_(("pending", "retrying", "syncing")))
        with self.database.read() as db:
            since = db.execute(waiting).scalar()
        return max(0.0, self.clock() - since) if since is not None else 0.0

    def next_due(self) -> float | None:
        """Return when the next study is due, or None when nobody waits."""
        waiting = select(func.min(study.c.not_before)).where(study.c.state.in_(("pending", "retrying")))
        with self.database.read() as db:
            return db.execute(waiting).scalar()

    def get(self, key: str) -> str | None:
        """Return a fact of the ledger itself."""
        with self.database.read() as db:
            return db.execute(select(meta.c.value).where(meta.c.key == key)).scalar()

    def put(self, key: str, value: str) -> None:
        """Store a fact of the ledger itself."""
        with self.database.write() as db:
            db.execute(
                self.database.insert(meta)
                .values(key=key, value=value)
                .on_conflict_do_update(index_elements=["key"], set_={"value": value})
            )

    def sources_of(self, study_uid: str) -> list[str]:
        """Return the sources that are known to hold, or to have held, a study."""
        with self.database.read() as db:
            found = db.execute(select(study.c.source).where(study.c.study_uid == study_uid))
            return sorted(found.scalars())

    def lead(self, what: str, owner: str) -> bool:
        """Take or keep the lead in something that one process does for all; False when another one has it."""
        now = self.clock()
        key, mine = f"leader:{what}", f"{owner} {now + LEAD}"
        holder, _, until = (self.get(key) or "").partition(" ")
        if holder == owner and float(until) > now + LEAD / 2:
            return True
        if holder != owner and float(until or 0.0) > now and not is_dead(holder):
            return False
        with self.database.write() as db:
            taken = (
                self.database.insert(meta)
                .values(key=key, value=mine)
                .on_conflict_do_update(
                    index_elements=["key"], set_={"value": mine}, where=meta.c.value == f"{holder} {until}"
                )
            )
            return bool(db.execute(taken).rowcount)

    def seen_ids(self, source: str, study_uid: str) -> list[str]:
        """Return the source's own ids under which a study was last seen."""
        with self.database.read() as db:
            found = db.execute(select(seen.c.orthanc_id).where(seen.c.source == source, seen.c.study_uid == study_uid))
            return sorted(found.scalars())


def mark(
    database: Database, db: Connection, source: str, uids: Sequence[str], not_before: float, priority: int = 0
) -> None:
    """Mark studies dirty inside a transaction that is open already."""
    if not uids:
        return
    syncing = study.c.state == "syncing"
    waiting = study.c.state.in_(("pending", "retrying", "syncing"))
    for start in range(0, len(uids), 100):
        statement = database.insert(study).values(
            [
                {
                    "source": source,
                    "study_uid": uid,
                    "generation": 1,
                    "state": "pending",
                    "not_before": not_before,
                    "priority": priority,
                    "marked_at": not_before,
                }
                for uid in uids[start : start + 100]
            ]
        )
        db.execute(
            statement.on_conflict_do_update(
                index_elements=["source", "study_uid"],
                set_={
                    "generation": study.c.generation + 1,
                    "state": _when(syncing, "syncing", "pending"),
                    "not_before": not_before,
                    "marked_at": _when(waiting, study.c.marked_at, not_before),
                    "attempts": 0,
                    "reason": _when(syncing, study.c.reason, ""),
                    "priority": _when(waiting & (study.c.priority > priority), study.c.priority, priority),
                },
            )
        )


def _when(condition: Any, then: Any, otherwise: Any) -> Any:
    return case((condition, then), else_=otherwise)


def _ours(claim: Claim) -> Any:
    return and_(
        study.c.source == claim.source,
        study.c.study_uid == claim.study_uid,
        study.c.state == "syncing",
        study.c.owner == claim.owner,
    )


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
