"""What marks studies dirty: a ring, Orthanc's /changes, and the sweep. None of them does any work."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from mapper.errors import MapperError
from mapper.sources.source import Source
from mapper.sync.ledger import Ledger
from mapper.sync.sweep import Sweep, sweep

POLL = 2.0
SWEEP, SWEEP_AFTER_RING = 60.0, 5.0
log = structlog.get_logger(__name__)


class Bell:
    """Rung by the plugin, by hand and by the worker's own marks; any number of rings is one."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self.sweep_asked = threading.Event()

    def ring(self, sweep: bool = False) -> None:
        """Wake whoever waits; `sweep` asks to look at everything."""
        if sweep:
            self.sweep_asked.set()
        self._rung.set()

    def wait(self, timeout: float) -> None:
        """Return at the next ring, or when the time is over."""
        self._rung.wait(timeout)
        self._rung.clear()


@dataclass
class Triggers:
    """Looks after one source: call `turn` again and again."""

    source: Source
    ledger: Ledger
    clock: Callable[[], float] = time.monotonic
    cursor: int | None = None
    last: Sweep | None = None
    """What the last sweep found."""
    down: str = ""
    _next_sweep: float = field(default=0.0, init=False)

    def turn(self, *, sweep_asked: bool = False) -> bool:
        """Mark what changed; True when a sweep was made. A source that is down is asked again next time.

        The cursor of /changes lives in memory: every start begins with a sweep anyway.
        """
        try:
            if self.cursor is None:
                self.cursor = self.source.changes(None).cursor
            swept = self._follow()
            if self.clock() >= self._next_sweep or swept or sweep_asked:
                self.last = sweep(self.ledger, self.source)
                self._next_sweep = self.clock() + SWEEP
                swept = True
                if self.last.brake:
                    log.error("brake", source=self.source.name, reason=self.last.brake)
        except MapperError as error:
            self._say(str(error))
            return False
        self._say("")
        return swept

    def _follow(self) -> bool:
        more, swept = True, False
        while more:
            changes = self.source.changes(self.cursor)
            self.ledger.mark(self.source.name, changes.study_uids)
            self.cursor, more = changes.cursor, changes.more
            swept = swept or changes.sweep
        return swept

    def _say(self, reason: str) -> None:
        if reason and not self.down:
            log.warning("source down", source=self.source.name, reason=reason)
        if self.down and not reason:
            log.warning("source back", source=self.source.name)
        self.down = reason
