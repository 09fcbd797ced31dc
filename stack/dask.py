"""A Dask cluster as plain processes on loopback: a scheduler, and workers of one thread each."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from stack.ports import LOOPBACK, free_port

DASK = str(Path(sys.executable).parent / "dask")
GRACE = 20


class DaskCluster:
    """A scheduler and workers, started by entering it and killed by leaving it; their logs are in its folder."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self._folder, self._number = folder, workers
        self._running = ExitStack()
        self.address = f"tcp://{LOOPBACK}:{free_port()}"
        self.workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.scheduler = self.start_scheduler()
        self.workers = [self.start_worker() for _ in range(self._number)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        """Start a scheduler at the cluster's address."""
        port = self.address.rpartition(":")[2]
        return self._start("scheduler", "--host", LOOPBACK, "--port", port, "--no-dashboard", "--no-show")

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """Start one worker more."""
        options = ["--nthreads", "1", "--nworkers", "1", "--no-nanny", "--no-dashboard", "--host", LOOPBACK]
        return self._start("worker", self.address, *options, "--local-directory", str(self._folder))

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        log = (self._folder / f"{arguments[0]}.log").open("ab")
        process = subprocess.Popen([DASK, *arguments], stdout=log, stderr=log, cwd=self._folder)
        self._running.callback(log.close)
        self._running.callback(process.wait, GRACE)
        self._running.callback(process.kill)
        return process
