"""Answers of any server: bounded in size, time and depth, whatever they say of themselves; and none leads elsewhere."""

import gzip
import re
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mapper.http.body import DEEPEST, decoded
from mapper.http.no_answer import Broken, Late, NoAnswer, TooMuch, Unreachable, Unreadable, Untrusted
from mapper.http.peer import MEGABYTE, Bound, Peer, basic
from mapper.http.target import Target
from mapper.nesting import PIECE
from tests.support.http_fake import Answer, HttpFake, Wire, wait_until

ROOT = Path(__file__).parents[2]
HERE = Target("/here")
QUICK = Bound(1, 0.4)
PATIENT = Bound(1, 30.0)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(peer: Peer, bound: Bound = PATIENT) -> bytes:
    with peer.exchange("GET", HERE, bound) as incoming:
        return incoming.read()


# -- what is asked for ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "parts", "path"),
    [
        ("/statistics", (), "/statistics"),
        ("", (), ""),
        ("/studies/{study}", ("8a8cf898-ca27c490",), "/studies/8a8cf898-ca27c490"),
        ("/a/{study}/b/{series}/c", ("1.2", "3..4"), "/a/1.2/b/3..4/c"),
        ("/{type}/{id}", ("ImagingStudy", "-"), "/ImagingStudy/-"),
        ("/a/{study}", ("{study}"[1:-1],), "/a/study"),
    ],
)
def test_a_path_is_made_of_a_template_and_parts(template: str, parts: tuple[str, ...], path: str) -> None:
    target = Target(template, *parts)
    assert (str(target), target.template) == (path, template)


NO_PARTS = [
    *("", ".", "..", "...", "/", "1/2", "../1", "1\\2", "1?x", "1#x", "1%2e", "%2e%2e", "%", "1;2", "1:2", "1@2"),
    *("1 2", " 1", "1\n", "1\r\nHost: x", "1\x00", "1.2.\u0663", "\uff11", "\u2024\u2024", "ä", "1" * 65, "{id}"),
]


@pytest.mark.parametrize("part", NO_PARTS, ids=ascii)
def test_what_would_change_a_path_is_no_part_of_it(part: str) -> None:
    with pytest.raises(ValueError, match=re.escape("/a/{x}/b")) as failed:
        Target("/a/{x}/b", part)
    assert len(part) < 3 or part not in str(failed.value)


@pytest.mark.parametrize("parts", [(), ("1", "2")], ids=str)
def test_each_place_has_its_part(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="places"):
        Target("/a/{x}", *parts)


def test_what_reaches_the_server() -> None:
    with HttpFake(Answer(), Answer(), Answer()) as http:
        peer = Peer(f"{http.url}/base/", {"Accept": "application/json"} | basic("ü", "p:ß"))
        for query in ({"expand": "", "since": 3, "x": "a b/../&"}, "_getpages=7&_o=2", ""):
            with peer.exchange("POST", Target("/a/{x}", "1.2"), PATIENT, query=query, body=b"{}"):
                pass
    assert [asked.path for asked in http.asked] == [
        "/base/a/1.2?expand=&since=3&x=a+b%2F..%2F%26",
        "/base/a/1.2?_getpages=7&_o=2",
        "/base/a/1.2",
    ]
    assert {asked.headers["Authorization"] for asked in http.asked} == {"Basic w7w6cDrDnw=="}
    assert {asked.headers["Accept-Encoding"] for asked in http.asked} == {"gzip"}


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX: y", "\x00", "ü", "\x7f"], ids=ascii)
def test_a_header_that_http_cannot_carry_is_refused_and_not_said(value: str) -> None:
    with pytest.raises(ValueError, match="header") as failed:
        Peer("http://127.0.0.1:1", {"Authorization": f"Bearer t0ken{value}"})
    assert "t0ken" not in str(failed.value)


def test_no_cookie_comes_back_and_no_redirect_is_followed() -> None:
    moved = Answer(302, headers={"Location": "http://127.0.0.1:1/elsewhere", "Set-Cookie": "a=b"})
    with HttpFake(moved, Answer()) as http:
        peer = Peer(http.url, {})
        with peer.exchange("GET", HERE, PATIENT) as incoming:
            assert incoming.status == 302
        read(peer)
    assert [asked.headers.get("Cookie") for asked in http.asked] == [None, None]


def test_the_environment_is_nobody_s_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with HttpFake(Answer(200, b"here")) as http:
        assert read(Peer(http.url, {})) == b"here"


def test_a_connection_is_used_again_where_an_answer_was_read_to_its_end() -> None:
    with HttpFake(Answer(200, b"a"), Answer(200, gzip.compress(b"b"), {"Content-Encoding": "gzip"}), Answer()) as http:
        peer = Peer(http.url, {})
        assert [read(peer), read(peer), read(peer)] == [b"a", b"b", b""]
    assert len({asked.port for asked in http.asked}) == 1


# -- how it is encoded ---------------------------------------------------------------------------

TEXT = b'{"a":1}'
PACKED = gzip.compress(TEXT)


def whole(body: bytes, **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return OK + f"Content-Length: {len(body)}\r\n{lines}\r\n".encode() + body


def chunks(*bodies: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(body), body) for body in bodies)


ENCODED: dict[str, tuple[bytes, bytes | type[NoAnswer]]] = {
    "as it is": (whole(TEXT), TEXT),
    "nothing": (whole(b""), b""),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "until the end of the connection": (OK + b"\r\n" + TEXT, TEXT),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\n" + TEXT, TEXT),
    "chunks": (CHUNKED + chunks(TEXT[:3], TEXT[3:], b""), TEXT),
    "chunks with extensions and trailers": (
        CHUNKED + b"7;a=b\r\n" + TEXT + b"\r\n0\r\nX: y\r\nZ: y\r\n\r\n",
        TEXT,
    ),
    "chunks that say a length too": (
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(TEXT, b""),
        TEXT,
    ),
    "gzip": (whole(PACKED, Content_Encoding="gzip"), TEXT),
    "gzip by its old name": (whole(PACKED, Content_Encoding=" X-GZIP "), TEXT),
    "gzip of two members": (whole(PACKED + PACKED, Content_Encoding="gzip"), TEXT * 2),
    "gzip of nothing": (whole(gzip.compress(b""), Content_Encoding="gzip"), b""),
    "nothing that is called gzip": (whole(b"", Content_Encoding="gzip"), b""),
    "gzip in chunks": (
        OK
        + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunks(*(PACKED[n : n + 1] for n in range(len(PACKED))), b""),
        TEXT,
    ),
    "identity": (whole(TEXT, Content_Encoding="identity"), TEXT),
    "a length that is too long": (OK + b"Content-Length: 99\r\n\r\n" + TEXT, Broken),
    "a length that is too short": (OK + b"Content-Length: 3\r\n\r\n" + TEXT, TEXT[:3]),
    "a length below nothing": (OK + b"Content-Length: -1\r\n\r\n" + TEXT, TEXT),
    "a length that is none": (OK + b"Content-Length: many\r\n\r\n" + TEXT, TEXT),
    "two lengths": (OK + b"Content-Length: 7\r\nContent-Length: 3\r\n\r\n" + TEXT, Broken),
    "a length of 5,000 digits": (OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n" + TEXT, TEXT),
    "chunks that stop": (CHUNKED + b"7\r\n" + TEXT[:3], Broken),
    "chunks without an end": (CHUNKED + chunks(TEXT), Broken),
    "a chunk of a size that is none": (CHUNKED + b"seven\r\n" + TEXT, Broken),
    "a chunk of a size below nothing": (CHUNKED + b"-7\r\n" + TEXT + b"\r\n", Broken),
    "a chunk of a size without end": (CHUNKED + b"1" * 200_000, Broken),
    "no chunks where chunks are said": (CHUNKED + TEXT, Broken),
    "a transfer that nobody speaks": (OK + b"Transfer-Encoding: gzip\r\n\r\n" + PACKED, Broken),
    "a transfer in two ways": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks(PACKED, b""), Broken),
    "gzip that is none": (whole(TEXT, Content_Encoding="gzip"), Broken),
    "gzip that stops": (whole(PACKED[:-4], Content_Encoding="gzip"), Broken),
    "gzip with rubbish behind it": (whole(PACKED + b"rubbish", Content_Encoding="gzip"), Broken),
    "gzip with a wrong checksum": (whole(PACKED[:-8] + bytes(8), Content_Encoding="gzip"), Broken),
    "deflate": (whole(zlib.compress(TEXT), Content_Encoding="deflate"), Broken),
    "zlib that is called gzip": (whole(zlib.compress(TEXT), Content_Encoding="gzip"), Broken),
    "gzip in gzip": (whole(gzip.compress(PACKED), Content_Encoding="gzip, gzip"), Broken),
    "an encoding that nobody asked for": (whole(TEXT, Content_Encoding="br"), Broken),
    "an encoding that nobody knows": (whole(TEXT, Content_Encoding="x-own"), Broken),
    "no HTTP": (b"220 smtp.example.org\r\n", Broken),
    "nothing at all": (b"", Broken),
    "a status that is none": (b"HTTP/1.1 OK\r\n\r\n", Broken),
    "a header without end": (OK + b"X: " + b"y" * 200_000, Broken),
    "headers without end": (OK + b"X: y\r\n" * 1_000, Broken),
    "a status line without end": (b"HTTP/1.1 200 " + b"y" * 200_000, Broken),
}


@pytest.mark.parametrize(("sent", "found"), ENCODED.values(), ids=ENCODED)
def test_how_an_answer_is_encoded(sent: bytes, found: bytes | type[NoAnswer]) -> None:
    with Wire(lambda: [sent]) as wire:
        peer = Peer(wire.url, {})
        if isinstance(found, bytes):
            assert read(peer) == found
        else:
            with pytest.raises(found) as failed:
                read(peer)
            assert "127.0.0.1" not in str(failed.value)


# -- how large it is -----------------------------------------------------------------------------


def bomb(size: int) -> bytes:
    """Return `size` zeros as gzip, made in steps."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MEGABYTE)
    return b"".join(packer.compress(zeros) for _ in range(size // MEGABYTE)) + packer.flush()


LARGE: dict[str, Callable[[], Iterable[bytes]]] = {
    "with a length": lambda: chain([OK + b"Content-Length: 999999999999\r\n\r\n"], repeat(bytes(PIECE))),
    "without a length": lambda: chain([OK + b"\r\n"], repeat(bytes(PIECE))),
    "in chunks": lambda: chain([CHUNKED], repeat(chunks(bytes(PIECE)))),
    "in one chunk": lambda: chain([CHUNKED + b"ffffffffff\r\n"], repeat(bytes(PIECE))),
    "packed": lambda: chain([OK + b"Content-Encoding: gzip\r\n\r\n"], repeat(bomb(2 * MEGABYTE))),
}


@pytest.mark.parametrize("sent", LARGE.values(), ids=LARGE)
def test_an_answer_beyond_its_bound_is_left_and_not_read_to_its_end(sent: Callable[[], Iterable[bytes]]) -> None:
    with Wire(sent) as wire:
        with pytest.raises(TooMuch, match="1 MB"):
            read(Peer(wire.url, {}))
        wait_until(wire.left.is_set)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("size", "fits"), [(MEGABYTE, True), (MEGABYTE + 1, False)])
def test_the_bound_is_of_what_is_inflated(size: int, fits: bool, packed: bool) -> None:
    body = bytes(size)
    sent = whole(gzip.compress(body), Content_Encoding="gzip") if packed else whole(body)
    with Wire(lambda: [sent]) as wire:
        if fits:
            assert read(Peer(wire.url, {})) == body
        else:
            with pytest.raises(TooMuch):
                read(Peer(wire.url, {}))


def test_an_answer_that_nobody_reads_is_left() -> None:
    with Wire(LARGE["without a length"]) as wire:
        with Peer(wire.url, {}).exchange("GET", HERE, PATIENT) as incoming:
            assert incoming.status == 200
        wait_until(wire.left.is_set)


FLAT = """
import resource, sys
from mapper.http.no_answer import TooMuch
from mapper.http.peer import Bound, Peer
from mapper.http.target import Target
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peer = Peer(sys.argv[1], {})
with peer.exchange("GET", Target("/here"), Bound(2048, 120.0)) as incoming:
    size = sum(len(part) for part in incoming.parts())
try:
    with peer.exchange("GET", Target("/here"), Bound(64, 120.0)) as incoming:
        incoming.read()
    said = ""
except TooMuch as error:
    said = str(error)
print(size, said, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, sep=";")
"""


def test_a_gigabyte_of_zeros_costs_no_memory() -> None:
    packed = bomb(1024 * MEGABYTE)
    assert len(packed) < 2 * MEGABYTE
    with HttpFake(*[Answer(200, packed, {"Content-Encoding": "gzip"})] * 2) as http:
        ran = subprocess.run(
            [sys.executable, "-c", FLAT, http.url], capture_output=True, text=True, cwd=ROOT, check=False, timeout=120
        )
    assert ran.returncode == 0, ran.stderr
    size, said, grown = ran.stdout.split(";")
    assert (int(size), said) == (1024 * MEGABYTE, "is larger than 64 MB")
    assert int(grown) < 100, "the bound, and little more"


# -- how long it takes ---------------------------------------------------------------------------


def bytewise(*texts: bytes) -> Callable[[], Iterator[bytes]]:
    """Send texts byte by byte, the last for ever."""
    *first, last = texts
    return lambda: (bytes([byte]) for text in chain(first, repeat(last)) for byte in text)


SLOW: dict[str, Callable[[], Iterable[bytes]]] = {
    "the status line": bytewise(b"HTTP/1.1 200 O", b"K"),
    "the headers": bytewise(OK, b"X: y\r\n"),
    "one header": bytewise(OK + b"X: ", b"y"),
    "a body": lambda: chain([OK + b"Content-Length: 99999\r\n\r\n"], repeat(b"x")),
    "a body without a length": lambda: chain([OK + b"\r\n"], repeat(b"x")),
    "the sizes of chunks": lambda: chain([CHUNKED], repeat(b"0")),
    "chunks": lambda: chain([CHUNKED], repeat(chunks(b"x"))),
    "one chunk": lambda: chain([CHUNKED + b"fffff\r\n"], repeat(b"x")),
    "trailers": lambda: chain([CHUNKED + b"0\r\n"], repeat(b"X: y\r\n")),
    "gzip that makes nothing": lambda: chain([OK + b"Content-Encoding: gzip\r\n\r\n"], repeat(gzip.compress(b""))),
    "answers that are none yet": lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "nothing": lambda: repeat(b""),
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_an_answer_that_comes_a_byte_at_a_time_is_late_as_a_whole(sent: Callable[[], Iterable[bytes]]) -> None:
    with Wire(sent, pause=0.05) as wire:
        with pytest.raises(Late):
            read(Peer(wire.url, {}), QUICK)
        if sent is not SLOW["nothing"]:
            wait_until(wire.left.is_set)


def test_a_server_that_takes_nothing_is_late() -> None:
    """It accepts a connection, and reads no byte of what is sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = Peer(f"http://127.0.0.1:{listener.getsockname()[1]}", {})
        with pytest.raises((Late, Broken)), peer.exchange("POST", HERE, QUICK, body=bytes(64 * MEGABYTE)):
            pass


def test_a_server_that_takes_its_time_for_a_large_request_is_waited_for() -> None:
    """Not as short as for a connection: that alone has to be quick."""
    with HttpFake(Answer(200, b"thanks")) as http:
        peer = Peer(http.url, {})
        with peer.exchange("POST", HERE, PATIENT, body=bytes(32 * MEGABYTE)) as incoming:
            assert incoming.read() == b"thanks"


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        for url in (f"http://127.0.0.1:{free.getsockname()[1]}", "http://nobody.invalid", "http://127.0.0.1:99999"):
            with pytest.raises(Unreachable):
                read(Peer(url, {}))


def test_no_tls_where_tls_is_expected() -> None:
    with HttpFake() as http, pytest.raises(Untrusted, match="no TLS"):
        read(Peer(http.url.replace("http:", "https:"), {}))


# -- how deep it is, and what it is --------------------------------------------------------------

BODIES: dict[str, tuple[bytes, Any]] = {
    "what is expected": (b'{"a":1,"b":[[]]}', {"a": 1, "b": [[]]}),
    "as deep as may be": (b'{"a":' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}", ...),
    "one deeper": (b'{"a":' + b"[" * DEEPEST + b"]" * DEEPEST + b"}", TooMuch),
    "100,000 deep": (b'{"a":' + b"[" * 100_000, TooMuch),
    "brackets in a text": (b'{"a":"' + b"[" * 1_000 + b'"}', ...),
    "a list": (b"[]", Unreadable),
    "null": (b"null", Unreadable),
    "nothing": (b"", Unreadable),
    "HTML": (b"<html>", Unreadable),
    "no UTF-8": (b'{"a":"\xff"}', Unreadable),
    "cut off": (b'{"a":', Unreadable),
    "two": (b"{}{}", Unreadable),
    "not a number": (b'{"a":NaN}', Unreadable),
}


@pytest.mark.parametrize(("body", "found"), BODIES.values(), ids=BODIES)
def test_a_body_is_what_it_should_be(body: bytes, found: Any) -> None:
    if isinstance(found, type):
        with pytest.raises(found):
            decoded(body, dict[str, Any])
    else:
        assert found in (..., decoded(body, dict[str, Any]))


class Named(msgspec.Struct):
    """Something that has a name."""

    name: str


@pytest.mark.parametrize("body", [b"{}", b'{"name":7}', b'{"name":null}', b'[{"name":"x"}]'], ids=repr)
def test_a_body_has_the_shape_that_is_expected(body: bytes) -> None:
    assert decoded(b'{"name":"x","more":[1]}', Named) == Named("x")
    with pytest.raises(Unreadable):
        decoded(body, Named)
