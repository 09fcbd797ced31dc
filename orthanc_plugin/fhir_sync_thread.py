# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread of the plugin: started once, told to end, and waited for."""

import threading


class Thread:
    """Runs `run` beside Orthanc until it is told to end; who derives from it says what, and how long its end takes."""

    def __init__(self, longest: float) -> None:
        self.longest = longest  # seconds that a question under way may take
        self.stopping = threading.Event()
        self.thread: threading.Thread | None = None

    def run(self) -> None:
        """Work until `stopping` is set."""
        raise NotImplementedError

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

    def join(self) -> None:
        """Wait for its end, and that of a question under way: Orthanc may tear the interpreter down next."""
        if self.thread is not None:
            self.thread.join(self.longest + 1)
