"""Advisory locks of PostgreSQL: held by a session, or until a transaction ends."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

LOCKS = 0x0F41  # the space of our advisory locks, so that another program's do not meet them
LOCKED_AT_MOST = "120s"
"""After this time, that of a lease, PostgreSQL (14 or later) ends the session of a process that froze with locks."""
IDLE_AT_MOST = text(
    "SELECT set_config('idle_session_timeout', :time, false) FROM pg_settings WHERE name = 'idle_session_timeout'"
)

ALL_OF_THEM = text("SELECT pg_advisory_lock(:space, number) FROM unnest(CAST(:numbers AS integer[])) AS number")
"""One after the other, in the order of the numbers: who takes several never waits for one who waits for us."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds locks. Its calls raise SQLAlchemyError when the locks went with the connection."""

    _db: Connection

    def ask(self) -> None:
        """Ask whether it is there still."""
        self._db.execute(text("SELECT 1")).close()

    def unlock(self, number: int) -> None:
        """Give one lock back before the others."""
        self._db.execute(text("SELECT pg_advisory_unlock(:space, :number)"), locked(number)).close()


@contextmanager
def held(engine: Engine, numbers: Sequence[int]) -> Iterator[Session]:
    """Hold locks by a session of their own; raises SQLAlchemyError."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        try:
            db.execute(IDLE_AT_MOST, {"time": LOCKED_AT_MOST})
            db.execute(ALL_OF_THEM, {"space": LOCKS, "numbers": list(numbers)}).close()
            yield Session(db)
        finally:
            try:
                db.execute(text("SELECT pg_advisory_unlock_all()"))
                db.execute(IDLE_AT_MOST, {"time": "0"})
            except SQLAlchemyError:  # the session ended, and the locks with it: nothing is left to unlock
                db.invalidate()


def lock(db: Connection, number: int) -> None:
    """Hold a lock until the transaction ends; raises SQLAlchemyError."""
    db.execute(text("SELECT pg_advisory_xact_lock(:space, :number)"), locked(number))


def locked(number: int) -> dict[str, int]:
    """Return which lock a statement is about."""
    return {"space": LOCKS, "number": number}
