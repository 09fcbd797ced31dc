# SPDX-License-Identifier: GPL-3.0-or-later
"""How many of Orthanc's threads may do one thing at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """So many threads at once; whoever finds no place is told so."""

    def __init__(self, number: int) -> None:
        self.free = threading.Semaphore(number)

    @contextmanager
    def one(self, patience: float = 0.0) -> Iterator[bool]:
        """Hold a place, if there is one within so many seconds; tell whether there is."""
        held = self.free.acquire(timeout=patience)
        try:
            yield held
        finally:
            if held:
                self.free.release()
