"""What fell to attack and what held, on a real `serve`: every path with every credential, other sites, hostile text."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest

from mapper.web.guard import HEADERS
from mapper.web.paths import LOGIN, LOOKS, takes_form
from mapper.web.view import POLICY
from stack import FhirServer, Mapper, Orthanc
from tests.support.asgi import SHAPE
from tests.support.nowhere import Nowhere
from tests.support.stack import TOKEN, Json, session, until
from tests.support.study import Sample, study

MARK = "zqxmarker"
USER = "zqxuser"
"""What no answer, no log and no ledger may hold."""


@dataclass(frozen=True)
class Reply:
    """What came back to a request of this method."""

    method: str
    status: int
    headers: dict[str, str]
    text: str

    def header(self, name: str) -> str:
        """Return a header."""
        return {known.lower(): value for known, value in self.headers.items()}[name.lower()]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


class Scene:
    """An Orthanc with one study, and `serve` beside it."""

    def __init__(self, folder: Path) -> None:
        self.orthanc = Orthanc(folder / "orthanc", overrides={"StableAge": 1}, plugin_script=None)
        self.mapper = Mapper(folder / "mapper", orthanc=self.orthanc, fhir=cast(FhirServer, Nowhere()), token=TOKEN)
        self.http = session()
        self.sample: Sample = study()

    def __enter__(self) -> "Scene":
        self.orthanc.start().wait_ready()
        for file in self.sample.files:
            self.http.post(f"{self.orthanc.url}/instances", data=file, auth=self.orthanc.auth, timeout=30)
        self.mapper.start().wait_ready()
        until(self.uids)
        return self

    def __exit__(self, *_: object) -> None:
        self.mapper.clean()
        self.orthanc.clean()

    def ask(self, method: str, target: str, headers: Json | None = None, body: bytes = b"") -> Reply:
        """Send a request whose target goes out as it stands: other clients would tidy it up."""
        headers = headers or {}
        client = HTTPConnection("127.0.0.1", self.mapper.port, timeout=30)
        client.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            client.putheader(name, value)
        client.endheaders(body)
        answer = client.getresponse()
        reply = Reply(method, answer.status, dict(answer.getheaders()), answer.read().decode())
        client.close()
        return reply

    def uids(self) -> list[str]:
        """Return every study of the ledger."""
        answer = self.ask("GET", "/api/studies?limit=1000", RIGHT)
        return sorted(one["study_uid"] for one in answer.json["studies"])

    def metric(self, reason: str) -> float:
        """Return how often something was refused for a reason."""
        text = self.ask("GET", "/metrics", RIGHT).text
        (line,) = [line for line in text.splitlines() if f'refused_total{{reason="{reason}"}}' in line]
        return float(line.split()[-1])

    def log(self) -> list[Json]:
        """Return the lines of the mapper's log."""
        return [json.loads(line) for line in self.mapper.log.read_text().splitlines() if line.startswith("{")]

    def nothing_told(self) -> None:
        """Hold that nothing keeps what was sent."""
        for file in self.mapper.folder.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                for secret in (MARK, USER, TOKEN, MARK[:9].upper()):
                    assert secret.encode() not in content, f"{secret} stands in {file.name}"


@pytest.fixture(scope="module")
def scene(run_folder: Path) -> Iterator[Scene]:
    with Scene(run_folder / "attack-web") as running:
        yield running
        running.nothing_told()


def basic(user: str, password: str) -> Json:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


RIGHT = {"Authorization": f"Bearer {TOKEN}"}
CREDENTIALS: dict[str, tuple[Json, bool]] = {
    "none": ({}, False),
    "a wrong token": ({"Authorization": f"Bearer {MARK}"}, False),
    "an empty token": ({"Authorization": "Bearer "}, False),
    "a wrong password": (basic(USER, MARK), False),
    "the right password": (basic(USER, TOKEN), True),
    "the right token": (RIGHT, True),
}
UID = "1.2.3.4"
PATHS = [
    "/",
    f"/?study={UID}",
    "/studies",
    f"/studies/{UID}",
    f"/studies/{UID}/explain",
    f"/studies/{UID}/header",
    f"/studies/{UID}/problems",
    "/problems",
    "/mapping",
    "/settings",
    "/about",
    "/page/studies",
    "/page/ask",
    "/page/find",
    "/static/live.js",
    "/metrics",
    "/api/studies",
    f"/api/studies/{UID}",
    f"/api/studies/{UID}/sync",
    "/api/retry",
    "/wake",
    f"/page/studies/{UID}/sync",
    "/api/openapi.json",
    "/docs",
    "/static/pages.css",
    "/static/../../serve.py",
    "/static/%2e%2e/%2e%2e/serve.py",
    "/login",
    "/logout",
    "/healthz/",
    "/healthz?x",
    "/healthz%3Fx",
    "/healthz%00",
    "/%68ealthz",
    "//healthz",
    "/healthz/../api/studies",
    "/HEALTHZ",
    "/readyz/..%2fapi%2fstudies",
    f"/{MARK}",
    "/healthz",
    "/readyz",
]
OPEN = {"/healthz", "/healthz?x", "/%68ealthz", "/readyz"}
"""Spellings of the two probes (RFC 3986 section 2.3: a letter may be written by its number)."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


def sound(answer: Reply, *told: str) -> None:
    """Hold what is true of every answer."""
    assert answer.status < 500, answer.text
    for name, value in HEADERS.items():
        assert answer.header(name) in (value, POLICY.get(name))
    for text in (MARK, USER, TOKEN, *told):
        assert text not in answer.text
        assert text not in str(answer.headers)
    if answer.status >= 400 and answer.method != "HEAD" and 'action="/login"' not in answer.text:
        assert set(answer.json) == SHAPE


@pytest.mark.parametrize(("credentials", "right"), CREDENTIALS.values(), ids=CREDENTIALS)
@pytest.mark.parametrize("path", PATHS)
def test_every_path_wants_the_token(scene: Scene, path: str, credentials: Json, right: bool) -> None:
    before = scene.uids()
    for method in METHODS:
        kind = "x-www-form-urlencoded" if takes_form(path.partition("?")[0]) else "json"
        answer = scene.ask(method, path, {**credentials, "Content-Type": f"application/{kind}"}, b"{}")
        sound(answer)
        if path in OPEN:
            assert answer.status == (200 if method == "GET" else 405)
        elif path in LOOKS:
            assert answer.status in (200, 405, 415)
        elif path == LOGIN:
            assert answer.status in (200, 401, 405, 415, 429)
        elif not right:
            assert answer.status in (401, *(() if credentials == {} else (429,))), f"{method} {path}"
            if answer.status == 401:
                assert answer.header("WWW-Authenticate").startswith("Basic ")
        else:
            assert answer.status != 401
    assert scene.uids() == before


def test_what_was_refused_is_counted_and_said_a_few_times_only(scene: Scene) -> None:
    """Of wrong ones few are looked at, and whoever has the right token is not held up by who has none."""
    before = [scene.metric(reason) for reason in ("wrong token", "too many", "no token")]
    for number in range(50):
        for headers in ({}, {"Authorization": f"Bearer {MARK}{number}"}, basic(f"{USER}{number}", MARK)):
            refused = (401, 429) if headers else (401,)
            assert scene.ask("GET", "/api/studies", headers).status in refused
            assert scene.ask("POST", "/wake", {**headers, "Content-Type": "application/json"}, b"{}").status in refused
    after = [scene.metric(reason) for reason in ("wrong token", "too many", "no token")]
    assert after[0] + after[1] == before[0] + before[1] + 200
    assert after[1] > before[1]
    assert after[2] == before[2] + 100
    lines = [line for line in scene.log() if line["event"] == "refused"]
    assert {line["reason"] for line in lines} >= {"wrong token", "no token"}
    assert any(line.get("ring") for line in lines), "the plugin's rings are told from others"
    assert len(lines) < 60, "a line a minute and kind"


# -- other sites -----------------------------------------------------------------------------------

HERE = "http://127.0.0.1"
OTHERS: dict[str, Json] = {
    "another site": {"Origin": "https://evil.example"},
    "another port of this machine": {"Origin": f"{HERE}:1"},
    "this machine without a port": {"Origin": HERE},
    "a sandboxed frame": {"Origin": "null"},
    "a name that is made to point here": {"Origin": "http://evil.example", "Host": "127.0.0.1"},
    "a browser that says so": {"Sec-Fetch-Site": "cross-site"},
    "a neighbour": {"Sec-Fetch-Site": "same-site"},
}
FORMS: dict[str, tuple[str, bytes]] = {
    "a form": ("application/x-www-form-urlencoded", b"studies=1"),
    "a form with a file": ("multipart/form-data; boundary=x", b"--x--"),
    "a plain text": ("text/plain", b'{"sweep": true}'),
    "a beacon": ("text/plain;charset=UTF-8", b"{}"),
    "JSON": ("application/json", b"{}"),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize(("kind", "body"), FORMS.values(), ids=FORMS)
def test_no_other_site_writes_with_the_token_of_a_browser(scene: Scene, other: Json, kind: str, body: bytes) -> None:
    """A browser that has the password sends it along, whoever makes it ask."""
    for path in ("/wake", "/api/retry", f"/api/studies/{scene.sample.uid}/sync", "/page/ask"):
        headers = {**basic(USER, TOKEN), **other, "Content-Type": kind}
        answer = scene.ask("POST", path, headers, body)
        sound(answer)
        assert answer.status in (403, 415)
        if set(other) != {"Host"}:
            assert answer.status == 403


@pytest.mark.parametrize(("kind", "body"), list(FORMS.values())[:4], ids=list(FORMS)[:4])
def test_what_a_form_can_send_is_no_call_of_the_api(scene: Scene, kind: str, body: bytes) -> None:
    for path in ("/wake", "/api/retry", f"/api/studies/{scene.sample.uid}/sync"):
        assert scene.ask("POST", path, {**RIGHT, "Content-Type": kind}, body).status == 415


# -- hostile text in every parameter -----------------------------------------------------------------

TEXTS = [
    MARK,
    f"{MARK}^JOHN",
    f"{MARK}' OR '1'='1",
    f'{MARK}"; DROP TABLE study; --',
    f"<script>{MARK}</script>",
    f"<img src=x onerror={MARK}>",
    f"{{{{{MARK}}}}}{{{{7*7}}}}",
    f"${{{MARK}}}",
    f"{MARK}%s%n%x",
    f"{MARK}\x00",
    f"{MARK}\r\nX-Injected: 1",
    f"{MARK}\x1b[31m\x07",
    f"\u202e{MARK}",
    f"../../{MARK}",
    f"..\\..\\{MARK}",
    f"//{MARK}.example/",
    f"http://{MARK}.example/",
    f"{MARK}" * 400,
    f"1.2.{MARK}*",
    f"1.2?{MARK}",
    f"1.2#{MARK}",
    f"1.2;{MARK}",
    f"$({MARK})",
    f"`{MARK}`",
    f"{MARK}\ufeff\U0001f4a9",
]
each_text = pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:40])


@each_text
def test_hostile_text_is_refused_and_kept_nowhere(scene: Scene, text: str) -> None:
    before, said, part = scene.uids(), ascii(text)[1:-1], quote(text, safe="")
    json_headers = {**RIGHT, "Content-Type": "application/json"}
    form_headers = {**RIGHT, "Content-Type": "application/x-www-form-urlencoded"}
    uid = scene.sample.uid
    as_json = json.dumps(text).encode()
    refused = [
        scene.ask("GET", f"/api/studies/{part}", RIGHT),
        scene.ask("POST", f"/api/studies/{part}/sync", json_headers, b"{}"),
        scene.ask("POST", "/page/ask", form_headers, f"study={part}".encode()),
        scene.ask("GET", f"/api/studies?state={part}", RIGHT),
        scene.ask("GET", f"/api/studies?limit={part}", RIGHT),
        scene.ask("GET", f"/api/studies?offset={part}", RIGHT),
        scene.ask("GET", f"/?state={part}", RIGHT),
        scene.ask("GET", f"/{part}", RIGHT),
        scene.ask("GET", f"/static/{part}", RIGHT),
        scene.ask("POST", f"/api/studies/{uid}/sync", json_headers, b'{"wait": ' + as_json + b"}"),
        scene.ask("POST", f"/api/studies/{uid}/sync", json_headers, b"{" + as_json + b": 1}"),
        scene.ask("POST", "/wake", json_headers, b'{"sweep": ' + as_json + b"}"),
        scene.ask("POST", "/api/retry", json_headers, b'{"studies": [' + as_json + b"]}"),
        scene.ask("POST", "/api/retry", json_headers, text.encode()),
        scene.ask("POST", "/wake", {**RIGHT, "Content-Type": quote(text)}, b"{}"),
        scene.ask("GET", "/api/studies", {"Authorization": f"Bearer {part}"}),
        scene.ask("GET", "/api/studies", basic(text, text)),
    ]
    for answer in refused:
        sound(answer, said)
        assert 400 <= answer.status < 500
        assert "x-injected" not in str(answer.headers).lower()
    shown = [
        scene.ask("GET", f"/studies?q={part}", RIGHT),
        scene.ask("GET", f"/api/studies?{part}=1", RIGHT),
        scene.ask("GET", "/", {**RIGHT, "User-Agent": quote(text), "Referer": quote(text), "Cookie": quote(text)}),
        scene.ask("GET", "/", {**RIGHT, "X-Forwarded-For": quote(text), "X-Forwarded-Host": quote(text)}),
        scene.ask("GET", "/", {**RIGHT, "Host": f"{MARK}.example", "X-Forwarded-Proto": quote(text)}),
    ]
    for answer in shown:
        sound(answer, said)
        assert answer.status == 200
    assert scene.uids() == before


def test_what_orthanc_knows_by_other_names_becomes_no_study(scene: Scene) -> None:
    """Orthanc's own lookup finds accession numbers, patients, series and instances as well."""
    instance = scene.sample.datasets[0]
    names = [
        str(instance.PatientID),
        str(instance.SeriesInstanceUID),
        str(instance.SOPInstanceUID),
        f"{scene.sample.uid}.1",
        str(scene.sample.uid)[:-1],
        "2.25.1",
    ]
    before = scene.uids()
    for name in names:
        answer = scene.ask("POST", f"/api/studies/{name}/sync", {**RIGHT, "Content-Type": "application/json"}, b"{}")
        assert answer.status in (404, 422), name
    assert scene.uids() == before


def test_a_study_can_be_asked_for_before_it_was_ever_seen(scene: Scene) -> None:
    """StableAge is not over, so no sweep and no /changes has told of it."""
    late = study()
    for file in late.files:
        scene.http.post(f"{scene.orthanc.url}/instances", data=file, auth=scene.orthanc.auth, timeout=30)
    answer = scene.ask("POST", f"/api/studies/{late.uid}/sync", {**RIGHT, "Content-Type": "application/json"}, b"{}")
    assert answer.status == 200
    assert answer.json["study_uid"] == late.uid
    assert late.uid in scene.uids()


def test_an_orthanc_that_is_down_is_said_and_nothing_is_marked(run_folder: Path) -> None:
    with Scene(run_folder / "attack-web-down") as scene:
        scene.orthanc.kill()
        headers = {**RIGHT, "Content-Type": "application/json"}
        answer = scene.ask("POST", f"/api/studies/{UID}/sync", headers, b"{}")
        assert answer.status == 503
        assert scene.orthanc.url in answer.json["message"]
        assert scene.ask("POST", f"/api/studies/{scene.sample.uid}/sync", headers, b"{}").status == 200
        assert scene.uids() == [scene.sample.uid]
