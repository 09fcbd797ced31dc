"""Logouts that count for every replica: the ledger is told of each, and asked at each request of a session."""

from asyncio import get_running_loop, wait_for
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Protocol

from mapper.errors import LedgerFailed
from mapper.web.body import Places
from mapper.web.session import LIFE, SKEW, Session

PATIENCE = 2.0
"""Seconds that a request waits for the ledger's word."""
WAITING = 64
"""Requests that wait for it at one time."""


class Crowded(Exception):
    """More requests want the ledger's word than it is asked for in time: whether the session was ended is not known."""


class Ended(Protocol):
    """Where ended sessions are kept: `mapper.ledger.logout`."""

    def add(self, session_id: str, until: float) -> None:
        """Store one; raises LedgerFailed."""

    def has(self, session_id: str) -> bool:
        """Tell whether one was stored; raises LedgerFailed."""


class Logouts:
    """Asks in a thread of its own, so that a ledger that hangs stops no other request, and tells in another one.

    A ledger that does not answer keeps nobody out: who looks for its cause needs the pages. Then this replica's own
    memory of logouts decides alone. A queue of our own lets nobody in.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._ended: Ended | None = None
        self._asking, self._telling = ThreadPoolExecutor(1, "logouts"), ThreadPoolExecutor(1, "logout")
        self._patience, self._places = patience, Places(WAITING)
        self._answers = 0

    def watch(self, ended: Ended) -> None:
        """Take the ledger's table."""
        self._ended = ended

    async def has(self, session: Session) -> bool:
        """Tell whether the ledger says that a session was ended; False where it fails or hangs.

        Raises Crowded.
        """
        if self._ended is None:
            return False
        with self._places.one() as place:
            if not place:
                raise Crowded
            answers = self._answers
            asked = get_running_loop().run_in_executor(self._asking, self._ask, self._ended, session.id)
            try:
                return await wait_for(asked, self._patience)
            except LedgerFailed:
                return False
            except TimeoutError:
                if self._answers != answers:  # it answers others: the queue is long, the ledger does not hang
                    raise Crowded from None
                return False

    def _ask(self, ended: Ended, session_id: str) -> bool:
        answer = ended.has(session_id)
        self._answers += 1
        return answer

    async def add(self, session: Session) -> bool:
        """Tell the ledger that a session is ended; returns whether it is stored."""
        with suppress(LedgerFailed, TimeoutError):
            if self._ended is not None:
                add = partial(self._ended.add, session.id, float(session.began + LIFE + SKEW))
                await wait_for(get_running_loop().run_in_executor(self._telling, add), self._patience)
            return True
        return False

    def close(self) -> None:
        """Let go of the threads."""
        for thread in (self._asking, self._telling):
            thread.shutdown(wait=False, cancel_futures=True)
