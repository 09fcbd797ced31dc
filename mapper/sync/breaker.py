"""The breaker: while one side is down nobody works for it, and one question at a time asks whether it is back."""

import threading
import time
from collections.abc import Callable

from mapper.errors import MapperError, SinkBusy, SinkDown
from mapper.log import logger

FIRST_WAIT, LONGEST_WAIT = 2.0, 10.0
log = logger(__name__)


class Breaker:
    """Remembers that one side is down; `probe` raises MapperError as long as it is. At first nobody knows.

    `tell` is told why it is down, or with an empty text that it is up, whenever that changes.
    """

    def __init__(
        self,
        name: str,
        probe: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[str], object] = lambda reason: None,
    ) -> None:
        self.name, self._tell = name, tell
        self.reason = ""
        self._probe, self._clock = probe, clock
        self._wait, self._next = FIRST_WAIT, 0.0
        self._known = False
        self._lock = threading.Lock()

    def open(self, reason: str, retry_after: float | None = None) -> None:
        """Say that the side is down."""
        with self._lock:
            self._down(reason)
            self._next = self._clock() + max(self._wait, retry_after or 0.0)

    def closed(self) -> bool:
        """Tell whether one may work; when it is time, the calling thread asks the side itself."""
        if self._known and not self.reason:
            return True
        if self._clock() < self._next or not self._lock.acquire(blocking=False):
            return False
        try:
            self._probe()
        except MapperError as error:
            self._down(str(error))
            self._wait = min(self._wait * 2, LONGEST_WAIT)
            self._next = self._clock() + self._wait
            return False
        else:
            if self.reason:
                log.warning("back", side=self.name)
            self.reason, self._known = "", True
            self._tell("")
            return True
        finally:
            self._lock.release()

    def _down(self, reason: str) -> None:
        if not self.reason:
            log.warning("down", side=self.name, reason=reason)
            self._wait = FIRST_WAIT
        changed, self.reason = reason != self.reason, reason
        if changed:
            self._tell(reason)


def outage_behind(busy: SinkBusy, probe: Callable[[], object]) -> MapperError:
    """Return the outage that explains a failure (a gateway may say 502 for hours), else the failure itself."""
    try:
        probe()
    except MapperError as error:
        down = SinkDown(f"{busy}; now it answers nobody")
        down.retry_after = busy.retry_after
        return error if error.outage else down
    return busy
