"""A small HTTP server on loopback that answers what a test wrote down, in order, and refuses everything else."""

import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    port: int = 0
    """The other side's: requests of one connection have the same."""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Answer:
    """What to answer: `body` is bytes, or anything that JSON can say."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Close the connection in the middle of the body."""
    wait: float = 0.0
    """Seconds before anything is answered."""


CUT = Answer(cut=True)


class Server(ThreadingHTTPServer):
    """Says nothing of a client that left before the end."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what is our own fault alone."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class HttpFake:
    """A context manager; `url` is where it listens, `asked` what arrived, `surprises` what nobody expected.

    `answering` takes the place of a list of answers: a path (with its query) -> the answer, KeyError where it has none.
    """

    def __init__(self, *answers: Answer, answering: Callable[[str], Answer] | None = None) -> None:
        self.answers = list(answers)
        self._answering = answering
        self.asked: list[Asked] = []
        self.surprises: list[str] = []
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.asked.append(Asked(self.command, self.path, dict(self.headers), body, self.client_address[1]))
                if fake._answering:
                    self.reply(fake._answering(self.path))
                    return
                if not fake.answers:
                    fake.surprises.append(f"{self.command} {self.path}")
                    self.send_error(599)
                    return
                self.reply(fake.answers.pop(0))

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

            def reply(self, answer: Answer) -> None:
                if answer.wait:
                    fake._stopping.wait(answer.wait)
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                if answer is CUT:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) + (100 if answer.cut else 0)))
                self.end_headers()
                self.wfile.write(body)
                if answer.cut:
                    self.close_connection = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.002,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if kind is None:
            assert not self.surprises, f"nobody expected {self.surprises}"
            assert not self.answers, f"{len(self.answers)} answers were not asked for"


class Wire:
    """A server that answers every request with the same raw bytes, piece by piece, until the other side leaves.

    `pause` is how long it waits behind each piece; `sent` counts pieces, `left` tells that somebody did not stay
    until the end, `lines` are the first lines of the requests.
    """

    def __init__(self, pieces: Callable[[], Iterable[bytes]], pause: float = 0.0, context: Any = None) -> None:
        self._pieces, self._pause, self._context = pieces, pause, context
        self._stopping = threading.Event()
        self.sent = 0
        self.left = threading.Event()
        self.lines: list[str] = []

    @property
    def url(self) -> str:
        scheme = "https" if self._context else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            request = b""
            while b"\r\n\r\n" not in request:
                if not (more := connection.recv(1 << 16)):
                    return
                request += more
            self.lines.append(request.partition(b"\r\n")[0].decode())
            try:
                for piece in self._pieces():
                    connection.sendall(piece)
                    self.sent += 1
                    if self._stopping.wait(self._pause):
                        return
            except OSError:
                self.left.set()


def wait_until(true: Any, seconds: float = 10.0) -> None:
    """Wait for something that must become true soon."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
