"""Connections over real sockets: who dribbles is cut, who asks is answered, and there is always room for a probe."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from mapper.rate_limit import RateLimit
from mapper.web.body import AT_ONCE, Body
from mapper.web.connection import SECONDS, SPARE
from mapper.web.entrance import Entrance
from mapper.web.guard import HEADERS, Guard
from mapper.web.refusals import Refusals
from mapper.web.tokens import Tokens
from tests.support.hosts import HOSTS, TOKEN
from tests.support.http_fake import wait_until
from tests.support.served import PATIENCE, Served, answer, get

QUICK = {"head": 0.3, "body": 0.3, "answer": 0.3, "close": 0.3}
HERE = "Host: 127.0.0.1"
NEVER = {**SECONDS, "head": 1e6, "body": 1e6}


class Inside:
    """Answers at once; below /slow only when told to; below /large more than anybody takes at a time."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.running += 1
        while scope["path"] == "/slow" and not self.go_on.is_set():
            await asyncio.sleep(0.01)
        size = 8_000_000 if scope["path"] == "/large" else 2
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
        await send({"type": "http.response.body", "body": b"x" * size})
        self.running -= 1


def behind_guard(inside: Inside, token: str | None = None) -> Guard:
    refusals = Refusals(lambda reason: None, RateLimit(clock=lambda: 0.0))
    return Guard(Body(inside, refusals), Entrance(Tokens(token)), refusals)


@pytest.fixture
def inside() -> Iterator[Inside]:
    inside = Inside()
    yield inside
    inside.go_on.set()


# -- what stands before the guard --------------------------------------------------------------------

REFUSED_BY_HTTP = {"none", "twice the same", "two of them", "two of them, turned", "NUL"}
"""What h11 itself refuses with 400 (RFC 9112 section 3.2)."""
TRIMMED = {"a blank before it", "a tab behind it", "a line behind it"}
"""Blanks around a value belong to no header (RFC 9110 section 5.5), and a line ends it: HTTP does not show them."""


@pytest.fixture(scope="module")
def doors() -> Iterator[tuple[Served, Served]]:
    """Give a service without a token and one with it."""
    with Served(behind_guard(Inside())) as open_one, Served(behind_guard(Inside(), TOKEN)) as closed:
        yield open_one, closed


@pytest.mark.parametrize(("name", "sent", "known"), [(name, *case) for name, case in HOSTS.items()], ids=HOSTS)
def test_a_host_is_what_the_guard_says_over_real_http_too(
    doors: tuple[Served, Served], name: str, sent: list[bytes], known: bool
) -> None:
    open_one, closed = doors
    rest = b"".join(b"Host: " + host + b"\r\n" for host in sent) + b"Connection: close\r\n\r\n"
    found = (
        open_one.ask(b"GET /api/studies HTTP/1.1\r\n" + rest)[0],
        closed.ask(b"GET /api/studies HTTP/1.1\r\n" + rest)[0],
        closed.ask(b"GET /healthz HTTP/1.1\r\n" + rest)[0],
    )
    if name in REFUSED_BY_HTTP:
        assert found == (400, 400, 400)
    else:
        assert found == (200 if known or name in TRIMMED else 403, 401, 200)


REQUESTS: dict[str, tuple[bytes, int]] = {
    "absolute": (b"GET http://127.0.0.1/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n", 400),
    "absolute elsewhere": (b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n", 400),
    "an authority": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n", 400),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n", 400),
    "HTTP/1.0 without a host": (b"GET /api/studies HTTP/1.0\r\n", 403),
    "HTTP/1.0 with one": (b"GET /api/studies HTTP/1.0\r\nHost: localhost\r\n", 200),
    "HTTP/0.9": (b"GET /api/studies\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400),
    "no UTF-8 in the path": (b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n", 400),
    "NUL in a header": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \0\r\n", 400),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: evil\r\n .example\r\n", 403),
    "a blank before the colon": (b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n", 400),
    "a length below nothing": (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n", 400),
    "a coding that nobody knows": (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip\r\n", 400),
    "a long path": (b"GET /" + b"x" * 17_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n", 431),
    "a long query": (b"GET /?" + b"x" * 17_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n", 431),
    "long headers": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"Xxxxx: yyyy\r\n" * 2000, 431),
    "a socket of the web": (
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        200,
    ),
}


@pytest.mark.parametrize(("request_bytes", "status"), REQUESTS.values(), ids=REQUESTS)
def test_odd_http_is_answered_with_a_refusal(inside: Inside, request_bytes: bytes, status: int) -> None:
    close = b"" if b"Connection: Upgrade" in request_bytes else b"Connection: close\r\n"
    with Served(behind_guard(inside), seconds={**SECONDS, "head": 0.5}) as served:
        found, answered = served.ask(request_bytes + close + b"\r\n")
    assert found == status
    head = answered.partition(b"\r\n\r\n")[0].lower()
    for name, value in HEADERS.items():
        assert f"{name}: {value}".lower().encode() in head


def test_a_head_that_never_ends_is_cut(inside: Inside) -> None:
    with Served(inside) as served, served.connect() as client:
        with suppress(ConnectionError):
            for _ in range(1000):
                client.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 65536)
        wait_until(lambda: served.held == 0)
    assert served.reasons == ["no http"]


# -- deadlines ---------------------------------------------------------------------------------------

LATE: dict[str, tuple[bytes, bytes, str]] = {  # what is sent at once, again and again, and what is noted
    "nothing at all": (b"", b"", ""),
    "a byte": (b"G", b"", "late head"),
    "a head byte by byte": (b"GET / HTTP/1.1\r\nX: ", b"x", "late head"),
    "a head line by line": (b"GET / HTTP/1.1\r\n", b"X: y\r\n", "late head"),
    "empty lines": (b"\r\n", b"\r\n", "no http"),
    "no body": (b"POST /slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n", b"", "late body"),
    "a body byte by byte": (
        b"POST /slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999\r\n\r\n",
        b"x",
        "late body",
    ),
    "chunks": (
        b"POST /slow HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\nx\r\n",
        "late body",
    ),
    "a chunk that does not begin": (
        b"POST /slow HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"",
        "late body",
    ),
    "no answer": (b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", "late answer"),
    "nothing after an answer": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", ""),
    "a byte after an answer": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nG", b"E", "late head"),
    "a body after its answer": (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999\r\n\r\n",
        b"x",
        "late body",
    ),
}


@pytest.mark.parametrize(("first", "again", "noted"), LATE.values(), ids=LATE)
def test_whoever_dribbles_is_cut(inside: Inside, first: bytes, again: bytes, noted: str) -> None:
    with Served(inside, seconds=QUICK) as served, served.connect() as client:
        client.sendall(first)
        client.settimeout(0.01)
        for _ in range(round(PATIENCE * 100)):
            try:
                if not client.recv(65536):
                    break
            except TimeoutError:
                pass
            except OSError:
                break
            if again:
                try:
                    client.sendall(again)
                except OSError:
                    break
        else:
            pytest.fail("it was never cut")
        wait_until(lambda: served.held == 0)
    assert served.reasons == ([noted] if noted else [])


def test_an_answer_that_nobody_takes_is_cut(inside: Inside) -> None:
    with Served(inside, seconds=QUICK) as served, served.connect() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        wait_until(lambda: served.reasons == ["late answer"])
        wait_until(lambda: served.held == 0)


def test_many_requests_on_one_connection_each_have_their_time(inside: Inside) -> None:
    with Served(inside, seconds={**SECONDS, "head": 5.0}) as served, served.connect() as client:
        client.sendall((b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 50) + get("/", HERE))
        status, answered = answer(client)
    assert status == 200
    assert answered.count(b"HTTP/1.1 200") == 51
    assert served.reasons == []


def test_a_body_that_comes_in_time_is_taken(inside: Inside) -> None:
    with Served(behind_guard(inside), seconds=SECONDS) as served, served.connect() as client:
        client.sendall(
            b"POST /wake HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 2\r\nConnection: close\r\n\r\n{"
        )
        client.sendall(b"}")
        assert answer(client)[0] == 200


def test_an_answer_to_a_body_that_is_too_large_reaches_whoever_sends_it(inside: Inside) -> None:
    with Served(behind_guard(inside)) as served, served.connect() as client:
        head = b"POST /wake HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        client.sendall(head + b"Content-Length: 3000000\r\n\r\n")
        for _ in range(3):
            client.sendall(b"x" * 1_000_000)
        client.sendall(get("/healthz", HERE))
        status, answered = answer(client)
    assert status == 413
    assert answered.count(b"HTTP/1.1 200") == 1, "and the connection goes on"


LOGIN = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
RETRY = LOGIN.replace(b"/login", b"/page/studies") + f"Authorization: Bearer {TOKEN}\r\n".encode()
UNFINISHED: dict[str, bytes] = {  # by whom, and what never ends
    "nobody, with a length": LOGIN + b"Content-Length: 500\r\n\r\ntoken=",
    "nobody, with no byte of it": LOGIN + b"Content-Length: 500\r\n\r\n",
    "nobody, in chunks": LOGIN + b"Transfer-Encoding: chunked\r\n\r\n5\r\ntoken\r\n",
    "somebody who may operate": RETRY + b"Content-Length: 500\r\n\r\nx",
}


@pytest.mark.parametrize("never", UNFINISHED.values(), ids=UNFINISHED)
def test_bodies_that_never_end_take_no_place_of_anybody(inside: Inside, never: bytes) -> None:
    bearer = f"Authorization: Bearer {TOKEN}"
    with Served(behind_guard(inside, TOKEN), most=200, seconds=NEVER) as served:
        clients = opened(served, AT_ONCE, never)
        wait_until(lambda: [one.stage for one in [*served.protocol.line]].count("body") == AT_ONCE)
        for _ in range(3):
            assert served.ask(get("/api/studies", HERE, bearer))[0] == 200
        assert served.ask(LOGIN + b"Content-Length: 5\r\nConnection: close\r\n\r\ntoken")[0] == 200
        if never.startswith(LOGIN):
            assert served.ask(RETRY + b"Content-Length: 1\r\nConnection: close\r\n\r\nx")[0] == 200
        for client in clients:
            client.close()


# -- room ----------------------------------------------------------------------------------------------


def opened(served: Served, number: int, say: bytes = b"") -> list[socket.socket]:
    clients = [served.connect() for _ in range(number)]
    for client in clients:
        client.sendall(say)
    return clients


def closed(client: socket.socket) -> bool:
    """Tell whether the server let go of a connection."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


IDLE: dict[str, bytes] = {
    "say nothing": b"",
    "dribble a head": b"GET / HTTP/1.1\r\nX: ",
    "dribble a body": b"POST /api/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 9\r\n\r\n",
    "do not take their answer": b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


@pytest.mark.parametrize("say", IDLE.values(), ids=IDLE)
def test_whoever_idles_longest_makes_room(inside: Inside, say: bytes) -> None:
    with Served(behind_guard(inside), most=8, seconds=NEVER) as served:
        first = opened(served, 4, say)
        wait_until(lambda: served.held == 4)
        second = opened(served, 4, say)
        wait_until(lambda: served.held == 8)
        if b"large" in say:
            wait_until(lambda: all(one.flow.write_paused for one in [*served.protocol.line]))
        third = opened(served, 4, say)
        for client in first:
            wait_until(lambda client=client: closed(client) or b"large" in say)
        wait_until(lambda: served.held <= 8)
        assert served.ask(get("/healthz", HERE))[0] == 200
        assert served.reasons.count("crowd") >= 4
        for client in first + second + third:
            client.close()


def test_whoever_is_at_work_is_not_let_go_and_a_probe_finds_room(inside: Inside) -> None:
    working = b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with Served(behind_guard(inside), most=8, seconds=NEVER) as served:
        clients = opened(served, 8, working)
        wait_until(lambda: inside.running == 8)
        for _ in range(3):
            assert served.ask(get("/healthz", HERE))[0] == 200
        more: list[socket.socket] = []
        for number in range(SPARE):
            more += opened(served, 1, working)
            wait_until(lambda number=number: inside.running == 9 + number)
        assert served.ask(get("/healthz", HERE))[0] == 0, "no room at all: cut, not kept waiting"
        inside.go_on.set()
        assert [answer(client)[0] for client in clients + more] == [200] * (8 + SPARE)
        assert served.reasons == ["crowd"]


def test_a_flood_leaves_room_for_probes_and_holds_no_more_than_it_may(inside: Inside) -> None:
    with Served(behind_guard(inside), most=20, seconds=NEVER) as served:
        flood: list[socket.socket] = []
        for number in range(300):
            flood += opened(served, 1, b"GET / HTTP/1.1\r\nX: ")
            if number % 20 == 0:
                assert served.ask(get("/healthz", HERE))[0] == 200
        wait_until(lambda: served.held <= 20)
        assert served.ask(get("/api/studies", HERE))[0] == 200
        for client in flood:
            client.close()
