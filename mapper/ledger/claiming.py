"""The statements by which a study is claimed, and by which a claim moves on and ends.

They are made once: SQLAlchemy takes longer to make one than SQLite to carry it out.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Float, Integer, bindparam, case, or_, select, update

from mapper.ledger.claim import PRIORITIES
from mapper.ledger.owner import SKEW
from mapper.ledger.schema import study
from mapper.ledger.state import Event
from mapper.ledger.transition import may, to, within

LEASE = 120.0
"""Seconds for which a claim holds, unless it is extended."""
ATTEMPTS = 8
LONGEST_WAIT = 3600.0
"""The longest wait there is: a server's Retry-After counts up to an hour."""
UNFINISHED = "Unfinished"
"""The kind of failure of a study whose last attempt never came to an end."""


def over(until: Any, now: float, longest: float) -> Any:
    """Tell in SQL whether a time is over, or so far ahead that the clock must have been set back since."""
    return or_(until <= now, until > now + longest + SKEW)


ONE = study.c.source == bindparam("of_source"), study.c.study_uid == bindparam("of_study")
NOW: Any = bindparam("now", type_=Float)
FIRST = (
    select(study.c.source, study.c.study_uid, study.c.priority, study.c.not_before)
    .where(study.c.source == bindparam("of_source"))
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
PENDING = FIRST.where(within("pending"), study.c.priority == bindparam("of_priority")).order_by(study.c.not_before)
"""Those of one priority, as many may wait as there are studies: its order is that of the index `study_due`."""
AGAIN = tuple(
    FIRST.where(*which).order_by(study.c.priority.desc(), study.c.not_before)
    for which in (
        (within("retrying"), over(study.c.not_before, NOW, LONGEST_WAIT)),
        (may("taken over"), over(study.c.lease_until, NOW, LEASE)),
    )
)
GIVEN_UP = (
    update(study)
    .where(may("gave up"), study.c.lease_until <= NOW, study.c.attempts >= ATTEMPTS)
    .values(state=to("gave up"), owner="", changed_at=NOW, failure=UNFINISHED)
    .values(reason=f"gave up: {ATTEMPTS} attempts never came to an end")
    .returning(study.c.source, study.c.study_uid, study.c.claimed_at)
)
CLAIMED = (
    update(study)
    .where(*ONE, may("claimed", "taken over"))
    .values(state=to("claimed", "taken over"), owner=bindparam("by"), lease_until=bindparam("until"))
    .values(attempts=study.c.attempts + 1, claimed_at=NOW, changed_at=NOW)
    .returning(study.c.generation, study.c.attempts, study.c.priority)
    .returning(study.c.fingerprint, study.c.done_generation, study.c.failure)
)


def due(db: Connection, sources: Sequence[str], now: float, most: int) -> list[tuple[str, str]]:
    """Return source and name of the studies that are due, the first in line first, `most` of them at most."""
    found: list[Any] = []
    for source in sources:
        pending: list[Any] = []
        for priority in PRIORITIES:
            if len(pending) < most:
                pending += db.execute(PENDING, {"of_source": source, "of_priority": priority, "most": most})
        found += pending
        for again in AGAIN:
            found += db.execute(again, {"of_source": source, "now": now, "most": most})
    found.sort(key=lambda row: (-row.priority, row.not_before))
    return [(row.source, row.study_uid) for row in found[:most]]


UNBURNT = {"attempts": case((study.c.attempts > 0, study.c.attempts - 1), else_=0)}
"""What an outage makes of the attempts: a mark may have set them to 0."""


LEFT_AT = "left_at"
LEFT = {"synced_at": case((study.c.synced_at.is_not(None), bindparam(LEFT_AT, type_=Float)), else_=None)}
"""When FHIR said that a study left: what never came there never left."""


@cache
def moving(event: Event, *, unchanged: bool, left: bool) -> Any:
    """Return the UPDATE that an event makes of a claimed study: only of one that nobody marked since, if asked."""
    where = [*ONE, study.c.owner == bindparam("of_owner"), may(event)]
    if unchanged:
        where.append(study.c.generation == bindparam("of_generation"))
    made = {**(UNBURNT if event == "outage" else {}), **(LEFT if left else {})}
    return update(study).where(*where).values(state=to(event), **made)
