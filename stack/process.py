"""One server as a plain process: started detached, found again by its pid file, stopped by its pid."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import requests

from demo.private import UMASK, private_file, private_folder
from stack.ports import LOOPBACK, PortTaken, free_port, is_taken

ROOT = Path(__file__).resolve().parents[1]
POLL = 0.05


class NotReady(RuntimeError):
    """Say that a server did not come up, with the last lines of its log."""


class Process:
    """Run one server in a folder of its own.

    A context manager; or start() in one program and stop() in another.
    """

    name: ClassVar[str]
    port_variable: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    patience: ClassVar[float] = 60
    """Seconds until a start counts as failed."""

    def __init__(self, folder: Path | str, port: int = 0) -> None:
        self.folder = Path(folder).resolve()
        self.port = port or free_port()
        self._child: subprocess.Popen[bytes] | None = None

    # ---- what a server says of itself

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://{LOOPBACK}:{self.port}"

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Return what the server gets beside this program's own environment."""
        return {}

    def prepare(self) -> None:
        """Write what the server needs before it starts; called at every start."""

    def ready(self) -> bool:
        """Ask once whether the server does its work."""
        raise NotImplementedError

    def user(self) -> str | None:
        """Return the user to run as, None for the present one."""
        return None

    # ---- its life

    @property
    def log(self) -> Path:
        """Return the file that holds everything the server printed, start after start."""
        return self.folder / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """Return the file by which another program finds the process."""
        return self.folder / f"{self.name}.pid"

    def start(self) -> Self:
        """Start the process, detached from this one; nothing happens when it already runs on this port."""
        if self.is_alive():
            if self.recorded_port() == self.port:
                return self
            self.stop()
        self.check_port()
        private_folder(self.folder, passage=self.user() is not None)
        self.prepare()
        with private_file(self.log).open("ab") as log:
            self._child = subprocess.Popen(
                self.command(),
                cwd="/",
                env={**os.environ, **self.environment()},
                user=self.user(),
                group=self.user(),
                extra_groups=[] if self.user() else None,
                umask=UMASK,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        pid = self._child.pid
        private_file(self.pid_file).write_text(json.dumps({"pid": pid, "born": _born(pid), "port": self.port}))
        return self

    def check_port(self) -> None:
        """Raise PortTaken when another program holds the port."""
        if self.recorded_port() != self.port and is_taken(self.port):
            raise PortTaken(self.port, self.name, self.port_variable)

    def wait_ready(self, timeout: float | None = None) -> Self:
        """Wait until the server does its work, or raise NotReady with the end of its log."""
        limit = self.patience if timeout is None else timeout
        deadline = time.monotonic() + limit
        while not self.ready():
            if not self.is_alive():
                raise NotReady(f"{self.name} ended while starting; the end of {self.log}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.name} not ready after {limit:g} s; the end of {self.log}:\n{self.log_tail()}")
            time.sleep(POLL)
        return self

    def is_alive(self) -> bool:
        """Tell whether the process runs, whoever started it."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """Return the process id, None when it does not run; a stranger who got the same id does not count."""
        recorded = self._recorded()
        pid = recorded.get("pid")
        if not pid or (born := _born(pid)) is None or born != recorded["born"]:
            return None
        return int(pid)

    def recorded_port(self) -> int | None:
        """Return the port of the process that runs in this folder, None when there is none."""
        return None if self.pid is None else int(self._recorded()["port"])

    def stop(self, grace: float = 30) -> None:
        """Ask the process to end; after the grace, or when it cannot hear, end it."""
        self._signal(self.stop_signal)
        if not self._gone(grace):
            self.kill()
        self.pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a crash does."""
        self._signal(signal.SIGKILL)
        if not self._gone(10):
            raise RuntimeError(f"{self.name} (pid {self.pid}) survived SIGKILL")

    def restart(self) -> Self:
        """Stop, start and wait."""
        self.stop()
        return self.start().wait_ready()

    def clean(self) -> None:
        """Stop the process and remove its folder with all its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_tail(self, lines: int = 25) -> str:
        """Return the last lines of the log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        self.start()
        try:
            return self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _recorded(self) -> dict[str, Any]:
        try:
            recorded: dict[str, Any] = json.loads(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return recorded

    def _signal(self, number: signal.Signals) -> None:
        if (pid := self.pid) is not None:
            os.kill(pid, number)

    def _gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL)
        return True


def answers(url: str, auth: tuple[str, str] | None = None) -> bool:
    """Tell whether a GET of this URL is answered with 200, within two seconds and without any proxy."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, auth=auth, timeout=2).status_code == 200
        except requests.RequestException:
            return False


def _born(pid: int) -> str | None:
    """Return when the process started, in the kernel's own clock; None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    state, threads, born = fields[0], fields[17], fields[19]
    return None if state == "Z" and threads == "1" else born  # a zombie's other threads may still hold its port
