"""Facts of the ledger itself, by key: what it was made with, who leads, what was done last."""

from collections.abc import Callable

from sqlalchemy import select

from mapper.errors import SettingError
from mapper.ledger.database import Database
from mapper.ledger.owner import is_dead
from mapper.ledger.schema import meta

SKEW = 600.0
"""Seconds by which the clocks of replicas may differ."""
LEAD = 20.0
"""Seconds after which another process takes the lead from one that fell silent."""


class Facts:
    """The `meta` table behind a few verbs."""

    database: Database
    clock: Callable[[], float]

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

    def lead(self, what: str, owner: str) -> bool:
        """Take or keep the lead in something that one process does for all; False when another one has it."""
        now = self.clock()
        key, mine = f"leader:{what}", f"{owner} {now + LEAD}"
        holder, _, until = (self.get(key) or "").partition(" ")
        if holder == owner and float(until) > now + LEAD / 2:
            return True
        if holder != owner and now < float(until or 0.0) <= now + LEAD + SKEW and not is_dead(holder):
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
