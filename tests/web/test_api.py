"""The API: what its description allows is answered as it says, and what it does not allow is never a fault of ours."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from httpx import Response
from hypothesis import given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mapper.errors import BundleRejected
from mapper.ledger.outcome import Sync
from mapper.ledger.state import STATES
from mapper.sync.threads import ALIVE
from mapper.web.cursor import word
from mapper.web.description import markdown
from mapper.web.refusals import PROBLEM, UNSEEN
from tests.support.asgi import SHAPE
from tests.support.examples import FEW
from tests.support.situations import BEARER, HERE, A, B, C, Site, in_line

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
READS = ("/api/studies", f"/api/studies/{A}/history", "/api/history", "/api/failures", "/api/status")


@pytest.fixture
def site(ledger_url: str) -> Iterator[Site]:
    """Give a site with a study that is synced, one that is parked and one that waits."""
    site = Site(ledger_url)
    in_line(site)
    site.world.clock.forward(1.0)
    site.world.source.store(B)
    site.world.sink.failures.append(BundleRejected("HTTP 422"))
    site.sync(B)
    site.world.clock.forward(1.0)
    site.world.mark(C)
    yield site
    site.world.database.close()


OPERATIONS = (
    ("POST", "/wake"),
    ("GET", "/api/studies"),
    ("GET", "/api/studies/{study_uid}"),
    ("GET", "/api/studies/{study_uid}/history"),
    ("POST", "/api/studies/{study_uid}/sync"),
    ("POST", "/api/retry"),
    ("GET", "/api/history"),
    ("GET", "/api/failures"),
    ("GET", "/api/status"),
)


def description(site: Site) -> dict[str, Any]:
    answer = site.client.get("/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_every_operation_of_the_api_is_described_with_an_example(site: Site) -> None:
    said = description(site)
    shown = {(method.upper(), path) for path, methods in said["paths"].items() for method in methods}
    assert shown >= set(OPERATIONS)
    assert {one for one in shown if "/api/" in one[1]} <= set(OPERATIONS)
    for method, path in OPERATIONS:
        operation = said["paths"][path][method.lower()]
        assert operation["description"]
        for status, answer in operation["responses"].items():
            kinds = set(answer["content"])
            assert kinds == ({"application/json"} if status < "300" else {PROBLEM, UNSEEN} & kinds), (path, status)
        (good,) = (answer for status, answer in operation["responses"].items() if status < "300")
        schema = good["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert said["components"]["schemas"][schema]["examples"]


def send(site: Site, case: schemathesis.Case) -> Response:
    """Send what was thought up to the service in memory."""
    if isinstance(case.body, dict) and isinstance(case.body.get("wait"), int | float):
        case.body["wait"] = min(case.body["wait"], 0.01)  # nobody works here: an outcome never comes
    sent = case.as_transport_kwargs(base_url=HERE, headers=BEARER)
    site.client.cookies = sent.pop("cookies", None) or {}  # type: ignore[assignment]
    if "data" in sent:
        sent["content"] = sent.pop("data")
    return site.client.request(**sent)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not allowed"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])
def test_whatever_is_asked_is_answered_as_the_description_says(
    site: Site, method: str, path: str, mode: GenerationMode
) -> None:
    operation = schemathesis.openapi.from_dict(description(site))[path][method]

    @settings(max_examples=FEW)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        case.validate_response(send(site, case), checks=CHECKS)

    if mode is GenerationMode.NEGATIVE and "parameters" not in operation.definition.raw and method == "GET":
        ask = None  # type: ignore[assignment]  # nothing can be said wrongly
    if ask:
        ask()


# -- what it answers -----------------------------------------------------------------------------


def listed(site: Site, **asked: Any) -> list[str]:
    """Return the studies of all pages, one a page."""
    found: list[str] = []
    after = ""
    while after is not None:
        answer = site.client.get("/api/studies", params={**asked, "limit": 1, "after": after}).json()
        found += [one["study_uid"] for one in answer["studies"]]
        after = answer["next"]
    return found


SINCE = "2023-11-14T22:13:21Z"  # a second after the first study
ASKED: dict[str, tuple[dict[str, str], list[str]]] = {
    "all": ({}, [C, B, A]),
    "a state": ({"state": "parked"}, [B]),
    "a failure": ({"failure": "BundleRejected"}, [B]),
    "any failure": ({"failure": "any"}, [B]),
    "no such failure": ({"failure": "TooLarge"}, []),
    "since then": ({"since": SINCE}, [C, B]),
    "until then": ({"until": SINCE}, [A]),
    "the beginning of a UID": ({"uid_begins": "1.2"}, [A, B, C]),
    "a source": ({"source": "orthanc"}, [C, B, A]),
}


@pytest.mark.parametrize("asked", ASKED)
def test_studies_come_page_by_page(site: Site, asked: str) -> None:
    query, expected = ASKED[asked]
    assert listed(site, **query) == expected


KINDS: dict[str, int] = {
    **dict.fromkeys(("BundleRejected", "any", "KeyError", "Utf8Error", "Error2", "_Odd", "a_b", "K" * 64), 200),
    **dict.fromkeys(("K" * 65, "2Many", "a b", "a-b", "a.b", "a\n", "a\0", "Fehlér", "<b>", "a|b"), 422),
}
"""What may be a kind of failure: whatever Python calls an exception."""


@pytest.mark.parametrize("path", ["/api/studies", "/api/history", "/studies", "/problems"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_failure_is_one_wherever_it_is_asked_for(site: Site, path: str, kind: str) -> None:
    if KINDS[kind] == 200:  # and it is remembered: of others the list is told
        site.world.ledger.history.add(Sync("orthanc", A, 1.0, 2.0, "parked", kind, 1))
    assert site.client.get(path, params={"failure": kind}).status_code == KINDS[kind]


def test_a_study_is_told_with_its_times_and_its_kind_of_failure(site: Site) -> None:
    one = site.client.get(f"/api/studies/{B}").json()
    assert (one["failure"], one["state"], one["changed_at"]) == ("BundleRejected", "parked", SINCE)
    assert (one["source"], one["attempts"], one["next_attempt_at"]) == ("orthanc", 1, None)


def test_the_history_of_a_study_and_of_all(site: Site) -> None:
    (one,) = site.client.get(f"/api/studies/{B}/history").json()["syncs"]
    assert (one["fate"], one["failure"], one["ended"]) == ("parked", "BundleRejected", SINCE)
    first = site.client.get("/api/history", params={"limit": 1}).json()
    assert [one["study_uid"] for one in first["syncs"]] == [B]
    rest = site.client.get("/api/history", params={"limit": 1, "after": first["next"]}).json()
    assert [one["study_uid"] for one in rest["syncs"]] == [A]
    assert rest["next"] is None
    failed = site.client.get("/api/history", params={"failure": "BundleRejected", "since": SINCE}).json()
    assert failed["syncs"] == [one]
    assert site.client.get("/api/studies/9.9/history").json() == {"syncs": [], "next": None}


def test_what_keeps_studies_back_has_its_remedy(site: Site) -> None:
    (one,) = site.client.get("/api/failures").json()["failures"]
    assert (one["failure"], one["state"], one["studies"]) == ("BundleRejected", "parked", 1)
    assert one["what"]
    assert one["do"]


def test_how_things_stand(site: Site) -> None:
    site.world.ledger.meta.put(ALIVE, str(site.world.clock()))
    answer = site.client.get("/api/status").json()
    assert answer["in_line"] is False
    assert [reason["text"] for reason in answer["reasons"]] == ["1 parked (BundleRejected 1)"]
    assert answer["counts"] == {**dict.fromkeys(STATES, 0), "synced": 1, "parked": 1, "pending": 1}
    (source,) = answer["sources"]
    assert (source["name"], source["up"], source["studies"]) == ("orthanc", True, 1)
    assert answer["sink"]["up"] is True


PLACES: dict[str, str] = {
    "no word of ours": "next",
    "no base64": "%%%",
    "another list's": word((1.0, 2)),
    "a number where a text belongs": word((1.0, 2, "orthanc")),
    "a text that no database takes": word((1.0, "1.2\0", "orthanc")),
    "a moment that is none": "WyJ4IiwgIjEuMiIsICJhIl0",
    "too long": "A" * 401,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_is_none_is_refused_and_not_repeated(site: Site, place: str) -> None:
    answer = site.client.get("/api/studies", params={"after": PLACES[place]})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["detail"].startswith("after: ")
    assert PLACES[place] not in answer.json()["detail"] or place == "no word of ours"


@pytest.mark.parametrize("number", [-1, 2**63, 2**80])
def test_a_number_that_no_database_takes_is_refused(site: Site, number: int) -> None:
    answer = site.client.get("/api/history", params={"after": word((1.0, number))})
    assert answer.status_code == 422


@pytest.mark.parametrize(("asked", "counted"), [("", True), ("true", True), ("false", False)])
def test_the_whole_ledger_is_counted_unless_nobody_wants_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, asked: str, counted: bool
) -> None:
    counts, seen = site.world.ledger.rows.counts, []
    monkeypatch.setattr(site.world.ledger.rows, "counts", lambda: seen.append(counts()) or seen[-1])
    answer = site.client.get("/api/studies", params={"counts": asked} if asked else {}).json()
    assert answer.get("counts") == (seen[0] if seen else None)
    assert (len(seen), len(answer["studies"])) == (int(counted), 3)


def test_old_numbers_of_pages_go_with_a_state_alone(site: Site) -> None:
    assert len(site.client.get("/api/studies", params={"offset": 1}).json()["studies"]) == 2
    for beside in ({"failure": "any"}, {"after": word((1.0, "1.2", "orthanc"))}, {"since": SINCE}):
        assert site.client.get("/api/studies", params={"offset": 1, **beside}).status_code == 422


def test_an_error_has_one_shape_whatever_it_is(site: Site) -> None:
    answers = [
        site.stranger.get("/api/studies"),
        site.client.get("/api/nothing"),
        site.client.get("/api/studies", params={"limit": 0}),
        site.client.get("/api/studies", params={"since": "yesterday"}),
        site.client.post("/api/retry", content=b"{", headers={"Content-Type": "application/json"}),
        site.client.post("/api/retry", content=b"x"),
    ]
    assert [answer.status_code for answer in answers] == [401, 404, 422, 422, 422, 415]
    for answer in answers:
        assert answer.headers["content-type"] == PROBLEM
        said = answer.json()
        assert set(said) == SHAPE
        assert said["status"] == answer.status_code
        assert said["detail"] == said["message"] != ""
    unseen = site.client.get("/api/studies/9.9.9")
    assert (unseen.status_code, unseen.headers["content-type"]) == (404, UNSEEN)


def test_no_read_of_the_api_changes_anything(site: Site) -> None:
    before = site.world.ledger.rows.page()
    for path in READS:
        assert site.client.get(path).status_code == 200
    assert site.world.ledger.rows.page() == before


def test_the_printed_page_has_every_operation_and_examples_that_are_json() -> None:
    page = markdown()
    for method, path in OPERATIONS:
        assert f"## {method} {path}\n" in page
    blocks = page.split("```json\n")[1:]
    assert len(blocks) == len(OPERATIONS)
    for block in blocks:
        json.loads(block.partition("```")[0])


@pytest.mark.parametrize("source", ["nix", "Orthanc", "orthanc2"])
def test_a_source_that_is_none_is_refused_with_the_list(site: Site, source: str) -> None:
    answer = site.client.get("/api/studies", params={"source": source})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "source: one of orthanc"
