"""The buttons of orthanc.json for Orthanc Explorer 2, held against the plugin's routes.

Explorer 2 is not run here: what it sends is tests/support/explorer2.py, as it was seen to.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.explorer2 import CONFIGURATION, Button, buttons, faults, pressed
from tests.support.loaded import ID, OTHER_ID, OTHER_UID, STUDY_UID, load, mapper, sdk
from tests.support.mapper_fake import Answer, MapperFake, study_state
from tests.support.orthanc_fake import RestOutput, Sdk

__all__ = ["load", "mapper", "sdk"]

ORTHANC = "http://localhost:8042"
BUTTONS = list(buttons())
each_button = pytest.mark.parametrize(("level", "button"), BUTTONS, ids=[one["Id"] for _, one in BUTTONS])


def sent(sdk: Sdk, button: Button, ids: list[str]) -> RestOutput:
    """Send a press to the routes; there is always one."""
    press = pressed(button, ORTHANC, ids)
    headers = {name.lower(): value for name, value in press.headers.items()}
    return sdk.request(press.method, urlsplit(press.url).path, press.body or b"", headers)


def test_there_are_buttons_for_a_study_and_for_several() -> None:
    assert [(level, button["HttpMethod"]) for level, button in BUTTONS] == [
        ("study", "POST"),
        ("study", "GET"),
        ("bulk-studies", "POST"),
    ]
    assert len({button["Id"] for _, button in BUTTONS}) == len(BUTTONS)
    assert len({button["Tooltip"] for _, button in BUTTONS}) == len(BUTTONS), "a button is told by it alone"
    assert all(button["Icon"].startswith("bi bi-") for _, button in BUTTONS)


def test_labels_are_the_sites_own() -> None:
    """None is written unless told to (tests/plugin/test_labels.py); then their editor has to go."""
    options = json.loads(CONFIGURATION.read_text())["OrthancExplorer2"]["UiOptions"]
    assert set(options) == {"CustomButtons"}


@each_button
def test_a_button_asks_for_nothing_that_explorer_2_cannot_do(level: str, button: Button) -> None:
    assert list(faults(level, button)) == []


POST: Button = {"HttpMethod": "POST", "Url": "../../fhir-sync/studies/{UUID}", "Payload": {"id": "{UUID}"}}
GET: Button = {"HttpMethod": "GET", "Url": "../../fhir-sync/studies/{UUID}/page"}
WRONG: dict[str, tuple[Button, str]] = {
    "an absolute URL": ({**POST, "Url": "/fhir-sync/studies/{UUID}"}, "leaves the path"),
    "another server": ({**POST, "Url": "http://mapper:8000/studies/{UUID}"}, "leaves the path"),
    "another route": ({**POST, "Url": "../../studies/{UUID}"}, "leaves the path"),
    "a value in a URL": ({**GET, "Url": "../../fhir-sync/{PatientID}"}, "more than Orthanc's own id"),
    "the UID in a URL": ({**GET, "Url": "../../fhir-sync/{StudyInstanceUID}"}, "more than Orthanc's own id"),
    "a tag twice": ({**GET, "Url": "../../fhir-sync/{UUID}/{UUID}"}, "twice"),
    "no body": ({**POST, "Payload": None}, "no JSON object"),
    "a body left out": ({"HttpMethod": "POST", "Url": POST["Url"]}, "no JSON object"),
    "a text for a body": ({**POST, "Payload": "{UUID}"}, "no JSON object"),
    "an array in the body": ({**POST, "Payload": {"ids": ["{UUID}"]}}, "array"),
    "an array deeper in it": ({**POST, "Payload": {"a": {"b": []}}}, "array"),
    "a value in the body": ({**POST, "Payload": {"name": "{PatientName}"}}, "more than Orthanc's own ids"),
    "ids of a selection for one study": ({**POST, "Payload": {"ids": "{JsonArrayUUIDs}"}}, "own ids"),
    "PATCH": ({**POST, "HttpMethod": "PATCH"}, "method"),
    "DELETE": ({**POST, "HttpMethod": "DELETE"}, "method"),
}


@pytest.mark.parametrize(("button", "fault"), WRONG.values(), ids=WRONG.keys())
def test_a_button_that_would_not_work_is_found(button: Button, fault: str) -> None:
    assert any(fault in one for one in faults("study", button))


@pytest.mark.parametrize("prefix", ["", "/", "/pacs", "/pacs/"])
@each_button
def test_every_press_stays_under_the_path_of_orthanc(level: str, button: Button, prefix: str) -> None:
    url = pressed(button, f"https://pacs.example{prefix}", [ID]).url
    assert url.startswith(f"https://pacs.example{prefix.rstrip('/')}/fhir-sync/")
    assert "undefined" not in url


def silent(method: str, path: str) -> Answer:
    return 500, b""


def refusing(method: str, path: str) -> Answer:
    return 401, b"{}"


def away(method: str, path: str) -> Answer:
    raise ConnectionResetError


SITUATIONS: dict[str, tuple[str | None, Callable[[str, str], Answer] | None, str]] = {
    **{state: (state, None, state) for state in ("pending", "syncing", "synced", "retrying", "parked", "removed")},
    "never seen": (None, None, "pending"),
    "the mapper fails": (None, silent, "unreachable"),
    "the mapper refuses the token": (None, refusing, "unreachable"),
    "the mapper is away": (None, away, "unreachable"),
}
"""What the mapper says, and what is then said in Orthanc."""


@pytest.mark.parametrize(("state", "answer", "said"), SITUATIONS.values(), ids=SITUATIONS.keys())
@each_button
def test_every_press_is_answered_as_well_where_the_sync_failed(
    sdk: Sdk, mapper: MapperFake, level: str, button: Button, state: str | None, answer: Any, said: str
) -> None:
    """Explorer 2 shows nothing of an answer that is no 2xx, and reloads nothing then."""
    if state is not None:
        mapper.states = {uid: study_state(uid, state) for uid in (STUDY_UID, OTHER_UID)}
    told = state or "pending"
    mapper.on_sync = lambda uid, wait: study_state(uid, told)
    if answer is not None:
        mapper.answer = answer
    ids = [ID] if level == "study" else [ID, OTHER_ID]
    output = sent(sdk, button, ids)
    assert output.status == 200
    if button["HttpMethod"] == "GET":
        assert f"FHIR: {said}" in output.body.decode()
        return
    shown = [output.json] if level == "study" else output.json["studies"]
    assert [one["state"] for one in shown] == [said] * len(ids)


def test_a_selection_is_asked_for_whole(sdk: Sdk, mapper: MapperFake) -> None:
    [bulk] = [button for level, button in BUTTONS if level == "bulk-studies"]
    sent(sdk, bulk, [ID, OTHER_ID])
    assert mapper.syncs == [(STUDY_UID, 0), (OTHER_UID, 0)]


def test_the_press_of_a_button_without_a_body_is_refused(sdk: Sdk) -> None:
    """Which is why each has one."""
    assert sent(sdk, {**POST, "Payload": None}, [ID]).status == 415
