"""The guard: nobody gets in who is not known, and no page of another site writes."""

import re
from collections.abc import Callable
from html import escape
from urllib.parse import quote, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapper.web.entrance import Entrance, Refused
from mapper.web.headers import Headers
from mapper.web.paths import LOGIN, OPEN, PROBES, path_of, takes_form
from mapper.web.refusals import Refusals
from mapper.web.visitor import WRITING

Page = Callable[[Scope, Response], ASGIApp]
"""Makes of a refusal what a browser shows."""
RING = "/wake"
LOOPBACK_HOST = re.compile(rb"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
"""The header Host of a request to this machine as clients write it (RFC 9110 section 7.2), and no other spelling."""
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

    def __init__(self, app: ASGIApp, entrance: Entrance, refusals: Refusals, page: Page | None = None) -> None:
        self._app, self._page = app, page
        self._entrance = entrance
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

        headers = Headers(scope["headers"])
        try:
            await self._pass(scope, headers)
            answer = self._app
        except Refused as refused:
            answer = self._refusal(refused, scope, headers)
        await answer(scope, receive, kept_in_check)

    async def _pass(self, scope: Scope, headers: Headers) -> None:
        """Raise Refused for a request that is refused; say in the scope who asks."""
        if size_of_head(scope) > LARGEST_HEAD:
            raise Refused("head")
        if not scope["path"].startswith("/"):
            raise Refused("target")  # RFC 9112 section 3.2: `http://host/path`, `host:port` and `*` name other things
        self._entrance.proxies.place(scope, headers)
        path, method = path_of(scope), scope["method"]
        if path in PROBES:
            return
        if self._entrance.proxies.forged(scope, headers):
            self._refusals.note("forged")
        state = scope.setdefault("state", {})
        state.update(audit=self._entrance.audit, note=self._refusals.note)
        if self._entrance.is_open and not LOOPBACK_HOST.fullmatch(headers.only(b"host")):
            raise Refused("host")
        if path not in OPEN:
            state["admitted"] = admitted = await self._entrance.admit(scope, headers)
            state["visitor"] = admitted.visitor
        if method not in READING:
            refuse_write(path, method, headers)

    def _refusal(self, refused: Refused, scope: Scope, headers: Headers) -> ASGIApp:
        """Return the answer to whoever is not let in; people who look at a page are shown where to log in."""
        if refused.reason in ("no token", "ended") and scope["method"] == "GET" and self._entrance.tokens.any:
            if b"hx-request" in headers:  # a part of a page: the whole page has to be asked for, and leads to the login
                return self._refusals.answer("part")
            if b"text/html" in headers.only(b"accept"):
                query = b"?" + scope["query_string"] if scope["query_string"] else b""
                wanted = quote(quote(path_of(scope), safe="/") + query.decode("latin-1"), safe="/")
                if headers.only(b"sec-fetch-site") == b"cross-site":
                    return again(scope, query)
                return RedirectResponse(f"{scope.get('root_path', '')}{LOGIN}?next={wanted}", 303)
        is_button = takes_form(path_of(scope)) and b"text/html" in headers.only(b"accept")
        if refused.reason in ("no token", "ended") and is_button and self._entrance.tokens.any:
            return RedirectResponse(f"{scope.get('root_path', '')}{LOGIN}", 303)
        answer = self._refusals.answer(refused.reason, ring=path_of(scope) == RING, seconds=refused.seconds)
        if self._page is None or refused.reason == "target" or b"text/html" not in headers.get(b"accept", [b""])[0]:
            return answer
        return self._page(scope, answer)


def again(scope: Scope, query: bytes) -> HTMLResponse:
    """Return a page that asks for the same page once more.

    Who follows a link of another site sends no cookie of ours along (SameSite=Strict), whether logged in or not.
    """
    place = escape(quote(scope["path"].lstrip("/"), safe="/") + query.decode("latin-1"), quote=True)
    return HTMLResponse(
        f'<!doctype html><title>orthanc-fhir</title><meta http-equiv="refresh" content="0;url=/{place}">'
    )


def refuse_write(path: str, method: str, headers: Headers) -> None:
    """Raise Refused for a write of another site, by a method that is none, or of a kind that is not taken there."""
    if method not in WRITING:
        raise Refused("method")
    if not same_site(headers):
        raise Refused("site")
    kind = headers.only(b"content-type").partition(b";")[0].strip().lower()
    if takes_form(path) and kind != b"application/x-www-form-urlencoded":
        raise Refused("no form")
    if not takes_form(path) and kind != b"application/json":
        raise Refused("no json")


def size_of_head(scope: Scope) -> int:
    """Return the bytes of path, query and headers; the parser bounds only what does not arrive at once."""
    sizes = (len(name) + len(value) for name, value in scope["headers"])
    return len(scope["path"]) + len(scope["query_string"]) + sum(sizes)


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
