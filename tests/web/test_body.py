"""What may come in: bodies up to their bounds, as far as JSON nests, and so many requests at once."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from mapper.rate_limit import RateLimit
from mapper.web.body import DEEPEST, LARGEST, LARGEST_LOGIN, Body, Places, deep
from mapper.web.refusals import REFUSALS, Refusals
from tests.support.asgi import Answered, ask


class Inside:
    """An application that notes every body that reaches it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        assert not message.get("more_body"), "the body is there at once"
        self.bodies.append(message["body"])
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Entry:
    """A bound on bodies before `Inside`, with the reasons for which it refused."""

    def __init__(self) -> None:
        self.inside = Inside()
        self.reasons: list[str] = []
        self.body = Body(self.inside, Refusals(self.reasons.append, RateLimit(clock=lambda: 0.0)))

    def post(self, *pieces: bytes, path: str = "/wake", length: bytes | None = None, method: str = "POST") -> Answered:
        headers = [] if length is None else [(b"content-length", length)]
        return ask(self.body, method, path, headers, pieces)


def padded(size: int) -> bytes:
    """Return a JSON object of so many bytes."""
    return b'{"x": "' + b"x" * (size - 9) + b'"}'


SIZES: dict[str, tuple[list[bytes], bytes | None, bool]] = {  # pieces, Content-Length, whether it passes
    "nothing": ([], b"0", True),
    "a little": ([b"{}"], b"2", True),
    "in pieces": ([b"{", b"", b"}"], None, True),
    "as much as may be": ([padded(LARGEST)], str(LARGEST).encode(), True),
    "as much as may be, in pieces": ([padded(LARGEST)[:500], padded(LARGEST)[500:]], None, True),
    "a byte more": ([padded(LARGEST + 1)], str(LARGEST + 1).encode(), False),
    "a byte more that was not announced": ([padded(LARGEST + 1)], None, False),
    "a byte more in pieces": ([padded(LARGEST), b" "], None, False),
    "announced only": ([b"{}"], b"99999999999", False),
    "announced beyond all numbers": ([b"{}"], b"9" * 400, False),
    "announced less than nothing": ([b"{}"], b"-1", False),
    "announced in words": ([b"{}"], b"two", False),
    "announced in other digits": ([b"{}"], "２".encode(), False),
    "announced less than it is": ([padded(LARGEST + 1)], b"2", False),
}


@pytest.mark.parametrize(("pieces", "length", "passes"), SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_has_a_largest_size(pieces: list[bytes], length: bytes | None, passes: bool, method: str) -> None:
    entry = Entry()
    answered = entry.post(*pieces, length=length, method=method)
    if passes:
        assert answered.status == 200
        assert entry.inside.bodies == [b"".join(pieces)]
    else:
        assert (answered.status, answered.json["message"]) == (413, REFUSALS["size"].message)
        assert (entry.inside.bodies, entry.reasons) == ([], ["size"])


def test_what_is_too_large_is_not_read_to_its_end() -> None:
    entry = Entry()
    answered = entry.post(*[b" " * 100_000] * 100)
    assert answered.status == 413
    assert len(answered.left) == 100 - LARGEST // 100_000 - 1
    assert entry.post(b"{}", length=b"5000000").left == [b"{}"]


def test_a_form_is_bounded_but_no_json() -> None:
    entry = Entry()
    assert entry.post(b"[" * 100, path="/page/studies").status == 200
    assert entry.post(b"[" * (LARGEST + 1), path="/page/studies").status == 413


LOGINS = {0: 200, 1000: 200, LARGEST_LOGIN: 200, LARGEST_LOGIN + 1: 413, LARGEST: 413, LARGEST + 1: 413}


@pytest.mark.parametrize(("size", "status"), LOGINS.items())
def test_whom_nobody_knows_yet_sends_little(size: int, status: int) -> None:
    for length in (None, b"%d" % size):
        entry = Entry()
        answered = entry.post(b"x" * size, path="/login", length=length)
        assert (answered.status, entry.reasons) == (status, ["login size"] if status == 413 else [])
    assert Entry().post(b"x" * (LARGEST_LOGIN + 1), path="/logout").status == 200


def test_a_probe_has_no_body_to_wait_for() -> None:
    reached = []

    async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    for method, path in (("GET", "/healthz"), ("GET", "/api/studies"), ("POST", "/readyz")):
        body = Body(healthz, Refusals(lambda reason: None), at_once=1)
        assert ask(body, method, path, [(b"content-length", b"99999999")], [b"x"] * 3).left == [b"x"] * 3
    assert reached == ["/healthz", "/api/studies", "/readyz"]


def test_whoever_leaves_before_the_end_is_not_answered() -> None:
    entry = Entry()
    sent: list[Message] = []
    arriving = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(arriving)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/wake", "headers": []}
    asyncio.run(entry.body(scope, receive, send))
    assert (sent, entry.inside.bodies, entry.reasons) == ([], [], [])


# -- nesting ---------------------------------------------------------------------------------------

DEPTHS: dict[str, tuple[bytes, bool]] = {
    "nothing": (b"", False),
    "a number": (b"1", False),
    "an object": (b"{}", False),
    "a list of many": (b"[" + b"[]," * 100_000 + b"[]]", False),
    "as deep as may be": (b"[" * DEEPEST + b"]" * DEEPEST, False),
    "objects as deep as may be": (b'{"a":' * (DEEPEST - 1) + b"{}" + b"}" * (DEEPEST - 1), False),
    "one deeper": (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), True),
    "one deeper in turns": ((b'[{"a":' * DEEPEST)[: DEEPEST * 6] + b"1" + b"}]" * DEEPEST, True),
    "one deeper at the end": (b"[" + b"[]," * 1000 + b"[" * DEEPEST + b"]" * (DEEPEST + 1), True),
    "never closed": (b"[" * 600, True),
    "never closed at all": (b"[" * LARGEST, True),
    "objects never closed": (b'{"a":' * 100_000, True),
    "closed too often": (b"]" * 600, False),
    "closed before it opens": (b"][", False),
    "left open": (b"[[", False),
    "in a string": (b'"' + b"[" * 600 + b'"', False),
    "in a key": (b'{"' + b"{" * 600 + b'": 1}', False),
    "behind a quote that is escaped": (b'["\\"' + b"[" * 600 + b'"]', False),
    "behind a backslash that is escaped": (b'["\\\\", ' + b"[" * 600, True),
    "in a string that does not end": (b'"' + b"[" * 600, False),
    "in a string of nothing but escapes": (b'"' + b'\\"' * 400_000, False),
    "in a string that ends in a backslash": (b'"\\', False),
    "in UTF-16": (json.dumps([[]]).encode("utf-16"), True),
    "in UTF-16 between what looks like quotes": (("\u2200" + "[" * 600 + "\u2200").encode("utf-16"), True),
    "in UTF-32": ("[]".encode("utf-32"), True),
    "behind a mark of UTF-8": (b"\xef\xbb\xbf[]", False),
    "no text": (b"\xff\xfe[[", False),
}


@pytest.mark.parametrize(("text", "is_deep"), DEPTHS.values(), ids=DEPTHS)
def test_a_body_nests_so_far_and_no_further(text: bytes, is_deep: bool) -> None:
    assert deep(text) is is_deep
    entry = Entry()
    assert entry.post(text).status == (400 if is_deep else 200)
    assert entry.reasons == (["depth"] if is_deep else [])


trees: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.text('[]{}"\\ax'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('[]{}"\\ax'), inner, max_size=3),
    max_leaves=30,
)


def depth(value: Any) -> int:
    if isinstance(value, dict | list):
        return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


@given(trees, st.integers(0, DEEPEST + 2))
def test_the_depth_of_every_json_is_told_right(value: Any, more: int) -> None:
    for _ in range(more):
        value = [value]
    assert deep(json.dumps(value).encode()) is (depth(value) > DEEPEST)


@given(st.binary())
def test_no_bytes_break_it(text: bytes) -> None:
    assert deep(text) in (True, False)


# -- at once ---------------------------------------------------------------------------------------


def test_places_are_taken_and_given_back() -> None:
    places = Places(2)
    with places.one() as first, places.one() as second:
        assert (first, second) == (True, True)
        with places.one() as third, places.one() as fourth:
            assert (third, fourth) == (False, False)
    with pytest.raises(ValueError, match="whatever"), places.one():
        raise ValueError("whatever")
    with places.one() as first, places.one() as second, places.one() as third:
        assert (first, second, third) == (True, True, False)


@pytest.fixture
def crowd() -> dict[str, list[int]]:
    """Return the statuses of requests to an application that has places for two and answers when told to."""
    statuses: dict[str, list[int]] = {"/api/studies": [], "/healthz": []}

    async def run() -> None:
        go_on = asyncio.Event()

        async def inside(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] != "/healthz":
                await go_on.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        body = Body(inside, Refusals(lambda reason: None), at_once=2)

        async def one(path: str) -> None:
            async def send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    statuses[path].append(message["status"])

            async def receive() -> Any:
                raise AssertionError("nothing is read")

            await body({"type": "http", "method": "GET", "path": path, "headers": []}, receive, send)

        waiting = [asyncio.create_task(one("/api/studies")) for _ in range(3)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await one("/healthz")
        go_on.set()
        await asyncio.gather(*waiting)
        await one("/api/studies")

    asyncio.run(run())
    return statuses


def test_a_request_too_many_is_told_to_come_again_and_a_probe_is_none(crowd: dict[str, list[int]]) -> None:
    assert crowd == {"/api/studies": [503, 200, 200, 200], "/healthz": [200]}
