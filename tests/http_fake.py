"""A small HTTP server on loopback that answers what a test wrote down, in order, and refuses everything else."""

import json
import threading
import time
from collections.abc import Mapping
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


class HttpFake:
    """A context manager; `url` is where it listens, `asked` what arrived, `surprises` what nobody expected."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
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

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.asked.append(Asked(self.command, self.path, dict(self.headers), body))
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

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
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


def wait_until(true: Any, seconds: float = 10.0) -> None:
    """Wait for something that must become true soon."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
