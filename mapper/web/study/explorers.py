"""Which Orthancs have Orthanc Explorer 2: asked beside the pages, which never wait for a PACS that hangs."""

import threading
import time
from collections.abc import Callable, Collection

from mapper.errors import MapperError

PLUGIN = "orthanc-explorer-2"
"""As `/plugins` names it."""
STANDS, ASKS_AGAIN = 3600.0, 60.0
"""Seconds for which an answer stands, and after which one that failed is asked for again."""


class Explorers:
    """Remembers for each source what it said; one question a source at a time."""

    def __init__(self, plugins: Callable[[str], Collection[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._plugins, self._clock = plugins, clock
        self._lock = threading.Lock()
        self._known: dict[str, bool] = {}
        self._until: dict[str, float] = {}
        self._asking: dict[str, threading.Thread] = {}

    def has_2(self, source: str) -> bool:
        """Tell whether it is there, as far as is known by now."""
        with self._lock:
            if source not in self._asking and self._clock() >= self._until.get(source, 0.0):
                asking = threading.Thread(target=self._ask, args=(source,), daemon=True)
                try:
                    asking.start()
                except RuntimeError:  # no more threads now: the next page tries again
                    return self._known.get(source, False)
                self._asking[source] = asking  # it lets go of it under the lock, so not before
            return self._known.get(source, False)

    def wait(self) -> None:
        """Wait for what is being asked."""
        for asking in [*self._asking.values()]:
            asking.join()

    def _ask(self, source: str) -> None:
        stands = ASKS_AGAIN
        try:
            self._known[source] = PLUGIN in self._plugins(source)
            stands = STANDS
        except MapperError:  # whoever asks for a study there says so
            pass
        finally:
            with self._lock:
                self._until[source] = self._clock() + stands
                del self._asking[source]
