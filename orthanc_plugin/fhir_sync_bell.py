# SPDX-License-Identifier: GPL-3.0-or-later
"""The doorbell: one thread that turns any number of changes into one ring."""

import threading

from fhir_sync_log import LOG  # type: ignore[import-not-found]
from fhir_sync_mapper import Mapper, Silence  # type: ignore[import-not-found]

RING_TIMEOUT = 3.0  # seconds; Orthanc's stop waits for a ring under way, so it is short
PAUSE = 0.25  # seconds between two rings: all changes meanwhile become one
BACKOFF = (1.0, 30.0)  # seconds before a failed ring is tried again: at first, at most


class Doorbell:
    """Rings for what was wished, and keeps trying while the mapper is silent."""

    def __init__(self, mapper: Mapper) -> None:
        self.mapper = mapper
        self.changed, self.removed, self.stopping = threading.Event(), threading.Event(), threading.Event()
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, once."""
        if self.thread is None or not self.thread.is_alive():
            self.stopping.clear()
            # A thread that is not a daemon would keep Orthanc from stopping.
            self.thread = threading.Thread(target=self.run, name="fhir-sync", daemon=True)
            self.thread.start()

    def end(self) -> None:
        """Tell the thread to end; return at once."""
        self.stopping.set()
        self.changed.set()

    def join(self) -> None:
        """Wait for the end of the thread, and of a ring under way: Orthanc may tear the interpreter down next."""
        if self.thread is not None:
            self.thread.join(RING_TIMEOUT + 1)

    def wish(self, sweep: bool) -> None:
        """Ask for a ring, with a sweep or without; return at once."""
        if sweep:
            self.removed.set()
        self.changed.set()

    def run(self) -> None:
        """Ring for what was wished until stopped; a wish whose ring failed is wished again."""
        delay, said = 0.0, False
        while self.changed.wait() and not self.stopping.is_set():
            self.changed.clear()
            if sweep := self.removed.is_set():
                self.removed.clear()
            try:
                self.mapper.wake(sweep, RING_TIMEOUT)
            except Silence as silence:
                self.wish(sweep)
                why = f"{silence}. Nothing is lost: the ring is tried again until it is answered"
                said = said or LOG.warn("ring", why)
                delay = min(delay * 2 or BACKOFF[0], BACKOFF[1])
            else:
                if said:
                    LOG.warn("answered", "the mapper answers again")
                delay, said = 0.0, False
            self.stopping.wait(delay or PAUSE)
