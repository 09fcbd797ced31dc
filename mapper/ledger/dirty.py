"""Marking studies dirty, inside a transaction that is open already."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, or_, update

from mapper.ledger.database import Database
from mapper.ledger.schema import study, written


def mark(database: Database, db: Connection, source: str, uids: Sequence[str], now: float, priority: int = 0) -> None:
    """Mark studies dirty inside a transaction that is open already."""
    if not uids:
        return
    syncing = study.c.state == "syncing"
    waiting = or_(*(study.c.state == one for one in ("pending", "retrying", "syncing")))  # `in_` is no executemany
    statement = database.insert(study).on_conflict_do_update(
        index_elements=["source", "study_uid"],
        set_={
            "generation": study.c.generation + 1,
            "state": when(syncing, "syncing", "pending"),
            "not_before": now,
            "marked_at": when(waiting, study.c.marked_at, now),
            "attempts": 0,
            "reason": when(syncing, study.c.reason, ""),
            "priority": when(waiting & (study.c.priority > priority), study.c.priority, priority),
        },
    )
    new = {"source": source, "generation": 1, "state": "pending", "not_before": now, "priority": priority}
    db.execute(statement, [{**new, "study_uid": uid, "marked_at": now} for uid in uids])


def forget_sent(db: Connection, source: str, uids: Sequence[str]) -> None:
    """Have all that studies wrote sent again: the server lost it, what they share with others perhaps as well."""
    if uids:
        theirs = written.c.source == source, written.c.study_uid == bindparam("uid")
        db.execute(update(written).where(*theirs).values(sha256=""), [{"uid": uid} for uid in uids])


def when(condition: Any, then: Any, otherwise: Any) -> Any:
    return case((condition, then), else_=otherwise)
