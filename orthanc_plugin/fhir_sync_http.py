# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP request whose answer has to be there, whole, by a deadline, and is bounded in size.

A socket's own timeout is for each read: an answer of one byte a second never outlasts it. Here it is what is left
until the deadline. Only the look-up of the host's name takes the time that the resolver takes.
No proxy of the environment is used and no redirect followed: either would carry the token elsewhere.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import SplitResult

HEAD = 256 << 10  # bytes of status line, headers and chunk sizes

Buffer = Any  # collections.abc.Buffer, which Python 3.11 does not have


class Answer(NamedTuple):
    """What came back; the body is cut at the bound that was given, and not read of a failure."""

    status: int
    content_type: str
    body: bytes


class Request(NamedTuple):
    """What is sent: a POST when there is a body."""

    path: str
    headers: Mapping[str, str]
    body: bytes | None = None


def exchange(url: SplitResult, request: Request, seconds: float, most: int, tls: ssl.SSLContext | None) -> Answer:
    """Send one request to the server of a URL, and read so many bytes of its answer's body within so many seconds.

    Raise TimeoutError when the time is over, another OSError when there is no connection, and
    http.client.HTTPException or ValueError when what comes is not HTTP.
    """
    end = time.monotonic() + seconds
    host, port = str(url.hostname), url.port or (80 if tls is None else 443)
    plain, secure = http.client.HTTPConnection, http.client.HTTPSConnection
    connection = plain(host, port) if tls is None else secure(host, port, context=tls)
    try:
        connection.sock = cast(socket.socket, Timed(connected(host, port, end, tls), end, most + HEAD))
        connection.request("GET" if request.body is None else "POST", request.path, request.body, dict(request.headers))
        with connection.getresponse() as response:
            body = response.read(most) if 200 <= response.status < 300 else b""
            return Answer(response.status, response.headers.get_content_type(), body)
    finally:
        connection.close()


def connected(host: str, port: int, end: float, tls: ssl.SSLContext | None) -> socket.socket:
    """Give a socket connected to the first address of a host that takes it."""
    failure = OSError("the host has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left(end))
            sock.connect(address)
            if tls is not None:
                sock.settimeout(left(end))  # for the whole of the handshake
                sock = tls.wrap_socket(sock, server_hostname=host)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def left(end: float) -> float:
    """Give the seconds until then; raise TimeoutError when there are none."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline is over")
    return seconds


class Timed:
    """As much of a socket as http.client uses, with a deadline and an end to what it receives."""

    def __init__(self, sock: socket.socket, end: float, most: int) -> None:
        self.sock, self.end, self.most = sock, end, most

    def sendall(self, data: bytes) -> None:
        self.sock.settimeout(left(self.end))
        self.sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(Pieces(self.sock, self.end, self.most))

    def close(self) -> None:
        self.sock.close()


class Pieces(io.RawIOBase):
    """What a socket receives, piece by piece, until a deadline, and so many bytes at most."""

    def __init__(self, sock: socket.socket, end: float, most: int) -> None:
        self.sock, self.end, self.most = sock, end, most
        self.raw = sock.makefile("rb", buffering=0)  # keeps the socket open while http.client closes it

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int | None:
        self.sock.settimeout(left(self.end))
        size = self.raw.readinto(buffer)
        self.most -= size or 0
        if self.most < 0:
            raise http.client.HTTPException("the answer has no end")
        return size

    def close(self) -> None:
        self.raw.close()
        super().close()
