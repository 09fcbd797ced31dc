"""The plugin against a strict fake of Orthanc's module and a real HTTP server in the mapper's place."""

import ast
import json
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.loaded import (
    FOLDER,
    ID,
    JSON,
    OTHER_ID,
    OTHER_UID,
    SCRIPTS,
    STUDY,
    STUDY_UID,
    STUDY_URI,
    TOKEN,
    VALUES,
    Load,
    load,
    mapper,
    nobody,
    sdk,
    settings,
)
from tests.support.mapper_fake import MapperFake, study_state, until
from tests.support.orthanc_fake import ChangeType, ErrorCode, OrthancException, ResourceType, Sdk

__all__ = ["load", "mapper", "sdk"]


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "fhir-sync"]


# The bell -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [0, 0.02])
def test_five_changes_make_three_rings_at_most(
    sdk: Sdk, mapper: MapperFake, monkeypatch: pytest.MonkeyPatch, apart: float
) -> None:
    monkeypatch.setattr(sys.modules["fhir_sync_bell"], "PAUSE", 0.1)
    for _ in range(5):
        sdk.change(ChangeType.STABLE_STUDY)
        time.sleep(apart)
    until(lambda: mapper.rings)
    time.sleep(0.3)
    assert 1 <= len(mapper.rings) <= 3
    assert not any(mapper.rings)


@pytest.mark.parametrize("level", [value for name, value in vars(ResourceType).items() if name.isupper()])
def test_a_deletion_of_any_level_asks_for_a_sweep(sdk: Sdk, mapper: MapperFake, level: int) -> None:
    sdk.change(ChangeType.DELETED, level)
    until(lambda: mapper.rings)
    assert mapper.rings == [True]


RINGS = ("STABLE_STUDY", "DELETED")


@pytest.mark.parametrize(
    "change", [value for name, value in vars(ChangeType).items() if name.isupper() and name not in RINGS]
)
def test_no_other_change_rings(load: Load, mapper: MapperFake, change: int) -> None:
    sdk = load(settings(mapper.url))[1]
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    sdk.change(change)
    time.sleep(0.1)
    assert mapper.rings == []


def test_a_deletion_during_a_ring_is_rung_next(sdk: Sdk, mapper: MapperFake) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def hold(method: str, path: str) -> None:
        arrived.set()
        go_on.wait(5)

    mapper.answer = hold
    sdk.change(ChangeType.STABLE_STUDY)
    assert arrived.wait(5)
    sdk.change(ChangeType.DELETED)
    go_on.set()
    until(lambda: True in mapper.rings)
    assert mapper.rings == [False, True]


def test_a_failed_ring_is_tried_again_and_said_once(sdk: Sdk, mapper: MapperFake) -> None:
    failures = iter([(503, b""), (500, b""), (503, b""), None])
    mapper.answer = lambda method, path: next(failures, None)
    sdk.change(ChangeType.DELETED)
    until(lambda: mapper.rings)
    until(lambda: len(sdk.log) == 2)
    assert mapper.rings == [True]
    assert "HTTP 503" in sdk.log[0]
    assert "answers again" in sdk.log[1]


def test_a_ring_is_kept_until_the_mapper_is_there(load: Load) -> None:
    url = nobody()
    sdk = load(settings(url))[1]
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    sdk.change(ChangeType.DELETED)
    sdk.change(ChangeType.STABLE_STUDY)
    until(lambda: sdk.log)
    time.sleep(0.1)
    with MapperFake(TOKEN, port=int(url.rpartition(":")[2])) as mapper:
        until(lambda: mapper.rings)
        assert mapper.rings[0] is True
    assert "ConnectionRefusedError" in sdk.log[0]
    assert "FhirSync.MapperUrl" in sdk.log[0]


def test_a_change_before_the_start_is_rung_after_it(load: Load, mapper: MapperFake) -> None:
    sdk = load(settings(mapper.url))[1]
    sdk.change(ChangeType.STABLE_STUDY)
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    until(lambda: mapper.rings == [False])


def test_one_daemon_thread_that_starts_once_and_ends_with_orthanc(sdk: Sdk, mapper: MapperFake) -> None:
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    [thread] = threads()
    assert thread.daemon
    sdk.change(ChangeType.ORTHANC_STOPPED, ResourceType.NONE, "")
    assert not threads()
    sdk.change(ChangeType.STABLE_STUDY)
    time.sleep(0.1)
    assert mapper.rings == []


@pytest.mark.parametrize("silence", ["hangs", "is down"])
def test_orthanc_stops_soon_while_the_mapper(
    load: Load, mapper: MapperFake, monkeypatch: pytest.MonkeyPatch, silence: str
) -> None:
    sdk = load(settings(mapper.url if silence == "hangs" else nobody()))[1]
    monkeypatch.setattr(sys.modules["fhir_sync_bell"], "BACKOFF", (60.0, 60.0))
    asked, released = threading.Event(), threading.Event()
    answered: list[bool] = []

    def hang(method: str, path: str) -> None:
        asked.set()
        answered.append(released.wait(30))

    mapper.answer = hang
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    sdk.change(ChangeType.STABLE_STUDY)
    until(lambda: asked.is_set() if silence == "hangs" else sdk.log)
    sdk.change(ChangeType.ORTHANC_STOPPED, ResourceType.NONE, "")
    assert not threads()
    assert not answered, "Orthanc waited for the mapper"
    released.set()


def test_the_callback_never_waits(load: Load, mapper: MapperFake) -> None:
    sdk = load(settings(mapper.url))[1]
    released = threading.Event()
    answered: list[bool] = []
    mapper.answer = lambda method, path: answered.append(released.wait(30))
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    for _ in range(20_000):
        sdk.change(ChangeType.NEW_INSTANCE)
        sdk.change(ChangeType.DELETED)
    assert not answered, "Orthanc waited for the mapper"
    released.set()


def test_a_reloaded_script_works_again(load: Load, mapper: MapperFake) -> None:
    for _ in range(2):  # POST /tools/reset: stopped, module loaded anew, started
        sdk = load(settings(mapper.url))[1]
        sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
        mapper.rings.clear()
        sdk.change(ChangeType.STABLE_STUDY)
        until(lambda: mapper.rings == [False])
        sdk.change(ChangeType.ORTHANC_STOPPED, ResourceType.NONE, "")


# The import ---------------------------------------------------------------------------------------------------

SCRIPT = {"PythonScript": "fhir_sync.py"}
UNUSABLE = {
    "no section": SCRIPT,
    "empty section": {**SCRIPT, "FhirSync": {}},
    "section of another kind": {**SCRIPT, "FhirSync": ["x"]},
    "null section": {**SCRIPT, "FhirSync": None},
    "no token": {**SCRIPT, "FhirSync": {"MapperUrl": "http://127.0.0.1:1"}},
    "empty token": settings("http://127.0.0.1:1", ""),
    "empty url": settings(""),
    "token of another kind": {**SCRIPT, "FhirSync": {"MapperUrl": "http://127.0.0.1:1", "Token": 5}},
    "token with a line break": settings("http://127.0.0.1:1", "hidden\r\nX: y"),
    "url of another kind": {**SCRIPT, "FhirSync": {"MapperUrl": 8000, "Token": "hidden"}},
    "file url": settings("file:///etc/passwd", "hidden"),
    "url with a password": settings("http://user:hidden@127.0.0.1:1"),
    "url without host": settings("http://", "hidden"),
    "not JSON": "hidden {",
    "JSON of another kind": "[]",
    "GetConfiguration raises": RuntimeError("hidden"),
}


@pytest.mark.parametrize("configuration", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_configuration_is_one_log_line(load: Load, configuration: Any) -> None:
    sdk = load(configuration)[1]
    for change in (ChangeType.ORTHANC_STARTED, ChangeType.STABLE_STUDY, ChangeType.DELETED):
        sdk.change(change)
    assert (sdk.on_change, sdk.routes, sdk.explorer) == (None, {}, "")
    assert not threads()
    [line] = sdk.log
    assert line.startswith("FhirSync: silent")
    assert "hidden" not in line


UNSET: dict[str, tuple[dict[str, str], str]] = {  # what is set, and what the log names
    "nothing": ({}, "FhirSync.MapperUrl and FhirSync.Token are not set"),
    "no token": ({"MapperUrl": "http://127.0.0.1:1"}, "FhirSync.Token is not set"),
    "an empty token": ({"MapperUrl": "http://127.0.0.1:1", "Token": ""}, "FhirSync.Token is not set"),
    "no url": ({"Token": "hidden"}, "FhirSync.MapperUrl is not set"),
}


@pytest.mark.parametrize(("section", "named"), UNSET.values(), ids=UNSET)
def test_the_setting_that_is_missing_is_named(load: Load, section: dict[str, str], named: str) -> None:
    sdk = load({**SCRIPT, "FhirSync": section})[1]
    assert sdk.log == [f"FhirSync: silent, as {named}"]
    assert sdk.rung == []


def test_the_script_may_be_named_in_the_python_section(load: Load) -> None:
    configuration = {**settings("http://127.0.0.1:1"), "PythonScript": "", "Python": {"Path": "/x/fhir_sync.py"}}
    assert load(configuration)[1].on_change is not None


def test_a_taken_callback_does_not_keep_orthanc_from_starting(load: Load) -> None:
    sdk = load(settings("http://127.0.0.1:1"), before=lambda sdk: setattr(sdk, "on_change", print))[1]
    [line] = sdk.log
    assert "Can only register one" in line


PARTS = sorted({*SCRIPTS, "explorer.js", "page.html"} - {"fhir_sync.py"})
NEED_NO_RING = ("explorer.js", "page.html", "fhir_sync_routes.py", "fhir_sync_page.py", "fhir_sync_origin.py")
NEED_NO_RING += ("fhir_sync_follower.py", "fhir_sync_labels.py", "fhir_sync_listing.py")


@pytest.mark.parametrize("missing", PARTS)
def test_a_folder_copied_in_part_never_keeps_orthanc_from_starting(
    load: Load, mapper: MapperFake, tmp_path: Path, missing: str
) -> None:
    for name in {*PARTS, "fhir_sync.py"} - {missing}:
        shutil.copy(FOLDER / name, tmp_path)
    sdk = load(settings(mapper.url), folder=tmp_path)[1]
    sdk.studies[ID] = STUDY
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    if missing == "page.html":
        assert sdk.request("GET", STUDY_URI + "/page").status == 500
    [line] = sdk.log
    if missing in NEED_NO_RING:
        assert missing.removesuffix(".py") in line or "FileNotFoundError" in line
        sdk.change(ChangeType.STABLE_STUDY)
        until(lambda: mapper.rings)
    else:
        assert line.startswith("FhirSync: silent")
        assert missing.removesuffix(".py") in line
        assert "copy the whole folder" in line
        assert (sdk.on_change, sdk.routes, sdk.explorer) == (None, {}, "")


@pytest.mark.parametrize("broken", [name for name in SCRIPTS if name != "fhir_sync.py"])
def test_a_file_that_is_no_python_never_keeps_orthanc_from_starting(
    load: Load, mapper: MapperFake, tmp_path: Path, broken: str
) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    (tmp_path / broken).write_text("def half a file(")
    sdk = load(settings(mapper.url), folder=tmp_path)[1]
    [line] = sdk.log
    assert "SyntaxError" in line


def test_a_site_with_its_own_script_calls_the_parts(load: Load, mapper: MapperFake) -> None:
    plugin, sdk = load(settings(mapper.url, script="/site/script.py"))
    assert (sdk.on_change, sdk.routes, sdk.explorer, sdk.log) == (None, {}, "", [])
    seen: list[int] = []

    def on_change(change: int, level: int, resource: str) -> None:
        plugin.on_change(change, level, resource)
        seen.append(change)

    sdk.on_change = on_change
    plugin.register_routes()
    assert "fhir-sync-box" in plugin.explorer_script()
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    sdk.change(ChangeType.STABLE_STUDY)
    until(lambda: mapper.rings)
    assert seen == [ChangeType.ORTHANC_STARTED, ChangeType.STABLE_STUDY]
    assert sdk.request("GET", STUDY_URI).status == 404


@pytest.mark.parametrize("name", SCRIPTS)
def test_standard_library_only_and_python_3_11(name: str) -> None:
    tree = ast.parse((FOLDER / name).read_text(), feature_version=(3, 11))
    imported = {
        module.partition(".")[0]
        for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - sys.stdlib_module_names - {"orthanc"} <= {script.removesuffix(".py") for script in SCRIPTS}


# The routes ---------------------------------------------------------------------------------------------------


def test_the_state_of_a_study(sdk: Sdk, mapper: MapperFake) -> None:
    state = study_state(
        STUDY_UID, "parked", message="why", problems=[{"element": "a"}], fhir_url="http://fhir/ImagingStudy/1"
    )
    mapper.states[STUDY_UID] = state
    answer = sdk.request("GET", STUDY_URI)
    assert (answer.status, answer.json, answer.headers["Cache-Control"]) == (200, state, "no-store")
    assert (mapper.asked, mapper.syncs) == ([STUDY_UID], [])


WAITS: dict[str, float] = {
    "": 5,
    "{}": 5,
    '{"id": "x"}': 5,
    '{"wait": 0}': 0,
    '{"wait": 2.5}': 2.5,
    '{"wait": 10}': 10,
    '{"wait": 3600}': 10,
    '{"wait": -1}': 0,
    '{"wait": 1e308}': 10,
    '{"wait": 1' + "0" * 300 + "}": 10,
}


@pytest.mark.parametrize(("body", "wait"), WAITS.items())
def test_a_resync_waits_within_bounds(sdk: Sdk, mapper: MapperFake, body: str, wait: float) -> None:
    answer = sdk.request("POST", STUDY_URI, body, JSON)
    assert (answer.status, answer.json) == (200, study_state(STUDY_UID))
    assert mapper.syncs == [(STUDY_UID, wait)]


def test_a_failed_resync_answers_200_too(sdk: Sdk, mapper: MapperFake) -> None:
    mapper.on_sync = lambda uid, wait: study_state(uid, "retrying", message="the FHIR server is down")
    answer = sdk.request("POST", STUDY_URI, "{}", JSON)
    assert (answer.status, answer.json["state"], answer.json["message"]) == (
        200,
        "retrying",
        "the FHIR server is down",
    )


REFUSED: dict[str, tuple[str, str, str, dict[str, str], int]] = {
    "form": ("POST", STUDY_URI, "a=b", {"content-type": "application/x-www-form-urlencoded"}, 415),
    "no content type": ("POST", STUDY_URI, "{}", {}, 415),
    "text": ("POST", "/fhir-sync/bulk", '{"ids": []}', {"content-type": "text/plain"}, 415),
    "broken JSON": ("POST", STUDY_URI, "{", JSON, 400),
    "deep JSON": ("POST", STUDY_URI, "[" * 33, JSON, 400),
    "wait of no number": ("POST", STUDY_URI, '{"wait": NaN}', JSON, 400),
    "wait without end": ("POST", STUDY_URI, '{"wait": Infinity}', JSON, 400),
    "too large": ("POST", STUDY_URI, "[" * 200_000, JSON, 413),
    "too large by a byte": ("POST", "/fhir-sync/bulk", '{"ids": []}'.ljust((64 << 10) + 1), JSON, 413),
    "JSON of another kind": ("POST", STUDY_URI, "[]", JSON, 400),
    "wait of another kind": ("POST", STUDY_URI, '{"wait": "5"}', JSON, 400),
    "wait true": ("POST", STUDY_URI, '{"wait": true}', JSON, 400),
    "bulk without ids": ("POST", "/fhir-sync/bulk", "{}", JSON, 400),
    "bulk ids of another kind": ("POST", "/fhir-sync/bulk", '{"ids": [1]}', JSON, 400),
    "bulk of too many": ("POST", "/fhir-sync/bulk", json.dumps({"ids": ["x"] * 1001}), JSON, 400),
    "put": ("PUT", STUDY_URI, "{}", JSON, 405),
    "delete": ("DELETE", STUDY_URI, "", {}, 405),
    "post to the page": ("POST", STUDY_URI + "/page", "{}", JSON, 405),
    "get of bulk": ("GET", "/fhir-sync/bulk", "", {}, 405),
    "another site": ("POST", STUDY_URI, "{}", {**JSON, "origin": "http://evil.example"}, 403),
    "another port": ("POST", STUDY_URI, "{}", {**JSON, "origin": "http://localhost:9999"}, 403),
    "no site": ("POST", STUDY_URI, "{}", {**JSON, "origin": "null"}, 403),
    "another site, bulk": ("POST", "/fhir-sync/bulk", "{}", {**JSON, "origin": "http://evil.example"}, 403),
    "a proxy that drops the port": (
        "POST",
        STUDY_URI,
        "{}",
        {**JSON, "origin": "http://localhost:8042", "host": "localhost"},
        403,
    ),
    "same site": ("POST", STUDY_URI, "{}", {**JSON, "sec-fetch-site": "same-site"}, 403),
    "a frame": (
        "GET",
        STUDY_URI + "/page",
        "",
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        403,
    ),
    "an image": (
        "GET",
        STUDY_URI,
        "",
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        403,
    ),
    "host as a prefix": ("POST", STUDY_URI, "{}", {**JSON, "origin": "http://localhost:8042.evil.example"}, 403),
    "no id": ("GET", "/fhir-sync/studies/../../system", "", {}, 404),
}


@pytest.mark.parametrize(("method", "uri", "body", "headers", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(
    sdk: Sdk, mapper: MapperFake, method: str, uri: str, body: str, headers: dict[str, str], status: int
) -> None:
    answer = sdk.request(method, uri, body, headers)
    assert (answer.status, answer.body) == (status, b"")
    assert (mapper.asked, mapper.syncs) == ([], [])
    if status == 405:
        assert answer.headers["Allow"]


MISSING = {"GET": ("", {}), "POST": ("{}", JSON)}


@pytest.mark.parametrize(("method", "page"), [("GET", ""), ("POST", ""), ("GET", "/page")])
def test_of_a_study_that_is_gone_one_sentence_says_what_happened_and_what_to_do(
    sdk: Sdk, mapper: MapperFake, method: str, page: str
) -> None:
    answer = sdk.request(method, STUDY_URI.replace("0a9b", "ffff") + page, *MISSING[method])
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/plain")
    assert answer.headers.items() >= sys.modules["fhir_sync_origin"].PROTECTION.items()
    said = answer.body.decode()
    assert said.startswith("This study is not in Orthanc (any more): look for its patient")
    assert "send its images to Orthanc again" in said
    assert (mapper.asked, mapper.syncs) == ([], [])


ADMITTED = {
    "own site": {"origin": "http://localhost:8042"},
    "own site in capitals": {"origin": "HTTP://LocalHost:8042"},
    "https in front": {"origin": "https://pacs.example", "host": "pacs.example"},
    "own page": {"origin": "http://localhost:8042", "sec-fetch-site": "same-origin"},
    "charset": {"content-type": "application/json; charset=utf-8"},
    "no browser": {},
}


@pytest.mark.parametrize("headers", ADMITTED.values(), ids=ADMITTED.keys())
def test_admitted(sdk: Sdk, headers: dict[str, str]) -> None:
    assert sdk.request("POST", STUDY_URI, "{}", {**JSON, **headers}).status == 200


def test_a_study_new_to_the_mapper_is_pending(sdk: Sdk) -> None:
    answer = sdk.request("GET", STUDY_URI).json
    assert (answer["state"], answer["study_uid"]) == ("pending", STUDY_UID)
    assert "not seen" in answer["message"]


def slow(method: str, path: str) -> None:
    time.sleep(0.8)


SILENT: dict[str, tuple[Callable[[str, str], tuple[int, bytes] | None], str]] = {
    "slow": (slow, "does not answer (TimeoutError)"),
    "wrong token": (lambda method, path: (401, b"{}"), "FhirSync.Token"),
    "forbidden": (lambda method, path: (403, b"{}"), "FhirSync.Token"),
    "broken": (lambda method, path: (500, "Müller".encode()), "HTTP 500"),
    "not JSON": (lambda method, path: (200, b"<html>"), "is not the mapper"),
    "not UTF-8": (lambda method, path: (200, b'{"state": "\xff"}'), "is not the mapper"),
    "deep JSON": (lambda method, path: (200, b"[" * 200_000), "is not the mapper"),
    "a number that is none": (lambda method, path: (200, b'{"state": "synced", "problems": NaN}'), "is not the mapper"),
    "half a surrogate pair": (lambda method, path: (200, b'{"state": "\\ud800"}'), "is not the mapper"),
    "a list": (lambda method, path: (200, b"[]"), "is not the mapper"),
    "no state": (lambda method, path: (200, b"{}"), "is not the mapper"),
    "state of another kind": (lambda method, path: (200, b'{"state": 5}'), "is not the mapper"),
    "endless": (lambda method, path: (200, b'{"state": "synced"}'.ljust((4 << 20) + 1)), "is not the mapper"),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("silence", "said"), SILENT.values(), ids=SILENT.keys())
def test_a_mapper_without_usable_answer_is_a_state(
    sdk: Sdk, mapper: MapperFake, silence: Any, said: str, method: str
) -> None:
    mapper.answer = silence
    answer = sdk.request(method, STUDY_URI, '{"wait": 0}', JSON)
    assert answer.status == 200
    assert (answer.json["study_uid"], answer.json["state"]) == (STUDY_UID, "unreachable")
    assert said in answer.json["message"]
    assert set(answer.json) == set(study_state(STUDY_UID))
    assert TOKEN not in answer.body.decode()


def test_a_mapper_that_is_down_is_a_state(load: Load) -> None:
    sdk = load(settings(nobody()))[1]
    sdk.studies[ID] = STUDY
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    for answer in (sdk.request("GET", STUDY_URI), sdk.request("POST", STUDY_URI, "{}", JSON)):
        assert (answer.status, answer.json["state"]) == (200, "unreachable")
        assert "check that it runs" in answer.json["message"]
    bulk = sdk.request("POST", "/fhir-sync/bulk", json.dumps({"ids": [ID]}), JSON).json
    assert [state["state"] for state in bulk["studies"]] == ["unreachable"]


def test_no_redirect_carries_the_token_away(load: Load) -> None:
    seen: list[str] = []
    with MapperFake("another") as elsewhere, MapperFake(TOKEN) as mapper:
        handle = mapper.server.RequestHandlerClass

        class Redirect(handle):  # type: ignore[misc, valid-type]
            def do_GET(self) -> None:
                seen.append(self.path)
                self.send_response(302)
                self.send_header("Location", elsewhere.url + "/stolen")
                self.end_headers()

            do_POST = do_GET

        mapper.server.RequestHandlerClass = Redirect
        sdk = load(settings(mapper.url))[1]
        sdk.studies[ID] = STUDY
        sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
        assert sdk.request("GET", STUDY_URI).json["state"] == "unreachable"
        assert seen
        assert not elsewhere.unexpected


def test_no_proxy_of_the_environment_sees_the_token(
    load: Load, mapper: MapperFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", nobody())
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    sdk = load(settings(mapper.url))[1]
    sdk.studies[ID] = STUDY
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    assert sdk.request("GET", STUDY_URI).json["state"] == "pending"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", 5, " http://x"])
def test_only_a_web_link_is_handed_on(sdk: Sdk, mapper: MapperFake, link: Any) -> None:
    mapper.states[STUDY_UID] = study_state(STUDY_UID, fhir_url=link)
    assert sdk.request("GET", STUDY_URI).json["fhir_url"] is None


def broken(uri: str) -> bytes:
    raise OrthancException(ErrorCode.INTERNAL_ERROR, "Müller")


ODD: dict[str, Callable[[str], bytes]] = {
    "fails": broken,
    "no JSON": lambda uri: b"Chest",
    "too deep": lambda uri: b"[" * 600,
    "no study": lambda uri: b"{}",
    "another kind": lambda uri: b"[4711]",
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
def test_an_odd_answer_of_orthanc_is_a_500_that_tells_no_value(
    sdk: Sdk, monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], bytes], method: str
) -> None:
    monkeypatch.setattr(sys.modules["orthanc"], "RestApiGet", answer)
    assert sdk.request(method, STUDY_URI, "{}", JSON).status == 500
    [line] = sdk.log
    assert "answered 500" in line
    assert not [value for value in VALUES if value in line]


def test_bulk_marks_each_study_once(sdk: Sdk, mapper: MapperFake) -> None:
    unknown = ID.replace("0a9b", "ffff")
    body = json.dumps({"ids": [ID, unknown, OTHER_ID, ID, "../system"]})
    answer = sdk.request("POST", "/fhir-sync/bulk", body, JSON)
    assert (answer.status, answer.json["unknown"]) == (200, [unknown, "../system"])
    assert answer.json["studies"] == [study_state(STUDY_UID), study_state(OTHER_UID)]
    assert mapper.syncs == [(STUDY_UID, 0), (OTHER_UID, 0)]


def test_bulk_gives_up_when_the_mapper_is_silent(sdk: Sdk, mapper: MapperFake) -> None:
    asked: list[str] = []

    def fail(method: str, path: str) -> tuple[int, bytes]:
        asked.append(path)
        raise ConnectionResetError  # the connection ends without an answer

    mapper.answer = fail
    answer = sdk.request("POST", "/fhir-sync/bulk", json.dumps({"ids": [ID, OTHER_ID]}), JSON).json
    assert [(state["study_uid"], state["state"]) for state in answer["studies"]] == [
        (STUDY_UID, "unreachable"),
        (OTHER_UID, "unreachable"),
    ]
    assert len(asked) == 1


# The page and the button --------------------------------------------------------------------------------------


def test_the_page_names_study_and_state_and_escapes_them(sdk: Sdk, mapper: MapperFake) -> None:
    mapper.states[STUDY_UID] = study_state(
        STUDY_UID, "parked", message="<i>why</i>", problems=["a", "b"], fhir_url='http://fhir/ImagingStudy/1?"<'
    )
    answer = sdk.request("GET", STUDY_URI + "/page")
    html = answer.body.decode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for shown in (
        "Müller &lt;script&gt;&quot;x&quot;",
        "ID-4711",
        "2024-01-02 · Chest &lt;b&gt;&amp;",
        STUDY_UID,
        "FHIR: parked",
        "&lt;i&gt;why&lt;/i&gt;",
        '<a href="http://fhir/ImagingStudy/1?&quot;&lt;" target="_blank" rel="noopener noreferrer">',
    ):
        assert shown in html
    assert html.count("<script") == 1
    assert "$" not in re.sub(r"\$/", "", html), "a placeholder was left"


def test_the_page_holds_only_its_own_script(sdk: Sdk) -> None:
    answers = [sdk.request("GET", STUDY_URI + "/page") for _ in range(2)]
    nonces = [re.findall(r'nonce="([^"]+)"', answer.body.decode()) for answer in answers]
    assert nonces[0] != nonces[1]
    for answer, (style, script) in zip(answers, nonces, strict=True):
        policy = answer.headers["Content-Security-Policy"]
        assert style == script
        assert f"script-src 'nonce-{script}'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_of_a_nameless_study_with_a_silent_mapper(sdk: Sdk, mapper: MapperFake) -> None:
    mapper.answer = lambda method, path: (503, b"")
    html = sdk.request("GET", f"/fhir-sync/studies/{OTHER_ID}/page").body.decode()
    assert "(no patient name)" in html
    assert OTHER_UID in html
    assert "FHIR: unreachable" in html
    assert "None<" not in html
    assert '<a href="http' not in html


def test_no_value_of_a_study_is_logged(sdk: Sdk, mapper: MapperFake) -> None:
    mapper.answer = lambda method, path: (500, "Müller 4711".encode())
    for method, uri, body, headers, _ in REFUSED.values():
        sdk.request(method, uri, body, headers)
    sdk.request("GET", STUDY_URI + "/page")
    sdk.change(ChangeType.DELETED, ResourceType.STUDY, ID)
    until(lambda: any("HTTP 500" in line for line in sdk.log))
    said = "\n".join(sdk.log)
    assert not [value for value in (*VALUES, TOKEN) if value in said]


def test_the_script_for_explorer_is_old_javascript(sdk: Sdk) -> None:
    assert not re.search(r"=>|\b(let|const|async|await|class)\b|`", re.sub(r"//.*|'[^']*'|/`/g", "", sdk.explorer))
