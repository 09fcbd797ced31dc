"""A deadline for the whole of an answer: against servers that talk, slowly or without end, and never finish in time."""

import http.client
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import pytest

from orthanc_plugin.fhir_sync_http import HEAD, Answer, Request, exchange

SECONDS = 0.4
"""The deadline."""
PIECE = 0.05
"""Seconds between two pieces of a slow answer: no single read takes as long as the deadline."""
PIECES = 100
"""Pieces after which a slow answer is whole: much later than the deadline."""
MOST = 4 << 20
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Script = Callable[[], Iterator[bytes]]


class Talker:
    """A server on loopback that reads a request, says what a script yields, and notes whether it was let finish."""

    def __init__(self, script: Script, pause: float = 0.0, request_ends: bytes = b"\r\n\r\n") -> None:
        self.script, self.pause, self.request_ends = script, pause, request_ends
        self.finished = False
        self.sent = 0
        self.stopping = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.thread.join(10)
        self.listener.close()
        assert not self.thread.is_alive()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self) -> None:
        connection = self.listener.accept()[0]
        with connection:
            connection.settimeout(5)
            while not connection.recv(65536).endswith(self.request_ends):
                pass
            try:
                for piece in self.script():
                    connection.sendall(piece)
                    self.sent += len(piece)
                    if self.stopping.wait(self.pause):
                        return
            except OSError:
                return  # the plugin has hung up
            self.finished = True


def drop_by_drop(text: bytes) -> Script:
    """Say a text in pieces, so that it is whole after many of them."""
    size = -(-len(text) // PIECES)
    return lambda: (text[start : start + size] for start in range(0, len(text), size))


def forever(first: bytes, *others: bytes) -> Script:
    """Say something again and again."""
    return lambda: itertools.chain([first], itertools.cycle(others))


def chunks(number: int) -> bytes:
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * number + b"0\r\n\r\n"


BODY = OK + b"Content-Length: 2000\r\n\r\n"
SLOW: dict[str, Script] = {
    "status line": drop_by_drop(b"HTTP/1.1 200 " + b"O" * 300 + b"\r\n\r\n"),
    "headers": drop_by_drop(OK + b"X: y\r\n" * 50 + b"Content-Length: 0\r\n\r\n"),
    "one long header": drop_by_drop(OK + b"X: " + b"y" * 400 + b"\r\nContent-Length: 0\r\n\r\n"),
    "body": lambda: itertools.chain([BODY], drop_by_drop(b" " * 2000)()),
    "body without length": lambda: itertools.chain([OK + b"\r\n"], drop_by_drop(b" " * 2000)()),
    "chunks": drop_by_drop(chunks(100)),
    "one chunk": drop_by_drop(OK + b"Transfer-Encoding: chunked\r\n\r\n400\r\n" + b" " * 1024 + b"\r\n0\r\n\r\n"),
    "size of a chunk": drop_by_drop(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 300 + b"1\r\n \r\n0\r\n\r\n"),
    "trailers": drop_by_drop(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 50 + b"\r\n"),
    "goes on with 100": drop_by_drop(b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + OK + b"Content-Length: 0\r\n\r\n"),
    "nothing at all": lambda: itertools.repeat(b"", PIECES),
    "nothing after the headers": lambda: itertools.chain([BODY], itertools.repeat(b"", PIECES)),
}


def ask(talker: Talker, seconds: float = SECONDS, most: int = MOST) -> Answer:
    return exchange(urlsplit(talker.url), Request("/x", {}), seconds, most, None)


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW.keys())
def test_a_slow_answer_ends_with_the_deadline(script: Script) -> None:
    with Talker(script, PIECE) as talker:
        with pytest.raises(TimeoutError):
            ask(talker)
        assert not talker.finished


HANDSHAKES: dict[str, Script] = {
    "nothing at all": lambda: itertools.repeat(b"", PIECES),
    "a record": drop_by_drop(b"\x16\x03\x03\x10\x00" + b"\x02" + bytes(1000)),
}


@pytest.mark.parametrize("script", HANDSHAKES.values(), ids=HANDSHAKES.keys())
def test_a_slow_handshake_ends_with_the_deadline(script: Script) -> None:
    with Talker(script, PIECE, request_ends=b"") as talker:
        secure = urlsplit(talker.url.replace("http:", "https:"))
        with pytest.raises(TimeoutError):
            exchange(secure, Request("/x", {}), SECONDS, MOST, ssl.create_default_context())
        assert not talker.finished


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW.keys())
def test_the_same_answers_are_taken_in_time(script: Script) -> None:
    """Without the pauses; where nothing is said, the server hangs up."""
    with Talker(script) as talker:
        if next(iter(script())) == b"":
            with pytest.raises(http.client.RemoteDisconnected):
                ask(talker, 30)
        else:
            assert ask(talker, 30).status == 200


KIB = b"x" * 1023 + b"\n"
ENDLESS: dict[str, Script] = {
    "status line": forever(b"HTTP/1.1 200 ", b"x" * 1024),
    "headers": forever(OK, b"X: y\r\n"),
    "one header": forever(OK + b"X: ", b"x" * 1024),
    "goes on with 100": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "size of a chunk": forever(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 1024),
    "trailers": forever(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", KIB),
    "a chunk of negative size": forever(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", KIB),
    "empty extensions": forever(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 1024 + b"\r\n \r\n"),
}


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS.keys())
def test_an_answer_without_end_is_bounded_in_size(script: Script) -> None:
    with Talker(script) as talker:
        with pytest.raises((http.client.HTTPException, ValueError)):
            ask(talker, 60, 1 << 20)
        talker.thread.join(10)
        assert not talker.finished
        assert talker.sent < (1 << 20) + HEAD + (16 << 20), "more than it and the sockets between us can hold"


@pytest.mark.parametrize("head", [OK + b"\r\n", OK + b"Content-Length: 999999999999\r\n\r\n"])
def test_of_a_body_without_end_the_beginning_is_read(head: bytes) -> None:
    with Talker(forever(head, KIB)) as talker:
        assert len(ask(talker, 60, 1 << 20).body) == 1 << 20


@pytest.mark.parametrize("status", [101, 204, 301, 302, 307, 400, 401, 404, 500, 599])
def test_the_body_of_a_failure_is_not_read(status: int) -> None:
    head = f"HTTP/1.1 {status} x\r\nLocation: http://127.0.0.1:1/\r\nContent-Type: text/html\r\n\r\n".encode()
    with Talker(forever(head, KIB)) as talker:
        assert ask(talker, 60) == Answer(status, "text/html", b"")


BROKEN = {
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "half a status": b"HTTP/1.1",
    "a status of another kind": b"HTTP/1.1 ok\r\n\r\n",
    "a status of 10,000 digits": b"HTTP/1.1 " + b"2" * 10_000 + b" OK\r\n\r\n",
    "a chunk of no size": OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
}


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_not_http_is_said_so(said: bytes) -> None:
    with Talker(lambda: iter([said])) as talker, pytest.raises((http.client.HTTPException, ValueError, OSError)):
        ask(talker, 60)


def test_a_server_that_takes_no_connection_ends_with_the_deadline() -> None:
    """A listener with a full queue: the connection itself hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port, waiting = listener.getsockname()[1], []
        try:
            for _ in range(8):  # more than the queue takes
                waiting.append(socket.socket())
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex(("127.0.0.1", port))
            with pytest.raises(TimeoutError):
                exchange(urlsplit(f"http://127.0.0.1:{port}"), Request("/x", {}), SECONDS, MOST, None)
        finally:
            for one in waiting:
                one.close()


def test_the_next_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed, Talker(lambda: iter([OK + b"Content-Length: 0\r\n\r\n"])) as talker:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody is there
        here = [closed.getsockname(), talker.listener.getsockname()]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in here]
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, type: found)
        assert exchange(urlsplit("http://mapper:8000"), Request("/x", {}), 60, MOST, None).status == 200


@pytest.mark.parametrize("number", [0, 2])
def test_a_host_none_of_whose_addresses_takes_it(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", closed.getsockname())] * number
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, type: found)
        with pytest.raises(OSError, match="refused" if number else "no address"):
            exchange(urlsplit("http://mapper:8000"), Request("/x", {}), 60, MOST, None)
