"""Who gets in: a bearer token or, for browsers, Basic with the token as password; and no cross-site write."""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapper.web.paths import PROBES, path_of, takes_form
from mapper.web.refusals import Refusals
from mapper.web.visitor import WRITING, Role, Visitor

RING = "/wake"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LOOPBACK_HOST = re.compile(rb"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
"""The header Host of a request to this machine as clients write it (RFC 9110 section 7.2), and no other spelling."""
ANYBODY = Visitor("this machine", Role.OPERATE)
"""Whoever asks a service without a token, which answers on loopback only."""
BY_TOKEN = Visitor("token", Role.OPERATE)
"""Who has ORTHANC_FHIR_TOKEN: the plugin, scripts, people."""
LARGEST_HEAD = 16 * 1024
READING = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with none at all browsers send our own forms as `Origin: null`
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class Guard:
    """Refuses every request that has no business here, before any route sees it; keeps browsers in check.

    It looks at nothing but the path and the headers as they came: whatever is put together of them (a URL with the
    header Host in it) may be read in two ways.
    """

    def __init__(self, app: ASGIApp, token: str | None, refusals: Refusals) -> None:
        self._app = app
        self._token = token.encode() if token is not None else None
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or let the request pass."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": f"{scope['type']}.close"})
            return

        async def kept_in_check(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message.setdefault("headers", [])}
                message["headers"] = [*message["headers"], *(one for one in RAW_HEADERS if one[0] not in there)]
            await send(message)

        reason = self.reason(scope)
        if not reason and path_of(scope) not in PROBES:
            scope.setdefault("state", {})["visitor"] = ANYBODY if self._token is None else BY_TOKEN
        answer = self._refusals.answer(reason, ring=path_of(scope) == RING) if reason else self._app
        await answer(scope, receive, kept_in_check)

    def reason(self, scope: Scope) -> str:
        """Return why a request is refused, a key of REFUSALS, or an empty text."""
        path, method = path_of(scope), scope["method"]
        if size_of_head(scope) > LARGEST_HEAD:
            return "head"
        if not path.startswith("/"):
            return "target"  # RFC 9112 section 3.2: `http://host/path`, `host:port` and `*` name other things
        if path in PROBES:
            return ""
        headers = Headers(scope["headers"])
        if self._token is None:
            if not LOOPBACK_HOST.fullmatch(headers.only(b"host")):
                return "host"
        elif not hmac.compare_digest(presented(headers), self._token):
            return "wrong token" if b"authorization" in headers else "no token"
        if method in READING:
            return ""
        if method not in WRITING:
            return "method"
        if not same_site(headers):
            return "site"
        kind = headers.only(b"content-type").partition(b";")[0].strip().lower()
        if takes_form(path):
            return "" if kind == b"application/x-www-form-urlencoded" else "no form"
        return "" if kind == b"application/json" else "no json"


class Headers(dict[bytes, list[bytes]]):
    """The headers of a request as bytes, by name; each with every value that was sent."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__()
        for name, value in raw:
            self.setdefault(name.lower(), []).append(value)

    def only(self, name: bytes) -> bytes:
        """Return the value of a header that was sent once, else nothing."""
        values = self.get(name, [])
        return values[0] if len(values) == 1 else b""


def size_of_head(scope: Scope) -> int:
    """Return the bytes of path, query and headers; the parser bounds only what does not arrive at once."""
    sizes = (len(name) + len(value) for name, value in scope["headers"])
    return len(scope["path"]) + len(scope["query_string"]) + sum(sizes)


def presented(headers: Headers) -> bytes:
    """Return the token that a request shows, or nothing."""
    scheme, _, value = headers.only(b"authorization").partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""


def same_site(headers: Headers) -> bool:
    """Tell whether a write comes from our own pages, or from no browser at all."""
    if not {*headers.get(b"sec-fetch-site", [])} <= {b"none", b"same-origin"}:
        return False
    if b"origin" not in headers:
        return True
    try:
        origin = urlsplit(headers.only(b"origin").decode("ascii"))
    except ValueError:
        return False
    host = headers.only(b"host").decode("latin-1")
    return bool(host) and origin.scheme in ("http", "https") and origin.netloc == host
