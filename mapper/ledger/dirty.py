"""Marking studies dirty, inside a transaction that is open already."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, case

from mapper.ledger.claim import BY_HAND, WITH_ALL
from mapper.ledger.database import Database
from mapper.ledger.schema import study
from mapper.ledger.state import FIRST, OPEN
from mapper.ledger.transition import to, within

OTHER = {0: WITH_ALL, WITH_ALL: 0}
"""Priorities of which each has what the other lacks."""


def mark(database: Database, db: Connection, source: str, uids: Sequence[str], now: float, priority: int = 0) -> None:
    """Mark studies dirty; one that is being synced stays so, and is synced once more after.

    One that waits keeps its place if that is the better one; one that moved and was asked for with all others is first,
    so that neither its turn nor what was asked for is lost.
    """
    if not uids:
        return
    waiting = within(*OPEN)
    statement = database.insert(study).on_conflict_do_update(
        index_elements=["source", "study_uid"],
        set_={
            "generation": study.c.generation + 1,
            "state": to("marked"),
            "not_before": now,
            "marked_at": when(waiting, study.c.marked_at, now),
            "changed_at": when(within("pending", "syncing"), study.c.changed_at, now),
            "attempts": 0,
            "reason": when(within("syncing"), study.c.reason, ""),
            "priority": case(
                (waiting & (study.c.priority == OTHER.get(priority)), BY_HAND),
                (waiting & (study.c.priority > priority), study.c.priority),
                else_=priority,
            ),
        },
    )
    new = {"source": source, "generation": 1, "state": FIRST, "not_before": now, "priority": priority}
    db.execute(statement, [{**new, "study_uid": uid, "marked_at": now, "changed_at": now} for uid in uids])


def when(condition: Any, then: Any, otherwise: Any) -> Any:
    """Return one of two values, by a condition in SQL."""
    return case((condition, then), else_=otherwise)
