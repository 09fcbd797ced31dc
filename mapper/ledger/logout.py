"""Sessions of browsers that were ended before their time, for every replica and after a restart."""

from collections.abc import Callable
from hashlib import sha256

from sqlalchemy import delete, select

from mapper.ledger.database import Database
from mapper.ledger.schema import ended_session


class EndedSessions:
    """The `ended_session` table: hashes of ids, each until its session would have ended anyway."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock

    def add(self, session_id: str, until: float) -> None:
        """Store that a session is ended, until a time in seconds since 1970 UTC; forget those whose time is over.

        Raises LedgerFailed.
        """
        one = self._database.insert(ended_session).values(id_hash=hashed(session_id), until=until)
        with self._database.write() as db:
            db.execute(delete(ended_session).where(ended_session.c.until < self._clock()))
            db.execute(one.on_conflict_do_nothing())

    def has(self, session_id: str) -> bool:
        """Tell whether a session was ended; raises LedgerFailed."""
        with self._database.read() as db:
            wanted = select(ended_session.c.id_hash).where(ended_session.c.id_hash == hashed(session_id))
            return db.execute(wanted).first() is not None


def hashed(session_id: str) -> str:
    """Return what stands for a session's id: with it alone nobody makes a cookie, nor tells whose it was."""
    return sha256(session_id.encode()).hexdigest()
