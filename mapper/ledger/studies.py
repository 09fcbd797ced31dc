"""Who is dirty, who works on it, and how that ended.

A mark only moves `generation`; a claim is a lease with an owner; whatever a claim ends with is fenced by owner
and generation in the UPDATE itself, so a process that wakes up late changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, case, func, select, update

from mapper.ledger.claim import BEHIND, BY_HAND, SENT_AGAIN, Claim
from mapper.ledger.claiming import ATTEMPTS, CLAIMED, GIVEN_UP, LEASE, LEFT_AT, UNFINISHED, due, moving
from mapper.ledger.database import Database
from mapper.ledger.dirty import mark
from mapper.ledger.history import add
from mapper.ledger.outcome import Sync
from mapper.ledger.owner import is_dead, new_owner
from mapper.ledger.schema import study
from mapper.ledger.state import OPEN, TRANSITIONS, Event
from mapper.ledger.transition import may, to, within

BACKOFF, LONGEST_BACKOFF = 2.0, 300.0
Ending = Literal["done", "gone", "refused", "gave up"]
"""The events that end a claim for good."""


class Studies:
    """The `study` table behind the verbs of the worker and of the triggers."""

    def __init__(self, database: Database, clock: Callable[[], float], jitter: Callable[[float, float], float]) -> None:
        self._database, self._clock, self._jitter = database, clock, jitter

    def mark(self, source: str, study_uids: Iterable[str], priority: int = 0) -> int:
        """Mark studies dirty; returns how many. A study that is being synced is synced once more after."""
        uids = sorted(set(study_uids))
        with self._database.write() as db:
            mark(self._database, db, source, uids, self._clock(), priority)
        return len(uids)

    def retry(self, study_uids: Sequence[str] = ()) -> int:
        """Put parked studies (all, or those named) back in line; returns how many."""
        chosen = [within("parked")]
        if study_uids:
            chosen.append(study.c.study_uid.in_(study_uids))
        with self._database.write() as db:
            rows = db.execute(select(study.c.source, study.c.study_uid).where(*chosen)).all()
            for row in rows:
                mark(self._database, db, row.source, [row.study_uid], self._clock(), BY_HAND)
        return len(rows)

    def remap(self, source: str, version: str, at_once: int) -> int:
        """Mark studies that another version of the mapping made or parked, behind all others.

        At most `at_once` of them wait at one time; returns how many were marked.
        """
        of_source = study.c.source == source
        other = study.c.mapping_version.not_in((version, ""))
        with self._database.write() as db:
            waiting = select(func.count()).where(of_source, study.c.priority == BEHIND, within(*OPEN))
            room = max(at_once - db.execute(waiting).scalar_one(), 0)
            done = select(study.c.study_uid).where(of_source, within("synced", "parked"), other).limit(room)
            uids = list(db.execute(done).scalars())
            mark(self._database, db, source, uids, self._clock(), BEHIND)
        return len(uids)

    def renew(self, source: str) -> None:
        """Put back in line, behind all others, what is parked or waits to be tried again, as if it were new.

        What is to be sent again keeps its place, and is sent again: that was asked for and is not done.
        """
        now = self._clock()
        place = case((study.c.priority.in_(SENT_AGAIN), study.c.priority), else_=BEHIND)
        anew = {"generation": study.c.generation + 1, "attempts": 0, "reason": "", "failure": "", "priority": place}
        stuck = study.c.source == source, may("renewed")
        with self._database.write() as db:
            renewed = update(study).where(*stuck).values(state=to("renewed"), changed_at=now, **anew)
            db.execute(renewed.values(not_before=now, marked_at=now))

    # -- claims ---------------------------------------------------------------------------------

    def claim(self, sources: Sequence[str], limit: int = 1) -> list[Claim]:
        """Take up to `limit` due studies of these sources; one whose lease ran out is due again.

        A study whose last allowed attempt never came to an end is parked instead. It is stored lazily: with
        what is stored before a study is sent, and one that a power cut takes leaves a study that waits still.
        """
        now = self._clock()
        owner = new_owner()
        with self._database.write(lazily=True) as db:
            lost = db.execute(GIVEN_UP, {"now": now}).all()
            add(db, [Sync(one[0], one[1], one[2] or now, now, "parked", UNFINISHED, ATTEMPTS) for one in lost])
            claims = []
            for source, study_uid in due(db, sources, now, limit):
                which = {"of_source": source, "of_study": study_uid}
                row = db.execute(CLAIMED, {**which, "now": now, "until": now + LEASE, "by": owner}).one()
                generation, attempts, priority, *facts = row
                claims.append(Claim(source, study_uid, generation, attempts, priority, owner, now, *facts))
        return claims

    def take_back(self) -> int:
        """End the leases of processes of this machine that died at work; returns how many. Call it at a start."""
        with self._database.write() as db:
            held = db.execute(select(study.c.owner).where(may("taken over")).distinct()).scalars()
            dead = [owner for owner in held if is_dead(owner)]
            for owner in dead:
                db.execute(update(study).where(may("taken over"), study.c.owner == owner).values(lease_until=0.0))
        return len(dead)

    def extend(self, claim: Claim) -> bool:
        """Lengthen the lease of a claim; False when it is no longer ours. No lease has to outlive a power cut."""
        with self._database.write(lazily=True) as db:
            return _move(db, claim, "extended", lease_until=self._clock() + LEASE)

    def finish(self, claim: Claim, how: Ending = "done", reason: str = "", failure: str = "", **facts: Any) -> bool:
        """End a claim; False when it is no longer ours.

        `failure` is the kind of failure that parked it. A mark that came in between makes the study pending again.
        """
        now = self._clock()
        if how in ("done", "gone"):
            facts |= {"synced_at" if how == "done" else LEFT_AT: now, "attempts": 0}
        facts = {**facts, "owner": "", "done_generation": claim.generation, "changed_at": now}
        ended = {"reason": reason, "failure": failure, "priority": 0}
        # marked while it was synced: what was done stands, and it is done once more
        again = {"reason": "", "failure": "", "not_before": now, "marked_at": now, "attempts": 0}
        with self._database.write() as db:
            moved = _move(db, claim, how, unchanged=True, **facts, **ended) or _move(
                db, claim, "outdated", **(facts | again)
            )
            return moved and _tell(db, claim, how, failure, now)

    def fail(self, claim: Claim, reason: str, retry_after: float | None = None, failure: str = "") -> bool:
        """End a claim that failed but may succeed later: it waits longer each time, and is parked at last."""
        if claim.attempts >= ATTEMPTS:
            return self.finish(claim, "gave up", f"gave up after {claim.attempts} attempts: {reason}", failure)
        wait = self._jitter(0.0, min(LONGEST_BACKOFF, BACKOFF * 2**claim.attempts))
        due = (now := self._clock()) + max(wait, retry_after or 0.0)
        facts: dict[str, Any] = {"failure": failure, "not_before": due}
        with self._database.write() as db:
            moved = _move(db, claim, "failed", owner="", reason=reason, changed_at=now, **facts)
            return moved and _tell(db, claim, "failed", failure, now)

    def release(self, claim: Claim, reason: str, wait: float, failure: str = "") -> bool:
        """Give a claim back unused (an outage): no attempt is burnt."""
        facts: dict[str, Any] = {"failure": failure, "not_before": (now := self._clock()) + wait}
        with self._database.write() as db:
            moved = _move(db, claim, "outage", owner="", reason=reason, changed_at=now, **facts)
            return moved and _tell(db, claim, "outage", failure, now)


def _move(db: Connection, claim: Claim, event: Event, *, unchanged: bool = False, **values: Any) -> bool:
    """Let an event happen to a claimed study; False when the claim is no longer ours, or the table refuses it."""
    which: dict[str, Any] = {"of_source": claim.source, "of_study": claim.study_uid, "of_owner": claim.owner}
    if unchanged:
        which["of_generation"] = claim.generation
    return bool(db.execute(moving(event, unchanged=unchanged, left=LEFT_AT in values), {**which, **values}).rowcount)


def _tell(db: Connection, claim: Claim, event: Event, failure: str, now: float) -> bool:
    """Record in the history how a claim ended, in the transaction that ends it; returns True."""
    fate = TRANSITIONS["syncing", event]
    add(db, [Sync(claim.source, claim.study_uid, claim.began, now, fate, failure or None, claim.attempts)])
    return True
