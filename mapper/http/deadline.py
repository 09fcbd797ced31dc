"""Connections whose answers have to be complete by a point in time, from the first header to the last byte.

A timeout alone is one of each read: a server that sends a byte now and then is never late by it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from socket import socket
from time import monotonic
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse as Response

_DEADLINE: ContextVar[float] = ContextVar("deadline")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Have everything that is asked and answered inside take so many seconds at the most."""
    before = _DEADLINE.set(monotonic() + seconds)
    try:
        yield
    finally:
        _DEADLINE.reset(before)


def left(deadline: float) -> float:
    """Return the seconds until a point in time; raises TimeoutError when it is over."""
    seconds = deadline - monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class _Ticking(RawIOBase):
    """The bytes that come through a socket before the deadline."""

    def __init__(self, sock: socket, raw: RawIOBase, deadline: float) -> None:
        self._sock, self._raw, self._deadline = sock, raw, deadline

    def readable(self) -> bool:
        """Tell that one can read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there; raises TimeoutError when nothing comes before the deadline."""
        self._sock.settimeout(left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Give the socket back."""
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer that is read until the deadline."""

    def __init__(self, sock: socket, *args: Any, **given: Any) -> None:
        super().__init__(sock, *args, **given)
        self.fp: BufferedReader = BufferedReader(_Ticking(sock, self.fp.detach(), _DEADLINE.get()))


class _InTime(HTTPConnection):
    """A connection that sends a request and reads its answer until the deadline."""

    response_class = _Answer

    def connect(self) -> None:
        """Connect, within the time for that, and give what comes next all that is left."""
        super().connect()
        self.sock.settimeout(left(_DEADLINE.get()))

    def request(self, *args: Any, **given: Any) -> None:
        """Send a request."""
        if self.sock is not None:
            self.sock.settimeout(left(_DEADLINE.get()))
        super().request(*args, **given)

    def getresponse(self) -> Response:  # type: ignore[override]
        """Read the head of an answer."""
        self.timeout = left(_DEADLINE.get())
        return super().getresponse()


class _InTimeOverTls(_InTime, HTTPSConnection):
    """The same over TLS."""


class Pool(HTTPConnectionPool):
    """Connections to one server whose answers come in time or not at all."""

    ConnectionCls = _InTime


class TlsPool(HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _InTimeOverTls


POOLS = {"http": Pool, "https": TlsPool}
