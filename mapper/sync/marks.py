"""Marking studies dirty, inside a transaction that is open already."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, case

from mapper.sync.database import Database
from mapper.sync.schema import study


def mark(database: Database, db: Connection, source: str, uids: Sequence[str], now: float, priority: int = 0) -> None:
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
                    "not_before": now,
                    "priority": priority,
                    "marked_at": now,
                }
                for uid in uids[start : start + 100]
            ]
        )
        db.execute(
            statement.on_conflict_do_update(
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
        )


def when(condition: Any, then: Any, otherwise: Any) -> Any:
    return case((condition, then), else_=otherwise)
