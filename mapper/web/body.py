"""How much may come in: the size of a body, how deep it nests, and how many requests run at once."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapper.nesting import too_deep
from mapper.web.paths import LOGIN, PROBES, path_of, takes_form
from mapper.web.refusals import Refusals

LARGEST = 1_000_000
"""Bytes of a body: a thousand UIDs need a tenth of it."""
LARGEST_LOGIN = 8000
"""The same of the login, which anybody may send: of some hundred connections it is no more than memory for little."""
DEEPEST = 8
AT_ONCE = 64
"""Requests that run at one time, probes not counted: more than the threads that answer them."""


class Places:
    """A number of places; whoever finds none goes on without."""

    def __init__(self, number: int) -> None:
        self._free = number

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Take a place for a while, if there is one; of the event loop's thread alone."""
        if not self._free:
            yield False
            return
        self._free -= 1
        try:
            yield True
        finally:
            self._free += 1


class Body:
    """Reads each body to its end, within its bounds, before a route sees the request.

    A request takes its place when its body is there: who sends one slowly keeps nobody from asking. Bodies on their way
    have places of their own, as they cost memory; that of a login, which anybody may send, is too small to need one.
    """

    def __init__(self, app: ASGIApp, refusals: Refusals, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._refusals = refusals
        self._places, self._arriving = Places(at_once), Places(at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or hand the request on with a body that is there already."""
        if scope["type"] != "http" or path_of(scope) in PROBES:
            await self._app(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            whole = await self._arrived(scope, receive, send)
            if whole is None:
                return
            receive = after(whole, receive)
        with self._places.one() as place:
            await (self._app if place else self._refusals.answer("busy"))(scope, receive, send)

    async def _arrived(self, scope: Scope, receive: Receive, send: Send) -> bytes | None:
        """Return a body that is there; None where the request was refused, or whoever sent it has left."""
        reason, body = "busy", None
        if path_of(scope) == LOGIN:
            reason, body = await read(scope, receive, LARGEST_LOGIN, "login size")
        else:
            with self._arriving.one() as place:
                if place:
                    reason, body = await read(scope, receive, LARGEST, "size")
        if reason:
            await self._refusals.answer(reason)(scope, receive, send)
        return body


async def read(scope: Scope, receive: Receive, largest: int, too_large: str) -> tuple[str, bytes | None]:
    """Return why a body is refused, or nothing and the body; nothing and None where whoever sent it has left."""
    if announced(scope) > largest:
        return too_large, None
    arrived = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return "", None
        arrived += message.get("body", b"")
        more = message.get("more_body", False)
        if len(arrived) > largest:
            return too_large, None
    body = bytes(arrived)
    if not takes_form(path_of(scope)) and deep(body):
        return "depth", None
    return "", body


def after(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body at once, and then whatever comes."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def handed_on() -> Message:
        return whole.pop() if whole else await receive()

    return handed_on


def announced(scope: Scope) -> int:
    """Return the length that a request says its body has; 0 where it says none."""
    for name, value in scope["headers"]:
        if name.lower() == b"content-length":
            return int(value) if re.fullmatch(rb"[0-9]{1,18}", value) else LARGEST + 1
    return 0


def deep(text: bytes) -> bool:
    """Tell whether a JSON text nests deeper than DEEPEST.

    A text with NUL counts as deep. It is no UTF-8 as RFC 8259 wants it, and Python would guess at UTF-16, whose
    quotes are others.
    """
    return b"\0" in text or too_deep(text, DEEPEST)
