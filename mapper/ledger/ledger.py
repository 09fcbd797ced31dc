"""The ledger: which study is dirty, being synced, done, parked or removed, and why.

A mark only moves `generation`; a claim is a lease with an owner; whatever a claim ends with is fenced by owner
and generation in the UPDATE itself, so a process that wakes up late changes nothing.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update

from mapper.ledger.database import Database
from mapper.ledger.dirty import mark, when
from mapper.ledger.meta import SKEW, Facts
from mapper.ledger.owner import is_dead, new_owner
from mapper.ledger.rows import View
from mapper.ledger.schema import State, meta, study, written

LEASE = 120.0
ATTEMPTS = 8
BACKOFF, LONGEST_BACKOFF = 2.0, 300.0
LONGEST_WAIT = 3600.0
"""The longest wait there is: a server's Retry-After counts up to an hour."""
BEHIND = -1
"""Priority of a study that is only mapped anew."""
OUTPUT = "output"
"""What the FHIR of a source was last made with: version of the mapping and fingerprint of its settings."""
SINK = "sink"
"""Which sink was last written to, as a fingerprint of its address."""
RECONCILED = "reconciled"
"""When FHIR itself was last compared with a source."""
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


class Ledger(Facts, View):
    """The tables of schema.py behind the verbs of the worker, the triggers and the pages."""

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

    # -- dirty ----------------------------------------------------------------------------------

    def mark(self, source: str, study_uids: Iterable[str], priority: int = 0) -> int:
        """Mark studies dirty; returns how many. A study that is being synced is synced once more after."""
        uids = sorted(set(study_uids))
        with self.database.write() as db:
            mark(self.database, db, source, uids, self.clock(), priority)
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

    def renew(self, source: str, version: str) -> bool:
        """Put back in line, behind all others, what waits or is parked although mapping or settings are others now.

        True when they are others than those that this ledger last worked with; those that are done: see `remap`.
        """
        if self.get(f"{OUTPUT}:{source}") == version:
            return False
        stuck = study.c.source == source, study.c.state.in_(("parked", "retrying"))
        now = self.clock()
        anew = {"generation": study.c.generation + 1, "state": "pending", "attempts": 0, "reason": "", "failure": ""}
        with self.database.write() as db:
            db.execute(update(study).where(*stuck).values(**anew, not_before=now, marked_at=now, priority=BEHIND))
        self.put(f"{OUTPUT}:{source}", version)
        return True

    def move(self, sink: str) -> bool:
        """Forget what was written where this is another sink than the last one: all of it is sent again.

        `sink` is a fingerprint of its address. True when it is another one.
        """
        before = self.get(SINK)
        if before == sink:
            return False
        if before is not None:
            with self.database.write() as db:
                db.execute(update(written).values(sha256="", version=""))
                db.execute(delete(meta).where(meta.c.key.startswith(f"{RECONCILED}:")))  # compared at once
        self.put(SINK, sink)
        return before is not None

    # -- claims ---------------------------------------------------------------------------------

    def claim(self, sources: Sequence[str], limit: int = 1) -> list[Claim]:
        """Take up to `limit` due studies of these sources; one whose lease ran out is due again.

        A study whose last allowed attempt never came to an end is parked instead.
        """
        now = self.clock()
        owner = new_owner()
        due = study.c.source.in_(sources) & or_(
            study.c.state == "pending",
            and_(study.c.state == "retrying", over(study.c.not_before, now, LONGEST_WAIT)),
            and_(study.c.state == "syncing", over(study.c.lease_until, now, LEASE)),
        )
        with self.database.write() as db:
            db.execute(
                update(study)
                .where(study.c.state == "syncing", study.c.lease_until <= now, study.c.attempts >= ATTEMPTS)
                .values(
                    state="parked",
                    owner="",
                    failure="Unfinished",
                    reason=f"gave up: {ATTEMPTS} attempts never came to an end",
                )
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

    def finish(self, claim: Claim, state: State = "synced", reason: str = "", failure: str = "", **facts: Any) -> bool:
        """End a claim with `synced`, `removed` or `parked`; False when it is no longer ours.

        `failure` is the kind of failure that parked it. A mark that came in between makes the study pending again.
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
                    failure=failure,
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
                        failure="",
                        owner="",
                        not_before=now,
                        marked_at=now,
                        done_generation=claim.generation,
                        **facts,
                    )
                ).rowcount
            )

    def fail(self, claim: Claim, reason: str, retry_after: float | None = None, failure: str = "") -> bool:
        """End a claim that failed but may succeed later: it waits longer each time, and is parked at last."""
        if claim.attempts >= ATTEMPTS:
            return self.finish(claim, "parked", f"gave up after {claim.attempts} attempts: {reason}", failure)
        wait = self._jitter(0.0, min(LONGEST_BACKOFF, BACKOFF * 2**claim.attempts))
        return self._settle(
            claim,
            state="retrying",
            owner="",
            reason=reason,
            failure=failure,
            not_before=self.clock() + max(wait, retry_after or 0.0),
        )

    def release(self, claim: Claim, reason: str, wait: float) -> bool:
        """Give a claim back unused (an outage): no attempt is burnt."""
        return self._settle(
            claim,
            state="retrying",
            owner="",
            reason=reason,
            attempts=when(study.c.attempts > 0, study.c.attempts - 1, 0),  # a mark may have set it to 0
            not_before=self.clock() + wait,
        )

    def _settle(self, claim: Claim, **values: Any) -> bool:
        with self.database.write() as db:
            return bool(db.execute(update(study).where(_ours(claim)).values(**values)).rowcount)


def over(until: Any, now: float, longest: float) -> Any:
    """Tell in SQL whether a time is over, or so far ahead that the clock must have been set back since."""
    return or_(until <= now, until > now + longest + SKEW)


def _ours(claim: Claim) -> Any:
    return and_(
        study.c.source == claim.source,
        study.c.study_uid == claim.study_uid,
        study.c.state == "syncing",
        study.c.owner == claim.owner,
    )
