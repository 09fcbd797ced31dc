"""An application behind a real socket, served as `serve` does it; and a client that sends what no library would."""

import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from mapper.commands.server import config_of
from mapper.rate_limit import RateLimit
from mapper.web.connection import SECONDS, connection_of
from mapper.web.refusals import Refusals
from mapper.web.room import listeners
from tests.support.http_fake import wait_until

PATIENCE = 20.0
"""Seconds after which a test gives up; nothing is expected to take that long."""


class Served:
    """A context manager; `reasons` are those for which requests and connections were refused."""

    def __init__(
        self, app: ASGIApp, *, most: int = 100, seconds: Mapping[str, float] = SECONDS, refusals: Refusals | None = None
    ) -> None:
        self.reasons: list[str] = []
        refusals = refusals or Refusals(self.reasons.append, RateLimit(clock=lambda: 0.0))
        self._sockets = listeners("127.0.0.1", 0)
        self.port = int(self._sockets[0].getsockname()[1])
        self.protocol = connection_of(most, refusals, seconds)
        self._server = uvicorn.Server(config_of(app, self.protocol))
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: self._server.started)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    @property
    def held(self) -> int:
        """How many connections the server holds."""
        return len(self.protocol.line)

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send bytes on a connection of their own; return status and all that came back, 0 for nothing."""
        with self.connect() as client:
            client.sendall(request)
            return answer(client)


def answer(client: socket.socket) -> tuple[int, bytes]:
    """Read until the server closes; return status and everything, 0 when it closed without a word."""
    arrived = bytearray()
    try:
        while piece := client.recv(65536):
            arrived += piece
    except ConnectionResetError:
        pass
    return (int(arrived.split(b" ", 2)[1]) if arrived else 0), bytes(arrived)


def get(path: str, *headers: str, version: str = "1.1") -> bytes:
    """Return the bytes of a GET after which the server closes."""
    lines = [f"GET {path} HTTP/{version}", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")
