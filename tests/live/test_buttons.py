"""The buttons for Orthanc Explorer 2, pressed at real Orthancs as Explorer 2 was seen to; itself it is not run here."""

import json
from pathlib import Path

import pytest
import requests

from stack import Orthanc
from tests.support.explorer2 import buttons, pressed
from tests.support.mapper_fake import MapperFake, study_state
from tests.support.plugged import PAGES, make, mapper, orthanc, plugged, studies

pytestmark = pytest.mark.live

__all__ = ["make", "mapper", "orthanc", "plugged", "studies"]


def press(orthanc: Orthanc, name: str, ids: list[str]) -> requests.Response:
    """Press a button of the configuration that this Orthanc was started with."""
    configuration = json.loads((Path(orthanc.folder) / "orthanc.json").read_text())
    [button] = [one for _, one in buttons(configuration) if one["Id"] == name]
    sent = pressed(button, orthanc.url, ids)
    return requests.request(
        sent.method,
        sent.url,
        headers=sent.headers,
        data=sent.body,
        auth=orthanc.auth,
        timeout=30,
        allow_redirects=False,
    )


@pytest.mark.parametrize("state", ["synced", "parked", "retrying"])
def test_re_sync(orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]], state: str) -> None:
    study, uid = studies[0]
    mapper.on_sync = lambda uid, wait: study_state(uid, state)
    answer = press(orthanc, "fhir-resync", [study])
    assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert answer.json()["page_url"] == f"{PAGES}/studies/{uid}"
    assert mapper.syncs == [(uid, 5)]


def test_re_sync_of_a_selection(orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]) -> None:
    answer = press(orthanc, "fhir-resync-bulk", [study for study, _ in studies])
    assert (answer.status_code, answer.json()["unknown"]) == (200, [])
    assert mapper.syncs == [(uid, 0) for _, uid in studies]


def test_the_page_says_whose_study_it_is(orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]) -> None:
    """All GET buttons of Explorer 2 share one tab: what stands there must say what it is."""
    for study, uid in studies:
        mapper.states[uid] = study_state(uid, "parked")
        answer = press(orthanc, "fhir-status", [study])
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        text = answer.content.decode()
        assert "<h1>Example Ännchen</h1>" in text
        assert uid in text
        assert f'href="{PAGES}/studies/{uid}"' in text


def test_with_a_silent_mapper_every_press_is_answered(
    orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    mapper.answer = lambda method, path: (503, b"")
    ids = [study for study, _ in studies]
    assert press(orthanc, "fhir-resync", ids[:1]).json()["state"] == "unreachable"
    assert {one["state"] for one in press(orthanc, "fhir-resync-bulk", ids).json()["studies"]} == {"unreachable"}
    assert "FHIR: unreachable" in press(orthanc, "fhir-status", ids[:1]).text
