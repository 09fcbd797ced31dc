"""The guard alone, byte for byte: neither a header nor a path can be read in two ways."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from mapper.errors import SettingError
from mapper.rate_limit import RateLimit
from mapper.web.entrance import Entrance
from mapper.web.guard import HEADERS, READING, Guard
from mapper.web.paths import OPEN, PROBES
from mapper.web.refusals import REFUSALS, Refusals
from mapper.web.token import usable
from mapper.web.tokens import Tokens
from tests.support.asgi import SHAPE, Answered, RawHeaders, ask
from tests.support.hosts import HOSTS, TOKEN

RIGHT = (b"authorization", f"Bearer {TOKEN}".encode())
HERE = (b"host", b"127.0.0.1:8000")
JSON = (b"content-type", b"application/json")


class Inside:
    """What stands behind the guard: notes what reached it."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append((scope["method"], scope["path"]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-inside", b"1")]})
        await send({"type": "http.response.body", "body": b"in", "more_body": True})
        await send({"type": "http.response.body", "body": b"side"})


class Door:
    """A guard before `Inside`, with the reasons for which it refused."""

    def __init__(self, token: str | None = TOKEN) -> None:
        self.inside = Inside()
        self.reasons: list[str] = []
        self.guard = Guard(
            self.inside, Entrance(Tokens(token)), Refusals(self.reasons.append, RateLimit(clock=lambda: 0.0))
        )

    def ask(self, method: str = "GET", path: str = "/api/studies", *headers: tuple[bytes, bytes]) -> Answered:
        answered = ask(self.guard, method, path, list(headers))
        assert {name.lower(): answered.header(name) for name in HEADERS} == {
            name.lower(): value for name, value in HEADERS.items()
        }
        return answered


def opens(door: Door, *request: object) -> bool:
    """Tell whether a request passes; a refusal says one sentence in JSON, and repeats nothing."""
    before = len(door.inside.reached)
    answered = door.ask(*request)  # type: ignore[arg-type]
    if len(door.inside.reached) > before:
        assert (answered.status, answered.body) == (200, b"inside")
        return True
    refusal = REFUSALS[door.reasons[-1]]
    assert answered.status == refusal.status
    assert set(answered.json) == SHAPE
    assert answered.json["detail"] == answered.json["message"] == refusal.message
    return False


# -- the header Host -----------------------------------------------------------------------------

each_host = pytest.mark.parametrize(("sent", "known"), HOSTS.values(), ids=HOSTS)


@each_host
def test_without_a_token_only_the_exact_names_of_this_machine_are_answered(sent: list[bytes], known: bool) -> None:
    door = Door(token=None)
    assert opens(door, "GET", "/api/studies", *((b"host", host) for host in sent)) is known
    assert opens(door, "POST", "/wake", JSON, *((b"host", host) for host in sent)) is known
    assert set(door.reasons) <= {"host"}


@each_host
@pytest.mark.parametrize("token", [None, TOKEN])
def test_no_host_opens_what_wants_the_token_or_closes_a_probe(
    sent: list[bytes], known: bool, token: str | None
) -> None:
    headers = [(b"host", host) for host in sent]
    if token:
        assert not opens(Door(), "GET", "/api/studies", *headers)
        assert opens(Door(), "GET", "/api/studies", RIGHT, *headers)
    assert opens(Door(token), "GET", "/healthz", *headers)


def test_the_name_of_a_header_is_read_in_any_case() -> None:
    assert opens(Door(token=None), "GET", "/", (b"Host", b"localhost"))
    assert not opens(Door(token=None), "GET", "/", (b"Host", b"localhost"), (b"host", b"evil.example"))


# -- the target ------------------------------------------------------------------------------------

TARGETS = [
    "http://evil.example/",
    "http://evil.example/healthz",
    "http://127.0.0.1:8000/healthz",
    "//healthz",
    "/healthz/",
    "/healthz?",
    "/healthz#",
    "/healthz;x",
    "/healthz/../api/studies",
    "/api/../healthz",
    "/./healthz",
    "/HEALTHZ",
    " /healthz",
    "/healthz ",
    "/healthz\0",
    "/healthz\n",
    "healthz",
    "",
    "*",
    "evil.example:443",
    "\\healthz",
    "/x\\healthz",
    "/readyz/x",
    "/api/openapi.json",
    "/static/pages.css/",
    "/static/../static/pages.css",
    "/static/vendor/htmx.js",
    "/static/",
    "/login/",
    "/login/../api/studies",
    "/LOGIN",
    "/logout",
]


@pytest.mark.parametrize("path", TARGETS, ids=repr)
def test_only_probes_and_the_login_are_open(path: str) -> None:
    door = Door()
    assert not opens(door, "GET", path, HERE)
    assert door.reasons == ["no token" if path.startswith("/") else "target"]
    assert door.inside.reached == []


def test_probes_the_login_page_and_what_it_looks_like_are_open() -> None:
    assert {"/login", "/static/pages.css", "/static/icon.svg"} <= OPEN
    for path in OPEN:
        assert opens(Door(), "GET", path)
        assert opens(Door(), "GET", path, (b"authorization", b"Bearer wrong"))


def test_a_websocket_is_closed() -> None:
    import asyncio

    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    async def nothing() -> Message:
        return {"type": "websocket.connect"}

    door = Door(token=None)
    asyncio.run(door.guard({"type": "websocket", "path": "/", "headers": [HERE]}, nothing, keep))
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert door.inside.reached == []


# -- credentials -----------------------------------------------------------------------------------


def basic(text: bytes) -> bytes:
    return b"Basic " + base64.b64encode(text)


SHOWN: dict[str, tuple[list[bytes], bool]] = {
    "bearer": ([f"Bearer {TOKEN}".encode()], True),
    "bearer in small letters": ([f"bearer {TOKEN}".encode()], True),
    "bearer with blanks": ([f"Bearer   {TOKEN}  ".encode()], True),
    "basic": ([basic(f"me:{TOKEN}".encode())], True),
    "basic without a user": ([basic(f":{TOKEN}".encode())], True),
    "basic of a user who is no UTF-8": ([basic(b"\xff\xfe:" + TOKEN.encode())], True),
    "nothing": ([], False),
    "empty": ([b""], False),
    "a scheme alone": ([b"Bearer"], False),
    "an empty token": ([b"Bearer "], False),
    "a wrong one": ([b"Bearer wrong"], False),
    "a part": ([f"Bearer {TOKEN[:-1]}".encode()], False),
    "more": ([f"Bearer {TOKEN}x".encode()], False),
    "capitals": ([f"Bearer {TOKEN.upper()}".encode()], False),
    "two tokens": ([f"Bearer {TOKEN} {TOKEN}".encode()], False),
    "twice": ([f"Bearer {TOKEN}".encode()] * 2, False),
    "right and wrong": ([f"Bearer {TOKEN}".encode(), b"Bearer wrong"], False),
    "another scheme": ([f"Token {TOKEN}".encode()], False),
    "no scheme": ([TOKEN.encode()], False),
    "basic as the user": ([basic(f"{TOKEN}:".encode())], False),
    "basic without a colon": ([basic(TOKEN.encode())], False),
    "basic that is no base64": ([b"Basic !!!"], False),
    "basic of a wrong length": ([b"Basic abc"], False),
    "basic that is empty": ([b"Basic "], False),
    "basic that is not ASCII": (["Basic ä".encode()], False),
    "not ASCII": (["Bearer tökèn-of-these-tests".encode()], False),
    "not UTF-8": ([b"Bearer \xff\xfe"], False),
    "NUL": ([f"Bearer {TOKEN}\0".encode()], False),
    "long": ([b"Bearer " + b"x" * 16_000], False),
    "a surrogate in UTF-8": ([basic(b"me:\xed\xa0\x80")], False),
}


@pytest.mark.parametrize(("sent", "right"), SHOWN.values(), ids=SHOWN)
def test_the_token_opens_and_nothing_else_does(sent: list[bytes], right: bool) -> None:
    door = Door()
    headers = [(b"authorization", value) for value in sent]
    assert opens(door, "GET", "/api/studies", HERE, *headers) is right
    assert opens(door, "POST", "/wake", HERE, JSON, *headers) is right
    assert set(door.reasons) <= {"wrong token" if sent else "no token"}


@given(st.lists(st.tuples(st.sampled_from([b"host", b"authorization", b"origin", b"content-type"]), st.binary())))
def test_no_header_breaks_it(headers: RawHeaders) -> None:
    for token in (None, TOKEN):
        for method in ("GET", "POST"):
            assert not opens(Door(token), method, "/api/studies", *headers)


@given(st.text(), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_no_path_and_no_method_break_it(path: str, method: str) -> None:
    assert opens(Door(), method, path, HERE) is (path in PROBES or (path in OPEN and method in READING))


# -- writes ----------------------------------------------------------------------------------------

ORIGINS: dict[str, tuple[RawHeaders, bool]] = {
    "no browser": ([], True),
    "our page": ([(b"origin", b"http://127.0.0.1:8000")], True),
    "our page behind TLS": ([(b"origin", b"https://127.0.0.1:8000")], True),
    "our page, said twice over": ([(b"origin", b"http://127.0.0.1:8000"), (b"sec-fetch-site", b"same-origin")], True),
    "the address bar": ([(b"sec-fetch-site", b"none")], True),
    "another site": ([(b"origin", b"https://evil.example")], False),
    "nobody": ([(b"origin", b"null")], False),
    "empty": ([(b"origin", b"")], False),
    "another port": ([(b"origin", b"http://127.0.0.1:9999")], False),
    "no port": ([(b"origin", b"http://127.0.0.1")], False),
    "another name": ([(b"origin", b"http://localhost:8000")], False),
    "a user": ([(b"origin", b"http://x@127.0.0.1:8000")], False),
    "no scheme": ([(b"origin", b"127.0.0.1:8000")], False),
    "another scheme": ([(b"origin", b"file://127.0.0.1:8000")], False),
    "two": ([(b"origin", b"http://127.0.0.1:8000"), (b"origin", b"https://evil.example")], False),
    "not ASCII": ([(b"origin", b"http://\xff")], False),
    "half an address": ([(b"origin", b"http://[::1")], False),
    "cross-site": ([(b"sec-fetch-site", b"cross-site")], False),
    "same-site": ([(b"sec-fetch-site", b"same-site")], False),
    "unknown": ([(b"sec-fetch-site", b"whatever")], False),
    "both": ([(b"sec-fetch-site", b"none"), (b"sec-fetch-site", b"cross-site")], False),
    "our page from another site": ([(b"origin", b"http://127.0.0.1:8000"), (b"sec-fetch-site", b"cross-site")], False),
}


@pytest.mark.parametrize(("headers", "ours"), ORIGINS.values(), ids=ORIGINS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("token", [None, TOKEN])
def test_no_other_site_writes(headers: RawHeaders, ours: bool, method: str, token: str | None) -> None:
    door = Door(token)
    assert opens(door, method, "/wake", HERE, RIGHT, JSON, *headers) is ours
    assert set(door.reasons) <= {"site"}


def test_an_origin_without_a_host_is_another_site() -> None:
    assert not opens(Door(), "POST", "/wake", RIGHT, JSON, (b"origin", b"http://"))


METHODS = ("FOO", "TRACE", "CONNECT", "PROPFIND", "get", "Post", "LOCK", "QUERY")


@pytest.mark.parametrize("method", METHODS)
def test_other_methods_are_not_allowed(method: str) -> None:
    door = Door()
    assert not opens(door, method, "/api/studies", HERE, RIGHT, JSON)
    assert not opens(door, method, "/api/studies", HERE, JSON)
    assert door.reasons == ["method", "no token"]


KINDS: dict[bytes, str] = {  # what is sent, and where it may go
    b"application/json": "api",
    b"Application/JSON; charset=utf-8": "api",
    b"application/x-www-form-urlencoded": "page",
    b"": "",
    b"text/plain": "",
    b"multipart/form-data": "",
    b"application/jsonp": "",
    b"text/plain; application/json": "",
    b"application/json, text/plain": "",
    b"application/problem+json": "",
    b"\xff": "",
}


@pytest.mark.parametrize(("kind", "where"), KINDS.items(), ids=repr)
def test_a_write_says_what_it_sends(kind: bytes, where: str) -> None:
    header = (b"content-type", kind)
    assert opens(Door(), "POST", "/wake", HERE, RIGHT, header) is (where == "api")
    assert opens(Door(), "POST", "/page/studies", HERE, RIGHT, header) is (where == "page")
    assert not opens(Door(), "POST", "/wake", HERE, RIGHT, header, header)


# -- what a token may be ---------------------------------------------------------------------------

TOKENS: dict[str, tuple[str | None, str, bool]] = {  # token, address to listen on, whether `serve` starts
    "none on loopback": (None, "127.0.0.1", True),
    "none on loopback by name": (None, "localhost", True),
    "none on IPv6": (None, "::1", True),
    "none beyond": (None, "0.0.0.0", False),
    "short on loopback": ("hunter2", "127.0.0.1", True),
    "short beyond": ("hunter2", "0.0.0.0", False),
    "short on a name": ("hunter2", "mapper.example.org", False),
    "15 beyond": ("x" * 15, "::", False),
    "16 beyond": ("x" * 16, "::", True),
    "long beyond": ("x" * 64, "192.0.2.1", True),
    "a blank": ("hunter2 hunter2 hunter2", "127.0.0.1", False),
    "a line": ("hunter2hunter2hunter2\n", "127.0.0.1", False),
    "NUL": ("hunter2hunter2\0hunter2", "127.0.0.1", False),
    "not ASCII": ("hunter2-hünter2-hunter2", "127.0.0.1", False),
    "no text": ("hunter2-hunter2-\udcff", "0.0.0.0", False),
    "every visible character": ("".join(map(chr, range(33, 127))), "0.0.0.0", True),
}


@pytest.mark.parametrize(("token", "host", "starts"), TOKENS.values(), ids=TOKENS)
def test_a_token_that_protects_nothing_is_refused_and_not_repeated(token: str | None, host: str, starts: bool) -> None:
    if starts:
        usable(token, host)
        return
    with pytest.raises(SettingError, match=r"^token: ") as failed:
        usable(token, host)
    assert "ORTHANC_FHIR_TOKEN" in str(failed.value)
    assert not re.search("h[uü]nter2|xxx", str(failed.value))
