"""One request to an ASGI application as a server hands it over, byte for byte: no client library tidies it up."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

RawHeaders = list[tuple[bytes, bytes]]


@dataclass
class Answered:
    """What came back, and what of the request was left."""

    status: int = 0
    headers: RawHeaders = field(default_factory=list)
    body: bytes = b""
    left: list[bytes] = field(default_factory=list)
    """Pieces of the request's body that nobody took."""

    def header(self, name: str) -> str:
        """Return a header that stands there exactly once."""
        (value,) = [value for known, value in self.headers if known.lower() == name.lower().encode()]
        return value.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    app: ASGIApp,
    method: str = "GET",
    path: str = "/",
    headers: RawHeaders | None = None,
    body: Iterable[bytes] = (),
    **scope: Any,
) -> Answered:
    """Send one request, its body in these pieces."""
    pieces = list(body) or [b""]
    answered = Answered(left=pieces)

    async def receive() -> Message:
        if not pieces:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert answered.status == 0, "answered twice"
            answered.status, answered.headers = message["status"], list(message["headers"])
        else:
            assert answered.status, "a body before the status"
            answered.body += message.get("body", b"")

    given = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="surrogatepass"),
        "query_string": b"",
        "root_path": "",
        "headers": headers or [],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        **scope,
    }
    asyncio.run(app(given, receive, send))  # type: ignore[arg-type]  # an application returns a coroutine
    return answered


SHAPE = {"title", "status", "detail", "message"}
"""What every answer says that is no success (RFC 9457)."""
