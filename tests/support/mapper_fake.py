"""A mapper for the plugin's tests: a real HTTP server on loopback that refuses what DESIGN does not promise."""

import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

State = dict[str, Any]
Answer = tuple[int, bytes]

UNSEEN = "application/vnd.orthanc-fhir.unseen+json"
NO_SUCH_STUDY: Answer = 404, b'{"message": "no such study"}'
STUDY = re.compile(r"/api/studies/([0-9A-Za-z.-]{1,64})")
SYNC = re.compile(STUDY.pattern + "/sync")
DETAILS = re.compile(STUDY.pattern + r"\?history=([1-9][0-9]?)")


def study_state(uid: str, state: str = "synced", **others: Any) -> State:
    """Make the JSON of a study, as the plugin gives it: what it does not know of is null."""
    empty = {"message": None, "failure": None, "remedy": None, "problems": []}
    links = {"synced_at": None, "fhir_url": None, "page_url": None}
    return {"study_uid": uid, "state": state, **empty, **links, **others}


class MapperFake:
    """Answers /wake and /api/studies; whatever else arrives is kept in `unexpected` and answered with 500."""

    def __init__(self, token: str = "secret-token", port: int = 0) -> None:
        self.token = token
        self.rings: list[bool] = []
        self.asked: list[str] = []
        self.syncs: list[tuple[str, float]] = []
        self.unexpected: list[str] = []
        self.states: dict[str, State] = {}
        self.histories: dict[str, list[Any]] = {}
        """Of each study its syncs, the newest first."""
        self.answer: Callable[[str, str], Answer | None] = lambda method, path: None
        """Answers instead of the fake when it gives something: (method, path) -> (status, body)."""
        self.on_sync: Callable[[str, float], State] = lambda uid, wait: study_state(uid)
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler(self))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.002,), daemon=True)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
        if kind is None:
            assert not self.unexpected, self.unexpected

    def handle(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer a request, or note why it should not have come."""
        if headers.get("authorization") != f"Bearer {self.token}":
            return self.refuse(f"{method} {path}: wrong token", 401)
        if method == "POST" and headers.get("content-type") != "application/json":
            return self.refuse(f"POST {path}: content type {headers.get('content-type')}", 415)
        content: dict[str, Any] = json.loads(body) if method == "POST" else {}
        if (own := self.answer(method, path)) is not None:
            return own
        if method == "POST" and path == "/wake" and content in ({"sweep": True}, {"sweep": False}):
            self.rings.append(content["sweep"])
            return 202, b""
        if method == "POST" and (match := SYNC.fullmatch(path)) and set(content) == {"wait"}:
            uid, wait = match[1], content["wait"]
            self.syncs.append((uid, wait))
            self.states[uid] = self.on_sync(uid, wait)
            return 200, json.dumps(self.states[uid]).encode()
        if method == "GET" and (match := DETAILS.fullmatch(path) or STUDY.fullmatch(path)):
            self.asked.append(match[1])
            if match[1] not in self.states:
                return NO_SUCH_STUDY
            told = dict(self.states[match[1]])
            if match.re is DETAILS:
                told["history"] = self.histories.get(match[1], [])[: int(match[2])]
            return 200, json.dumps(told).encode()
        return self.refuse(f"{method} {path} {body!r}", 500)

    def refuse(self, what: str, status: int) -> Answer:
        self.unexpected.append(what)
        return status, b'{"detail": "unexpected"}'


def handler(mapper: MapperFake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = mapper.handle(self.command, self.path, headers, body)
            try:
                self.send_response(status)
                kind = UNSEEN if (status, answer) == NO_SUCH_STUDY else "application/json"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            except OSError:
                self.close_connection = True  # the plugin's patience was over

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def until(happened: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something has happened; fail when it has not in time."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)
