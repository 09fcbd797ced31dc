# SPDX-License-Identifier: GPL-3.0-or-later
"""The doorbell: one thread that turns any number of changes into one ring."""

import threading

from fhir_sync_log import LOG  # type: ignore[import-not-found]
from fhir_sync_mapper import Mapper, Silence  # type: ignore[import-not-found]
from fhir_sync_thread import Thread  # type: ignore[import-not-found]

RING_TIMEOUT = 3.0  # seconds; Orthanc's stop waits for a ring under way, so it is short
PAUSE = 0.25  # seconds between two rings: all changes meanwhile become one
BACKOFF = (1.0, 30.0)  # seconds before a failed ring is tried again: at first, at most


class Doorbell(Thread):  # type: ignore[misc]
    """Rings for what was wished, and keeps trying while the mapper is silent."""

    def __init__(self, mapper: Mapper) -> None:
        super().__init__(RING_TIMEOUT)
        self.mapper = mapper
        self.changed, self.removed = threading.Event(), threading.Event()

    def end(self) -> None:
        """Tell the thread to end; return at once."""
        super().end()
        self.changed.set()

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
