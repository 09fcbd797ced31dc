"""A HTTP proxy on loopback that stands before a server and answers in its place when a dice says so."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, Self
from urllib.parse import urlsplit

from stack.ports import LOOPBACK

SLOW = 7.0
"""Seconds: longer than the mapper of these tests waits for an answer."""
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding"})
STATUSES = {409: {}, 412: {}, 429: {"Retry-After": "1"}, 500: {}, 503: {}}
OF_FHIR = {"409": 4, "412": 1, "429": 3, "500": 3, "503": 4, "timeout": 1, "cut before": 3, "cut after": 4}
OF_ORTHANC = {"500": 3, "503": 1, "timeout": 1, "cut before": 1, "cut after": 1}
"""How often each fault is chosen among them: `before` the server saw the request, or `after` it did its work."""


class Proxy:
    """Hands requests on to a server; `writes` of those that write go wrong, and `reads` of those that read."""

    def __init__(
        self, upstream: str, seed: str = "", name: str = "server", weights: Mapping[str, int] = OF_FHIR
    ) -> None:
        self.upstream = urlsplit(upstream)
        self.name, self.weights = name, weights
        self.random, self.writes, self.reads = Random(seed), 0.0, 0.0
        self.faults: Counter[str] = Counter()
        self.flight: Callable[[bytes], AbstractContextManager[object]] = nullcontext
        """Entered with the body of what is written while the server has it."""
        self.edit: Callable[[str, bytes], bytes] = lambda path, content: content
        """Given path and content of every answer: what the client gets instead."""
        self._lock = threading.Lock()
        handler = type("Handler", (Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer((LOOPBACK, 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Return the base under which the FHIR server is reached through here."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}{self.upstream.path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault(self, method: str) -> str:
        """Throw the dice for one request; an empty text: it goes well."""
        with self._lock:
            if self.random.random() >= (self.reads if method == "GET" else self.writes):
                return ""
            chosen = self.random.choices(list(self.weights), list(self.weights.values()))[0]
            self.faults[f"{self.name}: {chosen}"] += 1
            return chosen


class Handler(BaseHTTPRequestHandler):
    """One connection of a client; each of its requests gets a new connection to the server behind."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    proxy: Proxy

    def do_GET(self) -> None:
        """Pass on, or spoil, one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.fault(self.command)
        if fault.isdigit():
            return self.answer(int(fault), STATUSES[int(fault)], b'{"resourceType":"OperationOutcome","issue":[]}')
        if fault == "cut before":
            return self.cut()
        try:
            with self.proxy.flight(body) if self.command != "GET" else nullcontext():
                status, headers, content = self.ask(body)
        except (OSError, HTTPException):
            return self.answer(502, {}, b"")
        if fault == "timeout":
            time.sleep(SLOW)
        if fault in ("cut after", "timeout"):
            return self.cut()
        return self.answer(status, headers, self.proxy.edit(self.path, content))

    do_POST = do_PUT = do_DELETE = do_GET

    def ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the server."""
        server = HTTPConnection(str(self.proxy.upstream.hostname), self.proxy.upstream.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        try:
            server.request(self.command, self.path, body or None, headers)
            answer = server.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
            return answer.status, kept, answer.read()
        finally:
            server.close()

    def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        """Send an answer."""
        try:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the client was killed
            self.close_connection = True

    def cut(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True

    def handle(self) -> None:
        """Serve until the client goes, also when it was killed."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *_: Any) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Close the connection, also when the client is gone."""
        with suppress(OSError):
            super().finish()
