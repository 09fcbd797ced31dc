"""Every route, and what should never reach it: always a clear answer in our words, never a 500, never an echo."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from mapper.ledger.rows import Rows
from mapper.web.body import LARGEST
from mapper.web.guard import HEADERS
from mapper.web.refusals import CUT, NOTED, PROBLEM, REFUSALS
from mapper.web.view import POLICY
from tests.support.asgi import SHAPE, Answered, RawHeaders, ask
from tests.support.situations import A, Site

MARK = "zqxmarker"
TOKEN = (b"authorization", b"Bearer t0ken")
JSON, FORM = (b"content-type", b"application/json"), (b"content-type", b"application/x-www-form-urlencoded")
FORM = (b"content-type", b"application/x-www-form-urlencoded")
WRITES = {
    "/wake": JSON,
    f"/api/studies/{A}/sync": JSON,
    "/api/retry": JSON,
    f"/page/studies/{A}/sync": FORM,
}
READS = ("/", "/metrics", "/api/studies", f"/api/studies/{A}", "/api/openapi.json", "/static/pages.css")
PROBES = ("/healthz", "/readyz")
NOWHERE = ("/nothing", f"/api/studies/{A}/{MARK}", "/static/nothing", "/static", "/docs", "/page", "//", "/wake/")
EVERYWHERE = (*WRITES, *READS, *PROBES, *NOWHERE)


@pytest.fixture
def site(ledger_url: str) -> Iterator[Site]:
    site = Site(ledger_url)
    site.world.source.store(A)
    site.world.mark(A)
    yield site
    site.world.database.close()


def sound(answered: Answered) -> None:
    """Hold what is true of every answer: no failure of ours, no echo, browsers kept in check, one shape of refusals."""
    for name, value in HEADERS.items():
        assert answered.header(name) in (value, POLICY.get(name))
    assert MARK.encode() not in answered.body
    assert all(MARK.encode() not in value for _, value in answered.headers)
    if answered.status >= 400:
        assert answered.header("content-type") == PROBLEM
        assert set(answered.json) == SHAPE


def post(site: Site, path: str, body: bytes, *more: tuple[bytes, bytes], **scope: Any) -> Answered:
    kind = WRITES.get(path, JSON)
    return ask(site.app, "POST", path, [TOKEN, kind, *more], [body], **scope)


# -- methods and paths -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "X"]
)
@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_method_on_every_path_has_an_answer(site: Site, method: str, path: str) -> None:
    kind = FORM if path.startswith("/page/") else JSON
    body = b'{"all": true}' if path == "/api/retry" else b"{}"
    answered = ask(site.app, method, path, [TOKEN, kind], [body if method not in ("GET", "HEAD") else b""])
    sound(answered)
    if path in WRITES and method == "POST":
        assert answered.status in (200, 202, 303)
    elif path in READS + PROBES and (method == "GET" or (method == "HEAD" and path in READS[-2:])):
        assert answered.status == 200
    else:
        assert answered.status in ((404, 405) if path in NOWHERE else (405,))


ODD_PATHS = {
    "no UTF-8": f"/api/studies/{MARK}\ufffd",
    "NUL": f"/api/studies/{MARK}\0",
    "a line": f"/api/studies/{MARK}\r\nX: y",
    "a surrogate": f"/api/studies/{MARK}\ud800",
    "dots": f"/static/../../{MARK}",
    "dots and backslashes": f"/static/..\\..\\{MARK}",
    "an absolute path": "/static//etc/passwd",
    "a long path": "/static/" + "x" * 5000,
    "a long UID": f"/api/studies/{MARK}{'1' * 5000}",
    "NUL in a file": "/static/pages.css\0",
    "a surrogate in a file": "/static/\udcff",
    "a folder": "/static/",
    "no UTF-8 at the root": f"/{MARK}\ufffd",
}


@pytest.mark.parametrize("path", ODD_PATHS.values(), ids=ODD_PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_odd_path_leads_nowhere(site: Site, method: str, path: str) -> None:
    answered = ask(site.app, method, path, [TOKEN, JSON], [b"{}"], raw_path=b"/")
    sound(answered)
    assert answered.status in (404, 405, 422)


# -- queries ---------------------------------------------------------------------------------------

QUERIES = [
    f"state={MARK}",
    f"state=synced&state={MARK}",
    "state=synced&state=synced",
    "limit=10&limit=10",
    "offset=0&offset=0",
    "limit=0",
    "limit=-1",
    "limit=1001",
    f"limit={MARK}",
    "limit=1e3",
    "limit=0x10",
    "limit=NaN",
    "limit=",
    f"limit={'9' * 4000}",
    "limit=%EF%BC%91",
    "offset=-1",
    "offset=1000000001",
    "offset=9223372036854775807",
    "offset=9223372036854775808",
    f"offset={'9' * 30}",
    f"offset={'9' * 4000}",
    f"offset={MARK}",
    "state=%ff",
    "state=%00",
    "state=%ed%a0%80",
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:40])
def test_a_wrong_query_is_a_mistake_of_whoever_asks(site: Site, query: str) -> None:
    answered = ask(site.app, "GET", "/api/studies", [TOKEN], query_string=query.encode())
    assert answered.status == 422
    sound(answered)


def test_the_largest_query_is_answered(site: Site) -> None:
    answered = ask(site.app, "GET", "/api/studies", [TOKEN], query_string=b"limit=1000&offset=1000000000&state=synced")
    assert (answered.status, answered.json["studies"]) == (200, [])


@pytest.mark.parametrize(
    "body", [b"study=1.2&study=1.3", b"study=", b"\xff\xfe=1&\xff\xfe=2", f"study={MARK}^x".encode()], ids=repr
)
def test_a_button_is_pressed_for_one_study(site: Site, body: bytes) -> None:
    answered = ask(site.app, "POST", "/page/ask", [TOKEN, FORM], [body])
    assert answered.status == 422
    sound(answered)


@pytest.mark.parametrize("query", [b"%ff=1", b"x=%ff%fe", b"\xff=\xff", b"&&&=&=", b"study=%00"], ids=repr)
@pytest.mark.parametrize("path", READS)
def test_a_query_that_says_nothing_to_us_does_no_harm(site: Site, path: str, query: bytes) -> None:
    answered = ask(site.app, "GET", path, [TOKEN], query_string=query)
    assert answered.status in (200, 303, 422)
    sound(answered)


# -- bodies ----------------------------------------------------------------------------------------

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": MARK.encode(),
    "half of it": b'{"wait": 1',
    "two of them": b"{}{}",
    "a list": b"[]",
    "a text": b'"' + MARK.encode() + b'"',
    "null": b"null",
    "a number": b"1",
    "NaN": b"NaN",
    "no UTF-8": b'{"wait": "\xff"}',
    "UTF-16": '{"wait": 1}'.encode("utf-16"),
    "NUL": b'{"wait": 1}\0',
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "an unknown key": b'{"' + MARK.encode() + b'": 1}',
    "a surrogate as a key": b'{"\\ud800": 1}',
    "too large": b" " * (LARGEST + 1),
    "a number beyond all": b'{"wait": 1e999}',
    "a number of 10,000 digits": b'{"wait": ' + b"9" * 10_000 + b"}",
}
VALUES = {
    "wait": [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"-1",
        b"61",
        b'"' + MARK.encode() + b'"',
        b"null",
        b"[]",
        b"{}",
        b"1e309",
    ],
    "sweep": [b"NaN", b"2", b'"' + MARK.encode() + b'"', b"null", b"[]", b'"\\ud800"', b"1e999"],
    "studies": [
        b"NaN",
        b"null",
        b"{}",
        b'"' + MARK.encode() + b'"',
        b"[NaN]",
        b"[null]",
        b"[1]",
        b'["\\ud800"]',
        b'["1.2\\u0000"]',
        b'["' + MARK.encode() + b'^x"]',
        b"[" + b",".join([b'"1.2"'] * 1001) + b"]",
        b"[[[]]]",
    ],
}
FIELD = {"wait": f"/api/studies/{A}/sync", "sweep": "/wake", "studies": "/api/retry"}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", [path for path, kind in WRITES.items() if kind == JSON])
def test_a_wrong_body_is_a_mistake_of_whoever_sends_it(site: Site, path: str, body: bytes) -> None:
    answered = post(site, path, body)
    assert answered.status in (400, 413, 422)
    sound(answered)
    assert site.world.state(A) == "pending"


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, them in VALUES.items() for value in them])
def test_a_wrong_value_is_named_by_its_field(site: Site, field: str, value: bytes) -> None:
    answered = post(site, FIELD[field], b'{"' + field.encode() + b'": ' + value + b"}")
    assert answered.status == 422
    assert answered.json["message"].startswith(f"{field}: ")
    assert len(answered.body) < 500
    sound(answered)


def test_one_thing_said_twice_in_a_body_is_what_json_makes_of_it(site: Site) -> None:
    """RFC 8259 leaves open which one counts; Python takes the last."""
    assert post(site, "/wake", b'{"sweep": true, "sweep": false}').status == 202
    assert not site.bell.sweep_asked.is_set()


# -- what is refused is counted and said -------------------------------------------------------------


def refuse(site: Site, reason: str) -> Answered:
    """Do what is refused for this reason."""
    if reason == "host":
        pytest.fail("with a token no Host is refused")
    wrong: RawHeaders = [(b"authorization", f"Bearer {MARK}".encode()), JSON]
    requests: dict[str, tuple[str, str, RawHeaders, bytes]] = {
        "target": ("GET", f"http://{MARK}/", [TOKEN], b""),
        "head": ("GET", "/", [TOKEN, (b"x", MARK.encode() * 2000)], b""),
        "no token": ("POST", "/wake", [JSON], b"{}"),
        "wrong token": ("POST", "/wake", wrong, b"{}"),
        "method": ("TRACE", "/", [TOKEN], b""),
        "site": ("POST", "/wake", [TOKEN, JSON, (b"origin", f"http://{MARK}".encode())], b"{}"),
        "no json": ("POST", "/wake", [TOKEN, (b"content-type", MARK.encode())], b"{}"),
        "no form": ("POST", "/page/ask", [TOKEN, JSON], b"{}"),
        "ended": ("GET", "/", [(b"cookie", f"orthanc-fhir={MARK}".encode())], b""),
        "part": ("GET", f"/?state={MARK}", [(b"hx-request", b"true"), (b"accept", b"text/html")], b""),
        "size": ("POST", "/wake", [TOKEN, JSON], MARK.encode() * 200_000),
        "login size": ("POST", "/login", [FORM], MARK.encode() * 8000),
        "depth": ("POST", "/wake", [TOKEN, JSON], b"[" * 600),
    }
    method, path, headers, body = requests[reason]
    return ask(site.app, method, path, headers, [body])


def counted(site: Site) -> dict[str, float]:
    text = site.metrics.text().decode()
    lines = [line for line in text.splitlines() if line.startswith("orthanc_fhir_refused_total")]
    return {line.partition('reason="')[2].partition('"')[0]: float(line.rpartition(" ")[2]) for line in lines}


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == "refused"]


@pytest.fixture
def logged() -> Iterator[None]:
    from mapper import log

    before = logging.getLogger().handlers[:]
    log.configure("json")
    yield
    logging.getLogger().handlers[:] = before


@pytest.mark.parametrize("reason", sorted(REFUSALS.keys() - {"host", "busy", "too many", "guessed", "untold"}))
def test_each_refusal_is_counted_and_logged_once_a_minute(
    site: Site, reason: str, logged: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert counted(site) == dict.fromkeys((*REFUSALS, *NOTED, *CUT), 0)
    for _ in range(3):
        answered = refuse(site, reason)
        assert answered.status == REFUSALS[reason].status
        sound(answered)
    assert counted(site)[reason] == 3
    assert sum(counted(site).values()) == 3
    (line,) = said(capsys)
    assert (line["level"], line["reason"], line["times"]) == ("warning", reason, 1)
    site.world.clock.forward(61)
    refuse(site, reason)
    (line,) = said(capsys)
    assert line["times"] == 3
    assert MARK not in json.dumps(line)


def test_a_ring_with_a_wrong_token_is_told_from_another_login(
    site: Site, logged: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plugin keeps trying with what it has: that hides nobody else's attempts."""
    wrong = (b"authorization", f"Bearer {MARK}".encode())
    for path in ("/wake", "/wake", "/", "/api/studies"):
        ask(site.app, "GET", path, [wrong])
    lines = said(capsys)
    assert [line.get("ring", False) for line in lines] == [True, False]
    assert all("FhirSync.Token" in line["do"] for line in lines)
    assert MARK not in json.dumps(lines)
    assert counted(site)["wrong token"] == 4


def test_a_loopback_service_says_whom_it_refused(
    ledger_url: str, logged: None, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(ledger_url, token=None)
    assert ask(site.app, "GET", "/", [(b"host", MARK.encode())]).status == 403
    (line,) = said(capsys)
    assert line["reason"] == "host"
    assert MARK not in json.dumps(line)
    site.world.database.close()


# -- what breaks inside ------------------------------------------------------------------------------


def test_a_failure_of_ours_is_said_in_one_line_and_keeps_browsers_in_check(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any) -> Any:
        raise RuntimeError(MARK)

    monkeypatch.setattr(Rows, "find", broken)
    answer = site.client.get(f"/api/studies/{A}")
    assert answer.status_code == 500
    assert answer.json()["message"] == "this went wrong here: see the mapper's log"
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert MARK not in answer.text


def test_the_documentation_of_the_api_says_how_errors_look(site: Site) -> None:
    described = ask(site.app, "GET", "/api/openapi.json", [TOKEN]).json
    assert "HTTPValidationError" not in json.dumps(described)
    assert described["components"]["schemas"]["Problem"]["required"] == ["title", "status", "detail", "message"]
