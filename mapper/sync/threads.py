"""The threads of a running service: one that marks, some that work, one that keeps the leases and the sign of life."""

import threading
import time
from collections.abc import Callable
from functools import partial

from mapper.errors import LedgerFailed
from mapper.ledger.claiming import LEASE
from mapper.ledger.ledger import Ledger
from mapper.ledger.owner import new_owner
from mapper.log import logger
from mapper.sync.triggers import POLL, Bell, Triggers
from mapper.sync.worker import Worker

IDLE = 1.0
STOP_WITHIN = 30.0
ALIVE, ALIVE_FOR = "alive", 15.0
SIGN = ALIVE_FOR / 3
"""Seconds between two signs of life: however long a sweep takes, whoever else starts must see that we work."""
DAY, FORGETS_EVERY = 24 * 3600.0, 600.0
SWEEP_ASKED = "sweep asked"
log = logger(__name__)


class Threads:
    """Starts the threads of a service, and stops them when their study is done."""

    def __init__(self, worker: Worker, triggers: list[Triggers], bell: Bell, workers: int, days: int = 90) -> None:
        self._worker, self._triggers, self._bell, self._days = worker, triggers, bell, days
        self._workers, self._next_forgetting = workers, 0.0
        self._stopping = threading.Event()
        self._work = threading.Event()
        targets = [("triggers", self._mark), ("leases", self._keep)]
        targets += [(f"worker-{number}", self._sync) for number in range(1, workers + 1)]
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in targets]
        self.alive_at = time.monotonic()
        """When the marking thread last came round: `readyz` looks at it."""
        self._name = new_owner()

    def start(self) -> None:
        """Start all threads."""
        self._worker.ledger.studies.take_back()
        self._worker.staff(self._workers)
        self._guarded(self._sign)  # before any work: whoever starts beside us must see it
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the studies that are being synced now; what is left stays dirty in the ledger."""
        self._stopping.set()
        self._bell.ring()
        self._work.set()
        until = time.monotonic() + STOP_WITHIN
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _mark(self) -> None:
        while not self._stopping.is_set():
            self._guarded(self._mark_once)
            self._work.set()
            self.alive_at = time.monotonic()
            self._bell.wait(POLL)

    def _mark_once(self) -> None:
        """Look after every source that no other replica looks after."""
        ledger = self._worker.ledger
        if self._bell.sweep_asked.is_set():
            self._bell.sweep_asked.clear()
            ledger.meta.put(SWEEP_ASKED, str(ledger.clock()))  # whoever leads reads it
        asked = float(ledger.meta.get(SWEEP_ASKED) or 0.0)
        for triggers in self._triggers:
            if ledger.meta.lead(triggers.source.name, self._name):
                self._guarded(partial(triggers.turn, sweep_asked=asked))
        if time.monotonic() >= self._next_forgetting and ledger.meta.lead("history", self._name):
            self._forget(ledger)

    def _forget(self, ledger: Ledger) -> None:
        """Forget syncs of long ago, a batch a turn: the history has a bounded age, and nobody waits for it."""
        number = ledger.history.forget(ledger.clock() - self._days * DAY)
        self._next_forgetting = time.monotonic() + (0.0 if number else FORGETS_EVERY)

    def _sync(self) -> None:
        while not self._stopping.is_set():
            if not self._guarded(self._worker.turn):
                self._work.wait(IDLE)
                self._work.clear()

    def _keep(self) -> None:
        """Tell others that somebody works on this ledger, and lengthen our leases."""
        ledger = self._worker.ledger
        extended = time.monotonic()
        while not self._stopping.is_set():
            self._guarded(self._sign)
            if time.monotonic() >= extended + LEASE / 4:
                extended = time.monotonic()
                for claim in list(self._worker.claims.values()):
                    self._guarded(partial(ledger.studies.extend, claim))
            self._stopping.wait(SIGN)
        self._guarded(partial(ledger.meta.put, ALIVE, "0"))

    def _sign(self) -> None:
        ledger = self._worker.ledger
        ledger.meta.put(ALIVE, str(ledger.clock()))

    def _guarded(self, do: Callable[[], object]) -> bool:
        """Run one turn; a ledger that cannot be written must not end the thread."""
        return guarded(do, self._stopping)


def guarded(do: Callable[[], object], stopping: threading.Event) -> bool:
    """Run one turn of a thread; one that fails is logged, and a pause follows."""
    try:
        return bool(do())
    except Exception as error:  # nothing was acknowledged that is not stored; the turn comes again
        log.error("turn failed", error=error.kind if isinstance(error, LedgerFailed) else type(error).__name__)
        stopping.wait(IDLE)
        return False


def somebody_works(ledger: Ledger) -> bool:
    """Tell whether a service is working on this ledger."""
    return float(ledger.meta.get(ALIVE) or 0.0) > ledger.clock() - ALIVE_FOR
