# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plugin says in Orthanc's log: each kind of line once a minute at most, however often it happens."""

import threading
import time
from collections.abc import Callable

import orthanc  # type: ignore[import-not-found]  # made by Orthanc itself

EVERY = 60.0  # seconds between two lines of one kind


class Log:
    """Counts what it does not say, so that the next line of a kind tells how often it happened meanwhile."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self.write, self.clock = write, clock
        self.lock = threading.Lock()
        self.said: dict[str, float] = {}
        self.unsaid: dict[str, int] = {}

    def warn(self, kind: str, text: str) -> bool:
        """Say a line unless one of its kind was said a short while ago; tell whether it was said."""
        with self.lock:
            now, last = self.clock(), self.said.get(kind)
            if last is not None and now - last < EVERY:
                self.unsaid[kind] = self.unsaid.get(kind, 0) + 1
                return False
            self.said[kind], more = now, self.unsaid.pop(kind, 0)
        self.write(f"FhirSync: {text}" + (f" (and {more} times since this was said last)" if more else ""))
        return True


LOG = Log(orthanc.LogWarning)
