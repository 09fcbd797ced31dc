"""A backfill into FHIR goes through the ledger: live work and backfill never do one study twice.

What the ledger does not know in the archive's state is marked behind all else; the worker of `serve` does the rest,
here or in a service that runs already.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from mapper.jobs.batches import batches
from mapper.jobs.executors import Crew
from mapper.jobs.hours import Hours
from mapper.jobs.patience import Patience
from mapper.jobs.reading import Recipe
from mapper.jobs.remote import Remote, mapped_there
from mapper.ledger.claim import BEHIND
from mapper.ledger.claiming import LEASE
from mapper.ledger.ledger import Ledger
from mapper.service import Service
from mapper.sources.source import Source
from mapper.sync.threads import ALIVE, guarded
from mapper.sync.worker import Worker

AT_ONCE = 500
"""Studies that are marked in one transaction."""
POLL = 0.5
LONGEST_WAIT = 30.0


def take_in(
    ledger: Ledger,
    source: Source,
    tell: Callable[[int], object] = lambda number: None,
    patience: Patience | None = None,
) -> int:
    """Mark what a source lists and the ledger does not know in this state, behind all else; returns how many.

    Raises SourceDown or SourceBusy when patience is over; what was marked until then stays so.
    """
    marked = listed = 0
    for some in batches((patience or Patience(seconds=0.0)).listing(source.listing), AT_ONCE):
        listed += sum(not again for _, again in some)
        ripe = {one.id: one for one, _ in some if one.stable and one.study_uid}  # what is listed anew comes twice
        marked += ledger.seen.take_in(source.name, ripe.values(), BEHIND)
        tell(listed)
    return marked


def crew_worker(service: Service, crew: Crew) -> Worker:
    """Return the service's worker with its studies read and mapped by a crew: this process decides and delivers."""
    settings, worker = service.settings, service.worker
    remote: dict[str, Source] = {
        name: Remote(source, Recipe(settings, name, service.namespace), crew) for name, source in worker.sources.items()
    }
    return replace(worker, sources=remote, mapping=mapped_there)


class Shift:
    """Threads that sync what is due, until nothing is or somebody says stop."""

    def __init__(self, worker: Worker, threads: int, hours: Hours | None = None) -> None:
        self._worker, self._hours = worker, hours
        worker.staff(threads)
        self._stopping = threading.Event()
        self.failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._work, name=f"shift-{one}", daemon=True) for one in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._keep, name="leases", daemon=True))

    def run(self, progress: Callable[[], object]) -> None:
        """Work until nothing is due, and until others are done with what they took of it.

        Raises what a thread could not go on with. An interrupt ends it after the studies that are in work: the rest
        stays in line.
        """
        for thread in self._threads:
            thread.start()
        try:
            while not self._stopping.is_set() and self._is_open():
                progress()
                self._stopping.wait(POLL)
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join()
        if self.failure:
            raise self.failure
        progress()

    def _is_open(self) -> bool:
        rows = self._worker.ledger.rows
        return bool(self._worker.claims) or rows.next_due() is not None or rows.behind() > 0

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._hours and (pause := self._hours.wait()):
                    self._stopping.wait(min(pause, LONGEST_WAIT))
                elif not self._worker.turn():
                    self._stopping.wait(POLL)
        except BaseException as failure:
            self.failure = failure
            self._stopping.set()

    def _keep(self) -> None:
        """Lengthen leases, and tell others that somebody works here; a ledger that fails at it is asked again."""
        ledger, extended = self._worker.ledger, time.monotonic()
        while not self._stopping.is_set():
            guarded(lambda: ledger.meta.put(ALIVE, str(ledger.clock())), self._stopping)
            if time.monotonic() >= extended + LEASE / 4:
                extended = time.monotonic()
                for claim in list(self._worker.claims.values()):
                    guarded(partial(ledger.studies.extend, claim), self._stopping)
            self._stopping.wait(5.0)
        guarded(partial(ledger.meta.put, ALIVE, "0"), self._stopping)
