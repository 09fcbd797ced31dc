"""What this process has claimed: what its threads sync now, and what waits for one of them.

Claims are taken together, by one transaction for as many as there are threads.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mapper.errors import LeaseLost
from mapper.ledger.claim import Claim


class Taken:
    """Hands out claims one by one, and takes more when none is left.

    So none waits for longer than a study takes: also what a person asks for meanwhile, which is first in line then.
    """

    def __init__(self, take: Callable[[int], list[Claim]]) -> None:
        """Remember how so many claims at most are taken."""
        self._take = take
        self._waiting: deque[Claim] = deque()
        self._lock = threading.Lock()
        self.held: set[Claim] = set()
        """All of them: whoever keeps the time lengthens their leases."""

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    @contextmanager
    def next(self, together: int) -> Iterator[Claim | None]:
        """Hand out a claim until the block ends, None where nothing is due; where none waits, so many are taken."""
        with self._lock:
            if not self._waiting:
                self._waiting.extend(self._take(together))
                self.held.update(self._waiting)
            claim = self._waiting.popleft() if self._waiting else None
        try:
            yield claim
        finally:
            if claim is not None:
                self.held.discard(claim)

    def drop(self) -> list[Claim]:
        """Return all that wait, and forget them: nobody will come for them."""
        with self._lock:
            dropped = list(self._waiting)
            self._waiting.clear()
            self.held.difference_update(dropped)
            return dropped


def must_have_ended(ended: bool) -> None:
    """Raise LeaseLost where a claim was no longer ours to end."""
    if not ended:
        raise LeaseLost("the lease ran out while the study was written: it is synced once more")
