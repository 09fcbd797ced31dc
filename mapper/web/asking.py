"""How many people ask the PACS at one time: whoever asks for more is told to come again, and keeps nobody waiting."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import HTTPException

from mapper.web.body import Places
from mapper.web.visitor import Role

AT_ONCE = 2
"""Studies that are explained, and so are read as a whole, at one time: a large one takes a while, and memory."""
OF_READERS = 1
"""How many of these may be for those who may only read: others always find a place beside them."""
LOOKING = 2
"""Look-ups and headers at one time."""
BUSY = "the PACS is asked too much already: come again"


class Asking:
    """Asks the PACS in threads of its own: where it hangs, pages and API still find theirs."""

    def __init__(self) -> None:
        self._explaining, self._of_readers, self._looking = Places(AT_ONCE), Places(OF_READERS), Places(LOOKING)
        self._threads: CapacityLimiter | None = None

    @contextmanager
    def explaining(self, role: Role) -> Iterator[None]:
        """Take a place for the explanation of a study; raises HTTPException 503 where there is none."""
        readers = [self._of_readers] if role < Role.OPERATE else []
        with taken(*readers, self._explaining):
            yield

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Take a place for a header or a look-up; raises HTTPException 503 where there is none."""
        with taken(self._looking):
            yield

    async def run(self, what: Callable[..., Any], *given: Any) -> Any:
        """Return what a function returns that asks the PACS."""
        if self._threads is None:
            self._threads = CapacityLimiter(AT_ONCE + LOOKING)
        return await to_thread.run_sync(what, *given, limiter=self._threads)


@contextmanager
def taken(*kinds: Places) -> Iterator[None]:
    """Take a place of each kind; raises HTTPException 503 where one is missing."""
    with ExitStack() as stack:
        if not all(stack.enter_context(places.one()) for places in kinds):
            raise HTTPException(503, BUSY, {"Retry-After": "5"})
        yield
