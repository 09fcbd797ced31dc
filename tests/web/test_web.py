"""The mapper over HTTP: who gets in, every route, and the page in each situation."""

import base64
import html
import json
import platform
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

import pytest
from httpx import Response
from prometheus_client.parser import text_string_to_metric_families
from starlette.routing import Route

from mapper.dicom.uid import is_askable
from mapper.errors import BundleRejected, SourceDown
from mapper.ledger.state import STATES
from mapper.maps import MAPPING_VERSION
from mapper.remedies import remedy
from mapper.settings import Settings
from mapper.sync.brake import BRAKE
from mapper.web.app import routes_of
from mapper.web.paths import OPEN, takes_form
from mapper.web.prometheus import Prometheus
from mapper.web.refusals import PROBLEM
from tests.support.asgi import SHAPE, ask
from tests.support.fakes import SITE, study_key
from tests.support.mapper_fake import UNSEEN
from tests.support.situations import (
    HERE,
    SITUATIONS,
    TOKEN,
    A,
    B,
    C,
    Site,
    in_line,
    parked,
)


@pytest.fixture
def site(ledger_url: str) -> Iterator[Site]:
    site = Site(ledger_url)
    yield site
    site.world.database.close()


VERSION = version("orthanc-fhir")
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def open_site(ledger_url: str) -> Iterator[Site]:
    """Give a service without a token."""
    site = Site(ledger_url, token=None)
    yield site
    site.world.database.close()


ROUTES = [
    ("GET", "/metrics", {}),
    ("GET", "/api/studies", {}),
    ("GET", f"/api/studies/{A}", {}),
    ("GET", f"/api/studies/{A}/history", {}),
    ("GET", "/api/history", {}),
    ("GET", "/api/failures", {}),
    ("GET", "/api/status", {}),
    ("POST", f"/api/studies/{A}/sync", {"json": {}}),
    ("POST", "/api/retry", {"json": {"all": True}}),
    ("POST", "/wake", {"json": {}}),
    ("GET", "/", {}),
    ("GET", "/studies", {}),
    ("GET", f"/studies/{A}", {}),
    ("GET", f"/studies/{A}/problems", {}),
    ("POST", "/page/studies", {"content": "which=all", "headers": FORM}),
    ("GET", f"/studies/{A}/explain", {}),
    ("POST", "/page/ask", {"content": f"study={A}", "headers": FORM}),
    ("POST", f"/page/studies/{A}/sync", {"headers": FORM}),
    ("GET", "/problems", {}),
    ("GET", "/syncs", {}),
    ("GET", "/mapping", {}),
    ("GET", "/settings", {}),
    ("GET", "/about", {}),
    ("POST", "/logout", {"headers": FORM}),
    ("GET", "/api/openapi.json", {}),
    ("GET", "/nothing/here", {}),
]
LIVE = {"/", "/studies", f"/studies/{A}", "/problems"}
"""Pages that stay up to date by a script of ours; every other answer may run none."""
each_route = pytest.mark.parametrize(("method", "path", "given"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])


def refused(answer: Response, status: int) -> None:
    assert answer.status_code == status
    assert set(answer.json()) == SHAPE


# -- who gets in ---------------------------------------------------------------------------------


def test_every_route_is_in_this_list(site: Site) -> None:
    known = {(method, path.replace(A, "{study_uid}")) for method, path, _ in ROUTES} | {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("POST", "/page/find"),  # for those who may see values: tests/web/test_study_pages.py
        ("GET", "/studies/{study_uid}/header"),
    }
    served = {
        (method, route.path)
        for route in routes_of(site.service, Prometheus()).routes
        if isinstance(route, Route)
        for method in (route.methods or ())
        if method != "HEAD"
    }
    assert served <= known


@each_route
def test_without_the_token_nobody_gets_in(site: Site, method: str, path: str, given: dict[str, Any]) -> None:
    if path in OPEN:  # what the login page looks like
        assert site.stranger.request(method, path, **given).status_code == 200
        return
    answer = site.stranger.request(method, path, **given)
    refused(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert site.world.ledger.rows.page() == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}",
        f"Token {TOKEN}",
        TOKEN,
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xff").decode(),
        "Basic " + base64.b64encode(TOKEN.encode()).decode(),
        "Basic " + base64.b64encode(f"{TOKEN}:".encode()).decode(),
        "Basic " + base64.b64encode(f"user:{TOKEN}x".encode()).decode(),
    ],
)
def test_a_wrong_token_is_none(site: Site, header: str) -> None:
    refused(site.stranger.get("/api/studies", headers={"Authorization": header}), 401)


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {TOKEN}",
        f"bearer {TOKEN}",
        "Basic " + base64.b64encode(f"anybody:{TOKEN}".encode()).decode(),
        "Basic " + base64.b64encode(f":{TOKEN}".encode()).decode(),
    ],
)
def test_the_token_comes_as_bearer_or_as_a_browsers_password(site: Site, header: str) -> None:
    assert site.stranger.get("/api/studies", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_need_no_token_and_tell_nothing(site: Site, path: str) -> None:
    site.world.source.store(A)
    site.sync(A)
    answer = site.stranger.get(path)
    assert answer.status_code == 200
    assert answer.text in ("ok\n", "ready\n")


@each_route
def test_without_a_token_only_loopback_names_are_answered(
    open_site: Site, method: str, path: str, given: dict[str, Any]
) -> None:
    """A page of another site whose name is made to point here must find nothing (DNS rebinding)."""
    refused(open_site.client.request(method, f"http://rebound.example{path}", **given), 403)
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert open_site.client.request(method, f"http://{host}{path}", **given).status_code != 403


# -- writes --------------------------------------------------------------------------------------

WRITES = [(method, path, given) for method, path, given in ROUTES if method == "POST"]
each_write = pytest.mark.parametrize(("method", "path", "given"), WRITES, ids=[path for _, path, _ in WRITES])


@each_write
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": HERE, "Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_no_other_site_writes(
    site: Site, method: str, path: str, given: dict[str, Any], headers: dict[str, str]
) -> None:
    refused(site.client.request(method, path, **{**given, "headers": {**given.get("headers", {}), **headers}}), 403)
    assert site.world.ledger.rows.page() == []


@each_write
@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": HERE}, {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
    ids=str,
)
def test_our_own_pages_and_programs_write(
    site: Site, method: str, path: str, given: dict[str, Any], headers: dict[str, str]
) -> None:
    site.world.source.store(A)
    given = {**given, "headers": {**given.get("headers", {}), **headers}}
    answer = site.client.request(method, path, **given, follow_redirects=False)
    assert answer.status_code in (200, 202, 303)


@each_write
@pytest.mark.parametrize("kind", ["text/plain", "", "multipart/form-data", "wrong"])
def test_a_write_says_what_it_sends(site: Site, method: str, path: str, given: dict[str, Any], kind: str) -> None:
    """A form of another site can send text and forms, but never JSON."""
    if kind == "wrong":
        kind = "application/json" if takes_form(path) else "application/x-www-form-urlencoded"
    refused(site.client.request(method, path, content=b"{}", headers={"content-type": kind}), 415)
    assert site.world.ledger.rows.page() == []


def test_json_with_a_charset_is_json(site: Site) -> None:
    assert site.client.post(
        "/wake", content=b"{}", headers={"content-type": "Application/JSON; charset=utf-8"}
    ).is_success


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/wake"), ("GET", "/api/retry"), ("GET", f"/api/studies/{A}/sync"), ("GET", "/page/ask")],
)
def test_reading_never_writes(site: Site, method: str, path: str) -> None:
    assert site.client.request(method, path).status_code == 405


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(site: Site, method: str) -> None:
    assert site.client.request(method, f"/api/studies/{A}", headers=JSON, content=b"{}").status_code == 405


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/wake", b"{"),
        ("/wake", b"[]"),
        ("/wake", b'{"sweep": "perhaps"}'),
        ("/wake", b'{"swep": true}'),
        (f"/api/studies/{A}/sync", b'{"wait": -1}'),
        (f"/api/studies/{A}/sync", b'{"wait": 61}'),
        ("/api/retry", b'{"studies": "1.2"}'),
    ],
)
def test_a_wrong_body_is_refused(site: Site, path: str, body: bytes) -> None:
    refused(site.client.post(path, content=body, headers=JSON), 422)
    assert site.world.ledger.rows.page() == []


@each_route
def test_every_answer_keeps_browsers_in_check(site: Site, method: str, path: str, given: dict[str, Any]) -> None:
    for client in (site.client, site.stranger):
        headers = client.request(method, path, **given, follow_redirects=False).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        scripts = re.findall("script-src[^;]*", headers["content-security-policy"])
        assert scripts in ([], ["script-src 'self'"] if path in LIVE and client is site.client else [])
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


# -- the API -------------------------------------------------------------------------------------


def test_a_study_has_one_shape_everywhere(site: Site) -> None:
    site.world.source.store(A, PatientBirthDate="not a date")
    site.sync(A)
    one = site.client.get(f"/api/studies/{A}").json()
    assert set(one) >= {"study_uid", "state", "message", "problems", "synced_at", "fhir_url"}
    assert (one["study_uid"], one["state"]) == (A, "synced")
    assert one["message"]
    assert one["fhir_url"] == "https://fhir.example.org/fhir/" + "/".join(study_key(A))
    synced_at = datetime.fromisoformat(one["synced_at"])
    assert synced_at == datetime.fromtimestamp(int(site.world.clock.now), UTC)
    assert {"element", "attribute", "reason"} == set(one["problems"][0])
    assert site.client.get("/api/studies").json()["studies"] == [one]
    assert site.client.post(f"/api/studies/{A}/sync", json={}).json().keys() == one.keys()


def test_a_study_that_was_never_written_has_no_link(site: Site) -> None:
    site.world.source.store(A)
    site.world.source.failures.append(SourceDown("no answer"))
    site.sync(A)
    one = site.client.get(f"/api/studies/{A}").json()
    assert (one["state"], one["synced_at"], one["fhir_url"]) == ("retrying", None, None)
    assert one["message"] == "waits: orthanc is down: no answer"


def test_a_study_that_failed_says_what_to_do_and_how_it_went(site: Site) -> None:
    parked(site)
    one = site.client.get(f"/api/studies/{A}", params={"history": 2}).json()
    [failed] = one["history"]
    assert (one["failure"], one["remedy"]) == ("BundleRejected", remedy("BundleRejected").do)
    assert (failed["fate"], failed["failure"], failed["attempts"]) == ("parked", "BundleRejected", 1)
    for _ in range(3):
        site.sync(A)
    one = site.client.get(f"/api/studies/{A}", params={"history": 2}).json()
    assert [sync["fate"] for sync in one["history"]] == ["synced", "synced"]
    assert one["remedy"] is None
    assert "history" not in site.client.get(f"/api/studies/{A}").json()


@pytest.mark.parametrize("wanted", ["-1", "101", "x", ""])
def test_a_history_of_no_number_is_refused(site: Site, wanted: str) -> None:
    in_line(site)
    refused(site.client.get(f"/api/studies/{A}", params={"history": wanted}), 422)


def test_an_unknown_study_is_404(site: Site) -> None:
    """In a media type of its own: the plugin tells it from a gateway's or another server's 404."""
    for answer in (site.client.get("/api/studies/9.9.9"), site.client.post("/api/studies/9.9.9/sync", json={})):
        refused(answer, 404)
        assert answer.headers["content-type"] == UNSEEN
    elsewhere = site.client.get("/api/nothing")
    refused(elsewhere, 404)
    assert elsewhere.headers["content-type"] == PROBLEM


def test_the_list_is_counted_filtered_and_paged(site: Site) -> None:
    for study_uid in (A, B):
        site.world.source.store(study_uid)
    site.sync(A, B)
    site.world.mark(C)
    everything = site.client.get("/api/studies").json()
    assert everything["counts"] == {**dict.fromkeys(STATES, 0), "synced": 2, "pending": 1}
    assert len(everything["studies"]) == 3
    pending = site.client.get("/api/studies", params={"state": "pending"}).json()["studies"]
    assert [one["study_uid"] for one in pending] == [C]
    pages = [site.client.get("/api/studies", params={"limit": 2, "offset": at}).json()["studies"] for at in (0, 2, 4)]
    assert [len(page) for page in pages] == [2, 1, 0]
    assert sorted(one["study_uid"] for page in pages for one in page) == [A, B, C]


@pytest.mark.parametrize("query", [{"state": "lost"}, {"limit": 0}, {"limit": 100000}, {"offset": -1}], ids=str)
def test_a_wrong_query_is_refused(site: Site, query: dict[str, Any]) -> None:
    assert site.client.get("/api/studies", params=query).status_code == 422


def test_wake_rings_and_asks_for_a_sweep_only_when_told(site: Site) -> None:
    assert site.client.post("/wake", json={}).status_code == 202
    assert not site.bell.sweep_asked.is_set()
    assert site.client.post("/wake", json={"sweep": True}).status_code == 202
    assert site.bell.sweep_asked.is_set()


def test_sync_marks_by_hand_and_answers_at_once(site: Site) -> None:
    site.world.source.store(A)
    answer = site.client.post(f"/api/studies/{A}/sync", json={})
    assert answer.status_code == 200
    assert answer.json()["state"] == "pending"
    (claim,) = site.world.ledger.studies.claim(["orthanc"])
    assert claim.priority > 0


def test_retry_brings_back_what_is_parked(site: Site) -> None:
    for study_uid in (A, B):
        site.world.source.store(study_uid)
        site.world.sink.failures.append(BundleRejected("HTTP 422"))
    site.sync(A, B)
    assert site.client.post("/api/retry", json={"studies": [A]}).json() == {
        "retried": 1,
        "not_parked": [],
        "waits": None,
    }
    assert site.client.post("/api/retry", json={"studies": [A, C]}).json() == {
        "retried": 0,
        "not_parked": [A, C],
        "waits": None,
    }
    assert site.client.post("/api/retry", json={"studies": [C, B]}).json() == {
        "retried": 1,
        "not_parked": [C],
        "waits": None,
    }
    site.world.sink.failures.append(BundleRejected("HTTP 422"))
    site.world.work()
    assert site.client.post("/api/retry", json={"all": True}).json() == {"retried": 1, "not_parked": [], "waits": None}


NOT_SAID: list[Any] = [{}, {"all": False}, {"studies": []}, {"all": True, "studies": [B]}, {"all": 1}]


@pytest.mark.parametrize("body", NOT_SAID, ids=str)
def test_a_retry_that_does_not_say_of_which_is_refused(site: Site, body: dict[str, Any]) -> None:
    parked(site)
    before = site.world.ledger.rows.counts()["parked"]
    answer = site.client.post("/api/retry", json=body)
    assert answer.status_code == 422
    assert "all" in answer.json()["detail"]
    assert site.world.ledger.rows.counts()["parked"] == before


def test_sync_waits_for_the_outcome(site: Site) -> None:
    site.world.source.store(A)
    with site.client as client:
        answer = client.post(f"/api/studies/{A}/sync", json={"wait": 30})
        assert answer.json()["state"] == "synced"
        site.world.source.failures.append(BundleRejected("HTTP 422"))
        assert client.post(f"/api/studies/{A}/sync", json={"wait": 30}).json()["state"] == "parked"


# -- what anybody types becomes no data -----------------------------------------------------------

NO_UIDS = {
    "a name": "Doe^John",
    "a plain word": "vesper",
    "a blank": " ",
    "a dot": ".",
    "two dots": "..",
    "letters and dots": "a.b.c",
    "NUL": "1.2\0",
    "a line": "1.2\n",
    "a blank before it": " 1.2",
    "too long": "1" * 65,
    "far too long": "1" * 9000,
    "markup": "<script>1</script>",
    "a quote": "1'; DROP TABLE study; --",
    "a path": "1.2\\..\\3",
    "a query": "1.2?x=1",
    "a wild card": "1.2.*",
    "digits of another script": "\u0661.\u0662",
    "right to left": "1.2\u202e",
    "no UTF-8": b"1.2\xff",
    "a surrogate": b"1.2\xed\xa0\x80",
    "percent": "1%2e2",
}
each_no_uid = pytest.mark.parametrize("text", NO_UIDS.values(), ids=NO_UIDS)


RAW_BEARER = (b"authorization", f"Bearer {TOKEN}".encode())
RAW_JSON, RAW_FORM = (b"content-type", JSON["content-type"].encode()), (b"content-type", FORM["content-type"].encode())


@each_no_uid
def test_what_is_no_uid_is_refused_everywhere_and_not_repeated(site: Site, text: str | bytes) -> None:
    decoded = text if isinstance(text, str) else text.decode(errors="replace")  # as servers do
    query = f"study={quote(text, safe='')}".encode()
    named = json.dumps({"studies": [A, decoded]}).encode()
    asked = (
        ask(site.app, "GET", f"/api/studies/{decoded}", [RAW_BEARER]),
        ask(site.app, "POST", f"/api/studies/{decoded}/sync", [RAW_BEARER, RAW_JSON], [b"{}"]),
        ask(site.app, "POST", f"/page/studies/{decoded}/sync", [RAW_BEARER, RAW_FORM]),
        ask(site.app, "POST", "/api/retry", [RAW_BEARER, RAW_JSON], [named]),
    )
    for answered in asked:
        if "/" in decoded and answered.status == 404:
            continue  # a path of more parts than any route has
        assert answered.status == 422
        assert answered.json["message"].partition(": ")[2] == "no StudyInstanceUID such as 1.2.840.99.1"
    moved = ask(site.app, "GET", "/", [RAW_BEARER], query_string=query)
    assert moved.status == (303 if decoded.strip() else 200)
    page = ask(site.app, "GET", "/studies", [RAW_BEARER], query_string=query.replace(b"study", b"q"))
    assert page.status == 200
    if not is_askable(decoded.strip()):
        assert moved.status == 200 or moved.header("location") == "/studies"
        assert ("This is no StudyInstanceUID" in page.body.decode()) == bool(decoded.strip())
        assert html.escape(decoded) not in page.body.decode() or len(decoded) < 3
    assert site.world.ledger.rows.page() == []


@pytest.mark.parametrize(
    "uid", ["9.9.9", "1.2.840.10008.1.1", "a1", "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d", "Mueller-Anna-1970"]
)
def test_a_study_that_nobody_holds_is_not_marked(site: Site, uid: str) -> None:
    site.world.source.store(A, AccessionNumber="A1", patient="9.9.9")
    for path, given in ((f"/api/studies/{uid}/sync", {"json": {}}), (f"/page/studies/{uid}/sync", {"headers": FORM})):
        answer = site.client.post(path, **given)
        refused(answer, 404)
        assert uid not in answer.json()["message"]
        assert uid not in site.client.get(f"/?study={uid}").text
    assert site.world.ledger.rows.page() == []


def test_a_study_of_the_pacs_can_be_asked_for_before_the_ledger_knows_it(site: Site) -> None:
    site.world.source.store(A)
    assert site.client.post(f"/api/studies/{A}/sync", json={}).json()["state"] == "pending"
    site.world.source.store(B)
    assert site.client.post(f"/page/studies/{B}/sync", headers=FORM, follow_redirects=False).status_code == 303
    assert site.world.state(B) == "pending"


def test_a_pacs_that_is_down_is_said_and_nothing_is_marked(site: Site) -> None:
    site.world.source.store(A)
    site.world.source.down = SourceDown("no Orthanc answers")
    for path, given in ((f"/api/studies/{A}/sync", {"json": {}}), (f"/page/studies/{A}/sync", {"headers": FORM})):
        answer = site.client.post(path, **given)
        refused(answer, 503)
        assert "no Orthanc answers" in answer.json()["message"]
    assert site.world.ledger.rows.page() == []
    site.world.mark(A)
    assert site.client.post(f"/api/studies/{A}/sync", json={}).status_code == 200


def test_a_study_that_has_no_uid_is_asked_for_by_the_id_under_which_the_ledger_has_it(site: Site) -> None:
    own_id = "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d"
    site.world.mark(own_id)
    assert site.client.post(f"/api/studies/{own_id}/sync", json={}).json()["study_uid"] == own_id


# -- probes and metrics --------------------------------------------------------------------------


def test_it_is_not_ready_when_the_marking_thread_is_stuck(site: Site) -> None:
    assert site.stranger.get("/readyz").status_code == 200
    site.service.threads.alive_at -= 3600
    answer = site.stranger.get("/readyz")
    assert answer.status_code == 503
    assert "thread" in answer.text
    assert site.stranger.get("/healthz").status_code == 200


def test_it_is_not_ready_when_the_ledger_is_gone(site: Site) -> None:
    with site.world.database.write() as db:
        db.exec_driver_sql("DROP TABLE study")
    answer = site.stranger.get("/readyz")
    assert answer.status_code == 503
    assert "ledger" in answer.text


def test_the_metrics_say_states_lag_stages_and_answers(site: Site) -> None:
    site.world.source.store(A)
    site.world.source.store(B)
    site.world.sink.failures.append(BundleRejected("HTTP 422"))
    site.sync(A, B)
    site.world.mark(C)
    site.world.clock.forward(9)
    site.metrics.answer("2xx")
    site.metrics.series("database")
    answer = site.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert {state: samples["orthanc_fhir_studies", state] for state in STATES} == {
        **dict.fromkeys(STATES, 0),
        "synced": 1,
        "parked": 1,
        "pending": 1,
    }
    assert samples["orthanc_fhir_lag_seconds",] == 9.0
    assert samples["orthanc_fhir_series_total", "database"] == 1.0
    for stage in ("read", "map", "put", "study"):
        assert samples["orthanc_fhir_stage_seconds_count", stage] == 2
    assert samples["orthanc_fhir_answers_total", "2xx"] == 1
    assert samples["orthanc_fhir_up", "fhir", "sink"] == samples["orthanc_fhir_up", "orthanc", "source"] == 1.0
    assert samples["orthanc_fhir_build_info", MAPPING_VERSION, platform.python_version(), VERSION] == 1.0
    assert not [one for one in samples if one[0].startswith("orthanc_fhir_last_sweep")], "it was not swept yet"
    assert A not in answer.text


def test_the_metrics_say_which_side_is_down_and_when_a_source_was_swept(site: Site) -> None:
    in_line(site)
    swept = site.world.clock()
    site.world.clock.forward(60.0)
    site.world.source.down = SourceDown("no Orthanc answers")
    site.triggers.turn()
    lines = site.client.get("/metrics").text.splitlines()
    assert 'orthanc_fhir_up{name="orthanc",side="source"} 0.0' in lines
    assert 'orthanc_fhir_up{name="fhir",side="sink"} 1.0' in lines
    assert 'orthanc_fhir_source_studies{source="orthanc"} 1.0' in lines
    (at,) = [line for line in lines if line.startswith('orthanc_fhir_last_sweep_timestamp_seconds{source="orthanc"}')]
    assert float(at.split()[-1]) == swept


# -- the page ------------------------------------------------------------------------------------


def text_of(answer: Response) -> str:
    """Return what a person reads."""
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text.partition("<body>")[2]).split())


@pytest.mark.parametrize(("prepare", "shown", "hidden"), SITUATIONS.values(), ids=SITUATIONS)
def test_the_page_says_how_things_are(
    site: Site, prepare: Callable[[Site], None], shown: list[str], hidden: list[str]
) -> None:
    prepare(site)
    text = text_of(site.client.get("/"))
    for one in shown:
        assert one in text
    for one in hidden:
        assert one not in text


def test_every_number_leads_to_the_studies_behind_it(site: Site) -> None:
    parked(site)
    page = site.client.get("/").text
    for state in STATES:
        assert f'href="/studies?state={state}"' in page
        for path in ("/", "/studies"):  # the first is where earlier releases had the list
            assert (A in text_of(site.client.get(path, params={"state": state}))) == (state == "parked")


def test_a_study_is_found_by_its_uid_with_all_that_is_known(site: Site) -> None:
    site.world.source.store(A, PatientBirthDate="not a date")
    site.sync(A)
    answer = site.client.get("/", params={"study": f" {A} "})
    text = text_of(answer)
    assert "PatientBirthDate" in text
    assert "Patient.birthDate" in text
    assert "/".join(study_key(A)) in answer.text
    unseen = site.client.get("/", params={"study": "9.9"})
    assert unseen.status_code == 404
    assert "never seen" in unseen.text
    assert "9.9" not in unseen.text


HOSTILE = "<script>alert(1)</script>\"'&"


def test_what_stands_on_the_page_is_escaped(site: Site) -> None:
    site.world.mark(HOSTILE)
    site.world.ledger.meta.put(f"{BRAKE}:orthanc", HOSTILE)
    site.triggers.down = HOSTILE
    (claim,) = site.world.ledger.studies.claim(["orthanc"])
    site.world.ledger.studies.finish(claim, "refused", HOSTILE)
    for path in ("/", "/studies", "/studies?state=parked"):
        page = site.client.get(path).text
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
        assert not re.search(r"""=["'][^"'<>]*["']'&""", page)


def test_the_page_needs_no_script_and_nothing_from_elsewhere(site: Site) -> None:
    parked(site)
    page = site.client.get("/").text
    assert set(re.findall("<script[^>]*>[^<]*", page)) <= {
        '<script src="/static/vendor/htmx.min.js" defer>',
        '<script src="/static/live.js" defer>',
    }
    assert not re.search(r"\son\w+=", page)
    assert 'style="' not in page, "the policy lets no inline style pass"
    loaded = re.findall(r'<(?:link|img|iframe|script)[^>]+(?:href|src)="([^"]+)"', page)
    assert loaded
    assert all(one.startswith("/static/") for one in loaded)
    for one in loaded:
        assert site.client.get(one).status_code == 200


@pytest.mark.parametrize(
    ("path", "given", "place"),
    [
        ("/page/studies", {"which": "all", "state": "parked", "confirmed": "yes"}, "/studies?state=parked&done=1"),
        ("/page/studies", {"which": "chosen", "study": A, "confirmed": "yes"}, "/studies?done=1"),
        (f"/page/studies/{A}/sync", {}, f"/studies/{A}"),
        ("/page/ask", {"study": A}, f"/studies/{A}"),
    ],
    ids=["all", "those chosen", "one", "one that is asked for"],
)
def test_the_buttons_bring_parked_studies_back(site: Site, path: str, given: dict[str, str], place: str) -> None:
    parked(site)
    answer = site.client.post(path, data=given, headers=FORM, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].partition("?asked_at=")[0].partition("&asked_at=")[0] == place
    assert site.world.state(A) == "pending"


def test_the_button_of_a_study_in_line_syncs_it_again(site: Site) -> None:
    in_line(site)
    site.client.post(f"/page/studies/{A}/sync", headers=FORM, follow_redirects=False)
    assert site.world.state(A) == "pending"


def test_the_button_sends_nobody_to_another_site(site: Site) -> None:
    answer = site.client.post("/page/ask", data={"study": "//evil.example/\r\nX:y"}, follow_redirects=False)
    refused(answer, 422)
    assert "location" not in answer.headers
    assert "x" not in answer.headers


def test_the_site_of_these_tests_is_the_public_one() -> None:
    """Links on the page are made under the same namespace as the fakes' ids."""
    assert Settings().namespace == SITE.namespace
