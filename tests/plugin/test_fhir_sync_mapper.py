"""What the plugin asks the mapper, and how many of Orthanc's threads may: MapperUrl, UIDs in URLs, places, the log."""

import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import escape
from types import ModuleType

import pytest

from mapper.dicom import uid as mapper_uid
from tests.support.loaded import (
    ID,
    JSON,
    OTHER_ID,
    OTHER_UID,
    STUDY,
    STUDY_UID,
    STUDY_URI,
    TOKEN,
    Load,
    load,
    mapper,
    sdk,
    settings,
)
from tests.support.mapper_fake import NO_SUCH_STUDY, Answer, MapperFake, study_state, until
from tests.support.orthanc_fake import ChangeType, RestOutput, Sdk
from tests.support.uids import ASKABLE, NOT_ASKABLE

__all__ = ["load", "mapper", "sdk"]


@pytest.fixture
def module(sdk: Sdk) -> ModuleType:
    """The plugin's module about the mapper, as it is loaded now."""
    return sys.modules["fhir_sync_mapper"]


def resync(sdk: Sdk) -> RestOutput:
    return sdk.request("POST", STUDY_URI, '{"wait": 5}', JSON)


# MapperUrl and Token ------------------------------------------------------------------------------------------

URLS_REFUSED = [
    *("http://user:hidden@127.0.0.1:1", "http://hidden@127.0.0.1:1", "http://:hidden@127.0.0.1:1", "http://@127.0.0.1"),
    *("https://user:hidden@mapper", "http://a@hidden@mapper", "http://user:hid@den@mapper", "http://mapper/@hidden"),
    *("http://hidden%40x@mapper", "http://mapper\\@hidden", "http://hidden\\@mapper", "http://mapper#@hidden"),
    *("http://mapper?hidden", "http://mapper#hidden", "http://mapper?", "http://mapper#"),
    *(
        "file:///hidden",
        "ftp://hidden",
        "hidden",
        "//hidden",
        "hidden:8000",
        "http:hidden",
        "http:///hidden",
        "http://",
    ),
    *(
        "http://:8000",
        "http://hidden:0",
        "http://hidden:99999",
        "http://hidden:x",
        "http://hidden:-1",
        "http://[hidden",
    ),
    *("http://hidden map", " http://hidden", "http://hidden\r\nX: y", "http://hidden\x00", "http://h\u00efdden"),
]
TOKENS_REFUSED = ["hidden\r\nX: y", "hid den", "hidden\x00", "h\u00efdden", " hidden", "hidden\n"]


@pytest.mark.parametrize("url", URLS_REFUSED, ids=ascii)
def test_a_mapper_url_is_refused_in_words_that_do_not_repeat_it(load: Load, url: str) -> None:
    sdk = load(settings(url, "hidden"))[1]
    [line] = sdk.log
    assert line.startswith("FhirSync: silent: FhirSync.MapperUrl must look like")
    assert "hid" not in line
    assert sdk.on_change is None


@pytest.mark.parametrize("token", TOKENS_REFUSED, ids=ascii)
def test_a_token_is_refused_in_words_that_do_not_repeat_it(load: Load, token: str) -> None:
    [line] = load(settings("http://127.0.0.1:1", token))[1].log
    assert line.startswith("FhirSync: silent: FhirSync.Token may hold")
    assert "hid" not in line


@pytest.mark.parametrize("url", ["http://mapper", "https://mapper", "HTTP://Mapper:8000/", "http://[::1]:8000/a/b"])
def test_a_mapper_url_is_taken_and_said(load: Load, url: str) -> None:
    sdk = load(settings(url))[1]
    assert sdk.log == []
    assert [line.lower() for line in sdk.rung] == [f"fhirsync: rings {url.lower()}"]


@pytest.mark.parametrize(("suffix", "prefix"), [("", ""), ("/", ""), ("/fhir-sync", "/fhir-sync"), ("/a/b/", "/a/b")])
def test_the_path_of_the_mapper_url_comes_first(load: Load, mapper: MapperFake, suffix: str, prefix: str) -> None:
    sdk = load(settings(mapper.url + suffix))[1]
    sdk.studies[ID], sdk.started, seen = STUDY, True, []

    def answer(method: str, path: str) -> Answer:
        seen.append(path)
        return 200, json.dumps(study_state(STUDY_UID)).encode()

    mapper.answer = answer
    assert sdk.request("GET", STUDY_URI).json["state"] == "synced"
    assert seen == [f"{prefix}/api/studies/{STUDY_UID}"]


# UIDs in URLs -------------------------------------------------------------------------------------------------


def test_the_rule_is_the_mappers(module: ModuleType) -> None:
    ours, theirs = module.ASKABLE, mapper_uid.ASKABLE
    assert (ours.pattern, ours.flags) == (theirs.pattern, theirs.flags)


ROUTES: dict[str, tuple[str, str, str, str]] = {
    "state": ("GET", STUDY_URI, "", ""),
    "page": ("GET", STUDY_URI + "/page", "", "?history=20"),
    "re-sync": ("POST", STUDY_URI, "{}", "/sync"),
    "bulk": ("POST", "/fhir-sync/bulk", json.dumps({"ids": [ID]}), "/sync"),
}
NOT_ASKABLE_OF_ORTHANC = [uid for uid in NOT_ASKABLE if "\ud800" not in uid]
"""Orthanc answers in UTF-8, which has no half of a surrogate pair."""


@pytest.mark.parametrize("uid", [*ASKABLE, *NOT_ASKABLE_OF_ORTHANC, OTHER_ID], ids=ascii)
def test_the_url_that_reaches_the_mapper(sdk: Sdk, mapper: MapperFake, uid: str) -> None:
    sdk.studies[ID] = {**STUDY, "MainDicomTags": {"StudyInstanceUID": uid}}
    name, paths = uid if uid in ASKABLE else ID, []

    def answer(method: str, path: str) -> Answer:
        paths.append(path)
        return 200, json.dumps(study_state("whatever", "parked")).encode()

    mapper.answer = answer
    for method, uri, body, suffix in ROUTES.values():
        said = sdk.request(method, uri, body, JSON)
        assert said.status == 200
        assert paths.pop() == f"/api/studies/{name}{suffix}"
        if uri.endswith("page"):
            assert f"<dd>{escape(uid)}</dd>" in said.body.decode()
        else:
            [state] = said.json.get("studies", [said.json])
            assert (state["study_uid"], state["state"]) == (name, "parked")
    assert not paths


def test_a_study_without_uid_is_asked_for_by_its_id(sdk: Sdk, mapper: MapperFake) -> None:
    sdk.studies[ID] = {**STUDY, "MainDicomTags": {}}
    assert sdk.request("GET", STUDY_URI).json["study_uid"] == ID
    assert mapper.asked == [ID]


# How many wait ------------------------------------------------------------------------------------------------

MANY = 40


class Hang:
    """A mapper that answers nobody until it is let go; `asked` are the paths that reached it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.inside, self.peak = 0, 0
        self.lock, self.go = threading.Lock(), threading.Event()

    def __call__(self, method: str, path: str) -> None:
        with self.lock:
            self.asked.append(path)
            self.inside += 1
            self.peak = max(self.peak, self.inside)
        self.go.wait(60)
        with self.lock:
            self.inside -= 1


@pytest.fixture
def hang(mapper: MapperFake) -> Hang:
    mapper.answer = hang = Hang()
    return hang


def test_a_few_wait_for_a_hung_mapper_and_the_others_are_answered(
    sdk: Sdk, module: ModuleType, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 60.0)
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    few = module.WAITING + module.ASKING
    with ThreadPoolExecutor(MANY) as pool:
        asked = [pool.submit(resync, sdk) for _ in range(MANY)]
        until(lambda: sum(one.done() for one in asked) >= MANY - few, 30)
        until(lambda: len(hang.asked) == few)
        early = [one.result().json for one in asked if one.done()]
        hang.go.set()
    assert len(early) == MANY - few
    assert {state["state"] for state in early} == {"unreachable"}
    assert all("not asked for" in state["message"] and "try again" in state["message"] for state in early)
    assert sorted(one.result().json["state"] for one in asked) == ["synced"] * few + ["unreachable"] * (MANY - few)
    assert len(hang.asked) == few


def test_a_mapper_that_answers_is_asked_by_all_and_waited_for_by_a_few(
    sdk: Sdk, module: ModuleType, mapper: MapperFake, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 60.0)
    monkeypatch.setattr(module, "PATIENCE", 60.0)
    few = module.WAITING + module.ASKING
    with ThreadPoolExecutor(MANY) as pool:
        asked = [pool.submit(resync, sdk) for _ in range(MANY)]
        until(lambda: hang.inside == few)
        hang.go.set()
    assert all(one.result().json["state"] == "synced" for one in asked)
    assert hang.peak <= few
    waits = [wait for _, wait in mapper.syncs]
    assert len(waits) == MANY
    assert set(waits) == {0, 5}
    assert waits.count(0) >= module.ASKING


def test_states_are_asked_for_beside_re_syncs_that_wait(
    sdk: Sdk, module: ModuleType, mapper: MapperFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 60.0)
    go, waiting = threading.Event(), threading.Semaphore(0)

    def hold(method: str, path: str) -> None:
        if method == "POST" and not go.is_set():
            waiting.release()
            go.wait(60)

    mapper.answer = hold
    mapper.states[STUDY_UID] = study_state(STUDY_UID, "syncing")
    with ThreadPoolExecutor(module.WAITING) as pool:
        asked = [pool.submit(resync, sdk) for _ in range(module.WAITING)]
        for _ in asked:
            assert waiting.acquire(timeout=30)
        assert sdk.request("GET", STUDY_URI).json["state"] == "syncing"
        assert sdk.request("GET", STUDY_URI + "/page").status == 200
        bulk = sdk.request("POST", "/fhir-sync/bulk", json.dumps({"ids": [ID, OTHER_ID, "x"]}), JSON).json
        assert [state["state"] for state in bulk["studies"]] == ["unreachable"] * 2
        assert bulk["unknown"] == ["x"]
        assert not any(one.done() for one in asked)
        go.set()
    assert all(one.result().json["state"] == "synced" for one in asked)


FAILURES: dict[str, Callable[[str, str], Answer | None]] = {
    "broken": lambda method, path: (500, b""),
    "wrong token": lambda method, path: (401, b""),
    "unseen": lambda method, path: NO_SUCH_STUDY,
    "a 404 of others": lambda method, path: (404, b"{}"),
    "no JSON": lambda method, path: (200, b"x"),
    "too deep": lambda method, path: (200, b"[" * 600),
}


OF_OTHERS = [b"{}", b'{"detail": "Not Found"}', b'{"HttpError": "Not Found", "HttpStatus": 404}', b"<h1>no</h1>", b""]


@pytest.mark.parametrize("body", OF_OTHERS)
def test_a_404_of_anything_but_the_mapper_is_no_study_unseen(sdk: Sdk, mapper: MapperFake, body: bytes) -> None:
    mapper.answer = lambda method, path: (404, body)
    for method in ("GET", "POST"):
        answer = sdk.request(method, STUDY_URI, "{}", JSON).json
        assert (answer["state"], "FhirSync.MapperUrl" in answer["message"]) == ("unreachable", True)


def test_one_study_that_cannot_be_told_of_ends_no_bulk(sdk: Sdk, mapper: MapperFake) -> None:
    mapper.answer = lambda method, path: (503, b"{}") if OTHER_UID in path else None
    bulk = sdk.request("POST", "/fhir-sync/bulk", json.dumps({"ids": [OTHER_ID, ID]}), JSON).json
    assert [state["state"] for state in bulk["studies"]] == ["unreachable", "synced"]


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize(("method", "uri", "body", "suffix"), ROUTES.values(), ids=ROUTES.keys())
def test_a_place_is_given_back_whatever_happens(
    sdk: Sdk, mapper: MapperFake, failure: Callable[[str, str], Answer], method: str, uri: str, body: str, suffix: str
) -> None:
    asked: list[str] = []

    def answer(method: str, path: str) -> Answer:
        asked.append(path)
        return failure(method, path)

    mapper.answer = answer
    for _ in range(12):
        assert sdk.request(method, uri, body, JSON).status == 200
    assert len(asked) == 12


@pytest.mark.parametrize(("rest", "times"), [(60.0, 1), (0.0, 2)])
@pytest.mark.parametrize(("method", "uri", "body", "suffix"), ROUTES.values(), ids=ROUTES.keys())
def test_a_mapper_that_hung_is_not_asked_again_for_a_while(
    sdk: Sdk, module: ModuleType, hang: Hang, monkeypatch: pytest.MonkeyPatch,
    method: str, uri: str, body: str, suffix: str, rest: float, times: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(module, "REST", rest)
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    sdk.request("GET", STUDY_URI)
    assert sdk.request(method, uri, body.replace("{}", '{"wait": 0}'), JSON).status == 200
    assert len(hang.asked) == times
    if times == 1:
        answer = sdk.request("POST", STUDY_URI, "{}", JSON).json
        assert (answer["state"], "a moment ago" in answer["message"]) == ("unreachable", True)
    hang.go.set()


def test_a_ring_that_hung_is_remembered_too(
    sdk: Sdk, module: ModuleType, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REST", 60.0)
    sdk.change(ChangeType.STABLE_STUDY)
    until(lambda: sdk.log)
    assert "TimeoutError" in sdk.log[0]
    assert sdk.request("GET", STUDY_URI).json["state"] == "unreachable"
    assert set(hang.asked) == {"/wake"}
    hang.go.set()


# The log ------------------------------------------------------------------------------------------------------


def test_a_kind_of_line_is_said_once_a_minute(sdk: Sdk) -> None:
    lines: list[str] = []
    now = [1000.0]
    log = sys.modules["fhir_sync_log"].Log(lines.append, lambda: now[0])
    assert log.warn("a", "first")
    for now[0] in (1000.0, 1001.0, 1059.9):
        assert not log.warn("a", "again")
    assert log.warn("b", "another")
    now[0] = 1060.0
    assert log.warn("a", "later")
    assert not log.warn("a", "again")
    now[0] = 1120.0
    assert log.warn("b", "quiet")
    assert lines == [
        "FhirSync: first",
        "FhirSync: another",
        "FhirSync: later (and 3 times since this was said last)",
        "FhirSync: quiet",
    ]


FLOODS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "another site": (STUDY_URI, "{}", {**JSON, "origin": "http://evil.example"}, "another site"),
    "a form": (STUDY_URI, "a=b", {}, "application/json"),
    "too large": (STUDY_URI, " " * 100_000, JSON, "65536 bytes"),
    "no JSON": (STUDY_URI, "x", JSON, "README.md"),
    "too deep": ("/fhir-sync/bulk", "[" * 600, JSON, "README.md"),
    "too many": ("/fhir-sync/bulk", json.dumps({"ids": ["x"] * 1001}), JSON, "README.md"),
}


@pytest.mark.parametrize(("uri", "body", "headers", "said"), FLOODS.values(), ids=FLOODS.keys())
def test_refusals_are_said_without_a_flood(sdk: Sdk, uri: str, body: str, headers: dict[str, str], said: str) -> None:
    for _ in range(50):
        assert sdk.request("POST", uri, body, headers).status in (400, 403, 413, 415)
    [line] = sdk.log
    assert line.startswith("FhirSync: refused with ")
    assert said in line


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_said_without_a_flood(sdk: Sdk, mapper: MapperFake, status: int) -> None:
    mapper.answer = lambda method, path: (status, b"")
    for _ in range(20):
        sdk.request("GET", STUDY_URI)
        resync(sdk)
        sdk.request("POST", "/fhir-sync/bulk", json.dumps({"ids": [ID, OTHER_ID]}), JSON)
    [line] = sdk.log
    assert "FhirSync.Token must be its ORTHANC_FHIR_TOKEN" in line
    assert TOKEN not in line


def test_unknown_studies_and_unseen_ones_are_not_said(sdk: Sdk) -> None:
    sdk.request("GET", STUDY_URI)
    sdk.request("GET", STUDY_URI.replace("0a9b", "ffff"))
    sdk.request("PUT", STUDY_URI, "{}", JSON)
    assert sdk.log == []


def test_a_mapper_that_comes_and_goes_is_said_without_a_flood(sdk: Sdk, mapper: MapperFake) -> None:
    answers = iter([(503, b""), None] * 20)
    mapper.answer = lambda method, path: next(answers, None)
    for number in range(1, 20):
        sdk.change(ChangeType.STABLE_STUDY)
        until(lambda number=number: len(mapper.rings) >= number)  # type: ignore[misc]
    assert len(sdk.log) <= 2
    assert "HTTP 503" in sdk.log[0]
