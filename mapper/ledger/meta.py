"""Facts of the ledger itself, by key: what it was made with, who leads, what was done last."""

from collections.abc import Callable, Mapping

from sqlalchemy import delete, select

from mapper.errors import SettingError
from mapper.ledger.database import Database
from mapper.ledger.owner import SKEW, is_dead
from mapper.ledger.schema import meta

SINK = "sink"
"""Which sink the ledger belongs to, as a fingerprint of its address."""
LEAD = 20.0
"""Seconds after which another process takes the lead from one that fell silent."""


class Meta:
    """The `meta` table behind a few verbs."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock

    def guard(self, facts: Mapping[str, str], sink: str | None = None) -> None:
        """Store what the ledger is made with, or refuse to go on when it was made with something else.

        `sink`, a fingerprint of its address, is stored with a new ledger: from then on it belongs to that sink, and
        only who delivers may move it to another one (`Ledger.move`). Raises SettingError that names the setting.
        """
        with self._database.write() as db:
            new = not db.execute(select(meta.c.key).where(meta.c.key.in_(tuple(facts)))).first()
            if new and sink is not None:
                db.execute(self._database.insert(meta).values(key=SINK, value=sink).on_conflict_do_nothing())
            for key, value in facts.items():
                db.execute(self._database.insert(meta).values(key=key, value=value).on_conflict_do_nothing())
                if db.execute(select(meta.c.value).where(meta.c.key == key)).scalar() != value:
                    raise SettingError(
                        f"{key}: differs from what this ledger was made with; put the old one back, or start a "
                        "new ledger if all ids in FHIR may change"
                    )

    def get(self, key: str) -> str | None:
        """Return a fact of the ledger itself."""
        with self._database.read() as db:
            return db.execute(select(meta.c.value).where(meta.c.key == key)).scalar()

    def put(self, key: str, value: str) -> None:
        """Store a fact of the ledger itself."""
        with self._database.write() as db:
            db.execute(
                self._database.insert(meta)
                .values(key=key, value=value)
                .on_conflict_do_update(index_elements=["key"], set_={"value": value})
            )

    def drop(self, prefix: str) -> None:
        """Forget every fact whose key begins so."""
        with self._database.write() as db:
            db.execute(delete(meta).where(meta.c.key.startswith(prefix)))

    def lead(self, what: str, owner: str) -> bool:
        """Take or keep the lead in something that one process does for all; False when another one has it."""
        now = self._clock()
        key, mine = f"leader:{what}", f"{owner} {now + LEAD}"
        holder, _, until = (self.get(key) or "").partition(" ")
        if holder == owner and float(until) > now + LEAD / 2:
            return True
        if holder != owner and now < float(until or 0.0) <= now + LEAD + SKEW and not is_dead(holder):
            return False
        with self._database.write() as db:
            taken = (
                self._database.insert(meta)
                .values(key=key, value=mine)
                .on_conflict_do_update(
                    index_elements=["key"], set_={"value": mine}, where=meta.c.value == f"{holder} {until}"
                )
            )
            return bool(db.execute(taken).rowcount)
