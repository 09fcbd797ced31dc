"""The plugin inside real Orthancs (1.10.1 of Debian 12, 1.12.7 of Debian 13); the fake module held against theirs."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from stack import Orthanc, free_port
from tests.support import orthanc_fake
from tests.support.mapper_fake import MapperFake, study_state, until
from tests.support.plugged import TOKEN, Make, call, make, upload

pytestmark = pytest.mark.live

__all__ = ["make"]

ROOT = Path(__file__).parents[2]
ORTHANC_TIME = 15
"""Seconds for StableAge (1 s) and for Orthanc's look at it (every few seconds)."""


@pytest.fixture(scope="module")
def shared(make: Make) -> Iterator[tuple[Orthanc, MapperFake]]:
    with MapperFake(TOKEN) as mapper, make(mapper.url) as orthanc:
        yield orthanc, mapper
        assert "Example" not in orthanc.log.read_text(errors="replace")


@pytest.fixture
def orthanc(shared: tuple[Orthanc, MapperFake]) -> Orthanc:
    return shared[0]


@pytest.fixture
def mapper(shared: tuple[Orthanc, MapperFake]) -> Iterator[MapperFake]:
    mapper = shared[1]
    yield mapper
    mapper.answer = lambda method, path: None
    assert not mapper.unexpected


# The bell -----------------------------------------------------------------------------------------------------


def test_a_stable_study_rings_and_a_deletion_asks_for_a_sweep(orthanc: Orthanc, mapper: MapperFake) -> None:
    mapper.rings.clear()
    study, _ = upload(orthanc)
    until(lambda: mapper.rings, ORTHANC_TIME)
    assert not any(mapper.rings)
    call(orthanc, "DELETE", f"/studies/{study}").raise_for_status()
    until(lambda: True in mapper.rings)


def test_a_deletion_while_the_mapper_is_down_is_rung_when_it_is_back(make: Make) -> None:
    port = free_port()
    with make(f"http://127.0.0.1:{port}") as orthanc:
        study, _ = upload(orthanc)
        call(orthanc, "DELETE", f"/studies/{study}").raise_for_status()
        until(lambda: "does not answer" in orthanc.log.read_text())
        with MapperFake(TOKEN, port) as mapper:
            until(lambda: True in mapper.rings)
            until(lambda: "answers again" in orthanc.log.read_text())


def test_a_reset_leaves_a_working_plugin(orthanc: Orthanc, mapper: MapperFake) -> None:
    started = "Orthanc has started"
    for _ in range(2):
        before = orthanc.log.read_text().count(started)
        call(orthanc, "POST", "/tools/reset", data="")
        until(lambda before=before: orthanc.log.read_text().count(started) > before, 20)  # type: ignore[misc]
        mapper.rings.clear()
        study, uid = upload(orthanc)
        until(lambda: mapper.rings, ORTHANC_TIME)
        assert call(orthanc, "GET", f"/fhir-sync/studies/{study}").json()["study_uid"] == uid


def test_orthanc_stops_cleanly(make: Make) -> None:
    with MapperFake(TOKEN) as mapper, make(mapper.url) as orthanc:
        upload(orthanc)
        orthanc.stop()
        assert "Orthanc has stopped" in orthanc.log_tail(2)


def test_orthanc_stops_while_the_mapper_hangs(make: Make) -> None:
    with MapperFake(TOKEN) as mapper, make(mapper.url) as orthanc:
        asked, released = threading.Event(), threading.Event()
        answered: list[bool] = []

        def hang(method: str, path: str) -> None:
            asked.set()
            answered.append(released.wait(60))

        mapper.answer = hang
        study, _ = upload(orthanc)
        call(orthanc, "DELETE", f"/studies/{study}").raise_for_status()
        until(asked.is_set, ORTHANC_TIME)
        orthanc.stop(grace=30)
        assert not answered, "Orthanc waited for the mapper"
        assert "Orthanc has stopped" in orthanc.log_tail(2)
        released.set()


@pytest.mark.parametrize(("url", "token"), [("http://127.0.0.1:1", ""), ("ftp://127.0.0.1", TOKEN)])
def test_orthanc_starts_without_usable_settings(make: Make, url: str, token: str) -> None:
    with make(url, token) as orthanc:
        log = orthanc.log.read_text()
        assert log.count("FhirSync: ") == log.count("FhirSync: silent") == 1
        assert call(orthanc, "GET", f"/fhir-sync/studies/{'-'.join(['0' * 8] * 5)}").status_code == 404
        assert "fhir-sync" not in call(orthanc, "GET", "/plugins/explorer.js").text


# The routes ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(shared: tuple[Orthanc, MapperFake]) -> tuple[str, str]:
    return upload(shared[0])


def single(answer: requests.Response, name: str) -> str:
    """Give the one value of a header; requests would join several with a comma."""
    values: list[str] = answer.raw.headers.getlist(name)
    assert len(values) == 1
    return values[0]


def test_state_and_resync(orthanc: Orthanc, mapper: MapperFake, study: tuple[str, str]) -> None:
    path, uid = f"/fhir-sync/studies/{study[0]}", study[1]
    answer = call(orthanc, "GET", path)
    assert (answer.status_code, answer.json()["study_uid"], answer.json()["state"]) == (200, uid, "pending")
    answer = call(orthanc, "POST", path, json={"wait": 2})
    assert (answer.status_code, answer.json()) == (200, study_state(uid))
    assert mapper.syncs[-1] == (uid, 2)
    assert single(answer, "Content-Type") == "application/json"
    assert single(answer, "Cache-Control") == "no-store"
    assert call(orthanc, "GET", path).json() == study_state(uid)


def test_bulk(orthanc: Orthanc, mapper: MapperFake, study: tuple[str, str]) -> None:
    unknown = "-".join(["0" * 8] * 5)
    answer = call(orthanc, "POST", "/fhir-sync/bulk", json={"ids": [study[0], unknown]})
    assert (answer.status_code, answer.json()) == (200, {"studies": [study_state(study[1])], "unknown": [unknown]})
    assert mapper.syncs[-1] == (study[1], 0)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_silent_mapper_is_a_state(orthanc: Orthanc, mapper: MapperFake, study: tuple[str, str], method: str) -> None:
    mapper.answer = lambda method, path: (500, b"")
    answer = call(orthanc, method, f"/fhir-sync/studies/{study[0]}", **({"json": {}} if method == "POST" else {}))
    assert (answer.status_code, answer.json()["state"]) == (200, "unreachable")


STUDY = "/fhir-sync/studies/{id}"
EVIL = {"Origin": "http://evil.example"}
REFUSED: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "form": ("POST", STUDY, {"data": {"wait": 0}}, 415),
    "no body": ("POST", STUDY, {}, 415),
    "broken JSON": ("POST", STUDY, {"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
    "another site": ("POST", STUDY, {"json": {}, "headers": EVIL}, 403),
    "another site, bulk": ("POST", "/fhir-sync/bulk", {"json": {"ids": []}, "headers": EVIL}, 403),
    "put": ("PUT", STUDY, {"json": {}}, 405),
    "delete": ("DELETE", STUDY, {}, 405),
    "get of bulk": ("GET", "/fhir-sync/bulk", {}, 405),
    "post to the page": ("POST", STUDY + "/page", {"json": {}}, 405),
    "unknown study": ("GET", "/fhir-sync/studies/" + "-".join(["0" * 8] * 5), {}, 404),
    "nothing": ("GET", "/fhir-sync/studies/x", {}, 404),
    "no preflight": ("OPTIONS", STUDY, {"headers": EVIL}, 404),
}


@pytest.mark.parametrize(("method", "path", "others", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(
    orthanc: Orthanc, mapper: MapperFake, study: tuple[str, str], method: str, path: str, others: Any, status: int
) -> None:
    syncs = list(mapper.syncs)
    answer = call(orthanc, method, path.format(id=study[0]), **others)
    assert answer.status_code == status
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert mapper.syncs == syncs


def test_a_study_that_is_gone_is_said_to_be_gone_with_what_to_do(orthanc: Orthanc) -> None:
    study, _ = upload(orthanc)
    call(orthanc, "DELETE", f"/studies/{study}").raise_for_status()
    for method, path in [("GET", STUDY + "/page"), ("GET", STUDY), ("POST", STUDY)]:
        answer = call(orthanc, method, path.format(id=study), **({"json": {}} if method == "POST" else {}))
        assert (answer.status_code, single(answer, "Content-Type")) == (404, "text/plain")
        assert single(answer, "X-Content-Type-Options") == "nosniff"
        assert "not in Orthanc (any more)" in answer.text
        assert "send its images to Orthanc again" in answer.text


def test_own_site_is_admitted(orthanc: Orthanc, study: tuple[str, str]) -> None:
    answer = call(orthanc, "POST", STUDY.format(id=study[0]), json={}, headers={"Origin": orthanc.url})
    assert answer.status_code == 200


def test_nobody_gets_in_without_orthancs_password(orthanc: Orthanc, study: tuple[str, str]) -> None:
    for method, path in [("GET", STUDY), ("POST", STUDY), ("GET", STUDY + "/page"), ("POST", "/fhir-sync/bulk")]:
        answer = requests.request(method, orthanc.url + path.format(id=study[0]), json={}, timeout=30)
        assert answer.status_code == 401


def test_the_page(orthanc: Orthanc, study: tuple[str, str]) -> None:
    answer = call(orthanc, "GET", STUDY.format(id=study[0]) + "/page")
    assert answer.status_code == 200
    assert single(answer, "Content-Type") == "text/html; charset=utf-8"
    assert single(answer, "X-Frame-Options") == "DENY"
    assert "frame-ancestors 'none'" in single(answer, "Content-Security-Policy")
    assert "<h1>Example Ännchen</h1>" in answer.content.decode()
    assert study[1] in answer.text


def test_the_button_is_served(orthanc: Orthanc) -> None:
    assert "fhir-sync-box" in call(orthanc, "GET", "/plugins/explorer.js").text
    assert "FHIR" in call(orthanc, "GET", "/plugins/python").json()["Description"]


# A site's own script ------------------------------------------------------------------------------------------


def test_the_script_of_the_readme_combines_both(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(ROOT / "orthanc_plugin", folder, ignore=shutil.ignore_patterns("__pycache__"))
    readme = (ROOT / "orthanc_plugin/README.md").read_text()
    script = folder / "site_script.py"
    script.write_text(readme.partition("```python\n")[2].partition("```")[0])
    with MapperFake(TOKEN) as mapper, make(mapper.url, plugin_script=script) as orthanc:
        study, uid = upload(orthanc)
        until(lambda: mapper.rings, ORTHANC_TIME)
        until(lambda: f"site: {study} is stable" in orthanc.log.read_text())
        assert call(orthanc, "GET", STUDY.format(id=study)).json()["study_uid"] == uid
        assert "fhir-sync-box" in call(orthanc, "GET", "/plugins/explorer.js").text
        assert "Error" not in orthanc.log.read_text()


# The contract: the fake module is no more than the real one ---------------------------------------------------

DUMP = """
import json
import orthanc

seen = []
orthanc.RegisterOnChangeCallback(lambda *change: seen.append(change))

def tried(call, *arguments, **named):
    try:
        return repr(call(*arguments, **named))
    except Exception as error:
        return [type(error).__name__, list(error.args)]

at_import = {
    "rest": tried(orthanc.RestApiGet, "/studies/x"),
    "second callback": tried(orthanc.RegisterOnChangeCallback, print),
    "log of a number": tried(orthanc.LogWarning, 5),
    "named argument": tried(orthanc.LogWarning, text="x"),
    "configuration": type(orthanc.GetConfiguration()).__name__,
    "module": __name__,
}

def dump(output, uri, **request):
    if request["groups"][0] == "status":
        output.SendHttpStatusCode(405)
    else:
        output.AnswerBuffer(json.dumps({
            "names": dir(orthanc),
            "output": dir(output),
            "enums": {name: {key: value for key, value in vars(getattr(orthanc, name)).items() if key.isupper()}
                      for name in ("ChangeType", "ResourceType", "ErrorCode")},
            "changes": seen,
            "request": {key: type(value).__name__ for key, value in request.items()},
            "headers": request["headers"],
            "groups": request["groups"],
            "uri": uri,
            "at import": at_import,
            "unknown": tried(orthanc.RestApiGet, "/studies/x"),
            "found": type(orthanc.RestApiGet("/system")).__name__,
        }), "application/json")

orthanc.RegisterRestCallback("/dump/([a-z]+)", dump)
"""


@pytest.fixture(scope="module")
def contract(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    script = tmp_path_factory.mktemp("contract") / "dump.py"
    script.write_text(DUMP)
    with make(plugin_script=script) as orthanc:
        yield orthanc


@pytest.fixture(scope="module")
def real(contract: Orthanc) -> dict[str, Any]:
    return dict(call(contract, "GET", "/dump/x").json())


def test_the_fake_has_only_names_and_values_of_the_real_module(real: dict[str, Any]) -> None:
    module, _ = orthanc_fake.fake_orthanc({})
    assert {name for name in vars(module) if not name.startswith("__")} <= set(real["names"])
    output = {name for name in vars(orthanc_fake.RestOutput) if name[0].isupper()}
    assert output <= set(real["output"])
    for name, values in real["enums"].items():
        fake = {key: value for key, value in vars(getattr(orthanc_fake, name)).items() if key.isupper()}
        assert fake.items() <= values.items()
    assert {key for key in vars(orthanc_fake.ChangeType) if key.isupper()} == set(real["enums"]["ChangeType"])


def test_the_fake_fails_as_the_real_module_does(real: dict[str, Any]) -> None:
    module, sdk = orthanc_fake.fake_orthanc({})
    module.RegisterOnChangeCallback(print)

    def tried(name: str, *arguments: Any) -> list[Any]:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is the question
            getattr(module, name)(*arguments)
        return [caught.type.__name__, list(caught.value.args)]

    at_import = real["at import"]
    assert tried("RegisterOnChangeCallback", print) == at_import["second callback"]
    assert tried("LogWarning", 5) == at_import["log of a number"]
    assert at_import["named argument"][0] == "TypeError"
    assert tried("RestApiGet", "/studies/x")[0] == at_import["rest"][0]
    sdk.started = True
    assert tried("RestApiGet", "/studies/x") == real["unknown"]
    assert (at_import["configuration"], real["found"]) == ("str", "bytes")
    assert at_import["module"] == "dump", "the plugin tells by its module name whether it is Orthanc's own script"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_the_fakes_requests_are_the_real_ones(contract: Orthanc, method: str) -> None:
    real = call(contract, method, "/dump/x", data="{}" if method in ("POST", "PUT") else None).json()
    _, sdk = orthanc_fake.fake_orthanc({})
    seen: dict[str, str] = {}

    def echo(output: Any, uri: str, **request: Any) -> None:
        seen.update({name: type(value).__name__ for name, value in request.items()})
        output.AnswerBuffer("", "text/plain")

    sdk.routes["/dump/([a-z]+)"] = echo
    sdk.request(method, "/dump/x", "{}")
    assert seen == real["request"]
    assert (real["uri"], real["groups"]) == ("/dump/x", ["x"])
    assert all(name == name.lower() for name in real["headers"])
    assert real["headers"]["host"] == contract.url.partition("://")[2]


def test_a_status_with_a_function_of_its_own_is_not_sent(contract: Orthanc) -> None:
    with pytest.raises(requests.ConnectionError):
        call(contract, "GET", "/dump/status")
    assert 405 in orthanc_fake.STATUS_WITH_A_METHOD


def test_changes_are_three_values(contract: Orthanc) -> None:
    enum = orthanc_fake.ChangeType
    started = [enum.ORTHANC_STARTED, orthanc_fake.ResourceType.NONE, ""]
    until(lambda: started in call(contract, "GET", "/dump/x").json()["changes"])
    study, _ = upload(contract)
    call(contract, "DELETE", f"/studies/{study}")
    deletion = [enum.DELETED, orthanc_fake.ResourceType.STUDY, study]
    until(lambda: deletion in call(contract, "GET", "/dump/x").json()["changes"])
    deletions = [change for change in call(contract, "GET", "/dump/x").json()["changes"] if change[0] == enum.DELETED]
    assert {level for _, level, _ in deletions} == {0, 1, 2, 3}
