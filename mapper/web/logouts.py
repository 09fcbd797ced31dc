"""Logouts that count for every replica: the ledger is told of each, and asked at each request of a session."""

from asyncio import get_running_loop, wait_for
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Protocol

from mapper.errors import LedgerFailed
from mapper.web.session import LIFE, SKEW, Session

PATIENCE = 2.0
"""Seconds that a request waits for the ledger's word."""


class Ended(Protocol):
    """Where ended sessions are kept: `mapper.ledger.logout`."""

    def add(self, session_id: str, until: float) -> None:
        """Store one; raises LedgerFailed."""

    def has(self, session_id: str) -> bool:
        """Tell whether one was stored; raises LedgerFailed."""


class Logouts:
    """Asks in a thread of its own, so that a ledger that hangs stops no other request.

    A ledger that does not answer keeps nobody out: who looks for its cause needs the pages. Then this replica's own
    memory of logouts decides alone.
    """

    def __init__(self) -> None:
        self._ended: Ended | None = None
        self._thread = ThreadPoolExecutor(1, "logouts")

    def watch(self, ended: Ended) -> None:
        """Take the ledger's table."""
        self._ended = ended

    async def has(self, session: Session) -> bool:
        """Tell whether the ledger says that a session was ended; False where it does not answer."""
        with suppress(LedgerFailed, TimeoutError):
            if self._ended is not None:
                asked = get_running_loop().run_in_executor(self._thread, self._ended.has, session.id)
                return await wait_for(asked, PATIENCE)
        return False

    async def add(self, session: Session) -> bool:
        """Tell the ledger that a session is ended; returns whether it is stored."""
        with suppress(LedgerFailed, TimeoutError):
            if self._ended is not None:
                add = partial(self._ended.add, session.id, float(session.began + LIFE + SKEW))
                await wait_for(get_running_loop().run_in_executor(self._thread, add), PATIENCE)
            return True
        return False

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
