"""What marks studies dirty: a ring, Orthanc's /changes, and the sweep. None of them does any work."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from mapper.errors import MapperError
from mapper.ledger.ledger import Ledger
from mapper.ledger.sides import source_side
from mapper.log import logger
from mapper.maps import MAPPING_VERSION
from mapper.sources.source import Source
from mapper.sync.reconcile import OTHER_IDS, Difference, due
from mapper.sync.sweep import Sweep, glance, sweep

POLL = 2.0
SWEEP, SWEEP_AFTER_RING, WHOLE_SWEEP = 60.0, 5.0, 24 * 3600.0
COUNT = 120.0
"""Seconds for which a number of studies that FHIR offers stands where it is that of the PACS: counting may be dear."""
RESTS = 4.0
"""How many times as long as a sweep took the next one waits at least: a large archive is not listed without end."""
REMAPPED_AT_ONCE = 50
"""Studies that wait to be mapped anew at one time: live work goes first."""
GONE = "check the PACS; if the studies are really gone, run orthanc-fhir sync --accept-removals"
log = logger(__name__)


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

    def wait(self, timeout: float) -> bool:
        """Return at the next ring, or when the time is over; tell whether it rang."""
        rang = self._rung.wait(timeout)
        self._rung.clear()
        return rang


@dataclass
class Triggers:
    """Looks after one source: call `turn` again and again."""

    source: Source
    ledger: Ledger
    reconcile: Callable[..., Difference] | None = None
    """Compares FHIR itself with the source, where there is a FHIR server to ask."""
    offered: Callable[[], int | None] | None = None
    """Asks the FHIR server how many studies of the source it offers."""
    version: str = MAPPING_VERSION
    """What FHIR is made with: what another version made is mapped anew."""
    clock: Callable[[], float] = time.monotonic
    cursor: int | None = None
    last: Sweep | None = None
    """What the last sweep found."""
    down: str = ""
    told: bool = False
    """Whether the ledger knows since this start how the source answers."""
    _next_sweep: float = field(default=0.0, init=False)
    _next_whole_sweep: float = field(default=0.0, init=False)
    _next_asked_sweep: float = field(default=0.0, init=False)
    _next_count: float = field(default=0.0, init=False)
    _swept_at: float = field(default=0.0, init=False)

    def turn(self, *, sweep_asked: float = 0.0) -> bool:
        """Mark what changed; True when a sweep was made. A source that is down is asked again next time.

        `sweep_asked` is when somebody last asked for a whole sweep, by the ledger's clock. The cursor of
        /changes lives in memory: every start begins with a whole sweep anyway.
        """
        try:
            if self.cursor is None and self.source.feed:
                self.cursor = self.source.feed.changes(None).cursor
            answer = sweep_asked > self._swept_at and self.clock() >= self._next_asked_sweep
            whole = self._follow() or answer or self.clock() >= self._next_whole_sweep
            swept = whole or self.clock() >= self._next_sweep
            if swept:
                self._sweep(whole)
        except MapperError as error:
            self._say(str(error))
            self._next_whole_sweep = 0.0  # what happens meanwhile, no event may tell
            return False
        self._say("")
        if swept:
            self._remap()
            self._compare()
            self._count()
        return swept

    def _sweep(self, whole: bool) -> None:
        start = self.clock()
        found = None if whole else glance(self.ledger, self.source, self.last.floor if self.last else "")
        if whole := found is None:
            began = self.ledger.clock()
            found = sweep(self.ledger, self.source)
            self._swept_at = began
            self._next_asked_sweep = self.clock() + SWEEP_AFTER_RING
            self._next_whole_sweep = self.clock() + WHOLE_SWEEP
        self.last = found
        self.ledger.sides.sweep(self.source.name, found.listed, found.changed, found.vanished, whole=whole)
        self._next_sweep = self.clock() + max(SWEEP, RESTS * (self.clock() - start))
        if found.brake:
            log.error("brake", source=self.source.name, reason=found.brake, do=GONE)

    def _remap(self) -> None:
        """Have studies that another version of the mapping made mapped anew, a few at a time."""
        if number := self.ledger.studies.remap(self.source.name, self.version, REMAPPED_AT_ONCE):
            log.info("mapped anew", source=self.source.name, studies=number, version=self.version)

    def _count(self) -> None:
        """Remember now and then how many studies FHIR offers, for people to compare."""
        known = self.ledger.sides.offered(self.source.name)
        agrees = known is not None and self.last is not None and known.number == self.last.listed
        if self.offered is None or (agrees and self.clock() < self._next_count):
            return
        self._next_count = self.clock() + COUNT
        with suppress(MapperError):
            if (number := self.offered()) is not None:
                self.ledger.sides.offer(self.source.name, number)

    def _compare(self) -> None:
        """Now and then compare FHIR itself with the source; a FHIR server that is down is asked next time."""
        if self.reconcile is None or not due(self.ledger, self.source.name):
            return
        try:
            found = self.reconcile()
        except MapperError as error:
            log.warning("not compared", source=self.source.name, reason=str(error))
            return
        say = log.warning if found.strange or found.lost else log.info
        say("compared", source=self.source.name, strange=found.strange, lost=found.lost)
        if found.elsewhere:
            log.error("other ids", source=self.source.name, reason=found.elsewhere, do=OTHER_IDS)
        if found.brake:
            log.error("brake", source=self.source.name, reason=found.brake, do=GONE)

    def _follow(self) -> bool:
        feed, swept = self.source.feed, False
        more = feed is not None
        while feed and more:
            changes = feed.changes(self.cursor)
            self.ledger.studies.mark(self.source.name, changes.study_uids)
            self.cursor, more = changes.cursor, changes.more
            swept = swept or changes.sweep
        return swept

    def _say(self, reason: str) -> None:
        if reason and not self.down:
            log.warning("source down", source=self.source.name, reason=reason)
        if self.down and not reason:
            log.warning("source back", source=self.source.name)
            self._next_whole_sweep = 0.0  # a restart loses events
        if not self.told or reason != self.down:
            self.ledger.sides.tell(source_side(self.source.name), reason)
        self.down, self.told = reason, True
