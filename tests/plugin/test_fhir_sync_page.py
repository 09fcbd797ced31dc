"""What the page of a study shows: its problems, its syncs and the way on, escaped and bounded."""

import json
import re
from html import unescape
from typing import Any

import pytest

from tests.support.loaded import ID, STUDY, STUDY_UID, STUDY_URI, TOKEN, Load, load, mapper, sdk, settings
from tests.support.mapper_fake import MapperFake, State, study_state
from tests.support.orthanc_fake import ChangeType, ResourceType, Sdk

__all__ = ["load", "mapper", "sdk"]

PROBLEM = {
    "element": "Patient.birthDate",
    "attribute": "PatientBirthDate",
    "reason": "no date of DICOM",
}
SYNC = {
    "study_uid": STUDY_UID,
    "source": "orthanc",
    "started": "2026-01-02T03:04:05Z",
    "ended": "2026-01-02T03:04:06Z",
    "seconds": 1.25,
    "fate": "parked",
    "failure": "BundleRejected",
    "attempts": 3,
}
DO = "Look at `orthanc-fhir doctor` <b>now</b>"
PUBLIC = "https://pacs.example/mapper"


def page_of(sdk: Sdk, mapper: MapperFake, history: Any = (), **others: Any) -> str:
    """Give the HTML of the page while the mapper says this."""
    mapper.states[STUDY_UID] = study_state(STUDY_UID, **{"state": "parked", **others})
    mapper.histories[STUDY_UID] = list(history)
    answer = sdk.request("GET", STUDY_URI + "/page")
    assert answer.status == 200
    return answer.body.decode()


def rows(html: str) -> list[list[str]]:
    """Give the texts of the cells of all rows of all tables."""
    return [
        [unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<td>(.*?)</td>", row)]
        for row in re.findall(r"<tr>(<td>.*?)</tr>", html)
    ]


def test_it_shows_which_problems_and_which_syncs(sdk: Sdk, mapper: MapperFake) -> None:
    fine = {**SYNC, "fate": "synced", "failure": None, "attempts": 1, "seconds": 0.06}
    html = page_of(sdk, mapper, [SYNC, fine], problems=[PROBLEM, {**PROBLEM, "attribute": ""}])
    assert rows(html) == [
        ["Patient.birthDate", "PatientBirthDate", "no date of DICOM"],
        ["Patient.birthDate", "", "no date of DICOM"],
        ["2026-01-02 03:04:06 UTC", "1.25 s", "parked", "BundleRejected", "3"],
        ["2026-01-02 03:04:06 UTC", "0.06 s", "synced", "", "1"],
    ]


def test_it_shows_the_failure_and_what_to_do(sdk: Sdk, mapper: MapperFake) -> None:
    html = page_of(sdk, mapper, failure="BundleRejected", remedy=DO)
    assert "<dt>Failure</dt><dd>BundleRejected</dd>" in html
    assert "Look at <code>orthanc-fhir doctor</code> &lt;b&gt;now&lt;/b&gt;" in html


def test_without_problems_or_syncs_it_says_so(sdk: Sdk, mapper: MapperFake) -> None:
    html = page_of(sdk, mapper)
    assert not rows(html)
    assert "None is known." in html
    assert "No sync of it is remembered." in html
    assert "None<" not in html


WAYS_ON = {
    "the mapper's page": (PUBLIC, f'href="{PUBLIC}/studies/{STUDY_UID}" target="_blank" rel="noopener noreferrer"'),
    "with a slash": (PUBLIC + "/", f'href="{PUBLIC}/studies/{STUDY_UID}"'),
    "escaped": (PUBLIC + '/"<', f'href="{PUBLIC}/&quot;&lt;/studies/{STUDY_UID}"'),
    "not set": (None, f"<code>orthanc-fhir explain {STUDY_UID}</code>"),
    "set to nothing": ("", f"<code>orthanc-fhir explain {STUDY_UID}</code>"),
}


@pytest.mark.parametrize(("public", "shown"), WAYS_ON.values(), ids=WAYS_ON.keys())
def test_the_way_on_leads_to_the_mapper(load: Load, mapper: MapperFake, public: str | None, shown: str) -> None:
    sdk = started(load, mapper, public)
    html = page_of(sdk, mapper)
    assert shown in html
    told = sdk.request("GET", STUDY_URI).json["page_url"]
    assert told == (f"{public.rstrip('/')}/studies/{STUDY_UID}" if public else None)


def test_the_way_on_is_never_the_mappers_word(sdk: Sdk, mapper: MapperFake) -> None:
    assert "evil.example" not in page_of(sdk, mapper, page_url="https://evil.example/")


@pytest.mark.parametrize("public", ["pacs", "javascript:alert(1)", "ftp://pacs", "https://u:p@pacs", "https://pacs/?x"])
def test_a_wrong_address_of_the_mapper_is_said(load: Load, mapper: MapperFake, public: str) -> None:
    [line] = started(load, mapper, public).log
    assert line.startswith("FhirSync: silent: FhirSync.MapperPublicUrl")
    assert public not in line


def started(load: Load, mapper: MapperFake, public: str | None) -> Sdk:
    configuration = settings(mapper.url, TOKEN)
    configuration["FhirSync"]["MapperPublicUrl"] = public
    sdk = load(configuration)[1]
    sdk.studies[ID] = STUDY
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    return sdk


EVIL = "<script>alert(1)</script>\"'&"
HOSTILE: dict[str, tuple[State, list[Any]]] = {
    "an element": ({"problems": [{**PROBLEM, "element": EVIL}]}, []),
    "an attribute": ({"problems": [{**PROBLEM, "attribute": EVIL}]}, []),
    "a reason": ({"problems": [{**PROBLEM, "reason": EVIL}]}, []),
    "a fate": ({}, [{**SYNC, "fate": EVIL}]),
    "a failure of a sync": ({}, [{**SYNC, "failure": EVIL}]),
    "a time": ({}, [{**SYNC, "ended": EVIL}]),
    "a number": ({}, [{**SYNC, "attempts": EVIL}]),
    "a state": ({"state": EVIL}, []),
    "a failure": ({"failure": EVIL}, []),
    "a remedy": ({"remedy": EVIL}, []),
    "a command of a remedy": ({"remedy": f"`{EVIL}`"}, []),
    "when it was synced": ({"synced_at": EVIL}, []),
}


@pytest.mark.parametrize(("state", "history"), HOSTILE.values(), ids=HOSTILE.keys())
def test_all_that_comes_is_escaped(sdk: Sdk, mapper: MapperFake, state: State, history: list[Any]) -> None:
    html = page_of(sdk, mapper, history, **state)
    assert html.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;" in html


ODD: dict[str, tuple[State, Any]] = {
    "problems that are a number": ({"problems": 3}, []),
    "problems that are a text": ({"problems": "abc"}, []),
    "problems that are none": ({"problems": ["a", 5, None, [PROBLEM]]}, []),
    "an empty problem": ({"problems": [{}]}, []),
    "a problem of other kinds": ({"problems": [{"element": [1], "attribute": {"a": 1}, "reason": 5}]}, []),
    "syncs that are none": ({}, ["a", 5, None]),
    "an empty sync": ({}, [{}]),
    "a sync of other kinds": ({}, [{"ended": 5, "seconds": "1", "fate": [], "failure": {}, "attempts": True}]),
    "seconds without bound": ({}, [{**SYNC, "seconds": 10**307}]),
    "a remedy of another kind": ({"remedy": [5]}, []),
    "a failure of another kind": ({"failure": {"a": 5}}, []),
    "a moment of another kind": ({"synced_at": 5}, []),
}


@pytest.mark.parametrize(("state", "history"), ODD.values(), ids=ODD.keys())
def test_an_odd_answer_is_shown_as_far_as_it_goes(sdk: Sdk, mapper: MapperFake, state: State, history: Any) -> None:
    html = page_of(sdk, mapper, history, **state)
    assert "FHIR: parked" in html
    assert not sdk.log


@pytest.mark.parametrize("history", [None, 5, "abc", {"a": 1}, [[SYNC]]], ids=str)
def test_a_history_of_another_kind_is_none(sdk: Sdk, mapper: MapperFake, history: Any) -> None:
    told = json.dumps({**study_state(STUDY_UID), "history": history}).encode()
    mapper.answer = lambda method, path: (200, told) if method == "GET" else None
    html = sdk.request("GET", STUDY_URI + "/page").body.decode()
    assert "No sync of it is remembered." in html


def test_a_mapper_that_tells_no_history_yet_is_understood(sdk: Sdk, mapper: MapperFake) -> None:
    """A release before it had a history takes no notice of the question."""
    old = dict.fromkeys(("message", "synced_at", "fhir_url")) | {"study_uid": STUDY_UID, "state": "synced"}
    mapper.answer = lambda method, path: (200, json.dumps({**old, "problems": []}).encode())
    html = sdk.request("GET", STUDY_URI + "/page").body.decode()
    assert "FHIR: synced" in html
    assert "No sync of it is remembered." in html


def test_it_is_bounded(sdk: Sdk, mapper: MapperFake) -> None:
    long = dict.fromkeys(PROBLEM, "x" * 5000)
    html = page_of(sdk, mapper, [SYNC] * 20, problems=[long] * 250)
    shown = rows(html)
    assert len(shown) == 200 + 20
    assert "and 50 more" in html
    assert all(len(cell) <= 1001 for row in shown for cell in row)
    telling = [{**SYNC, "failure": "x" * 5000}] * 500
    mapper.answer = lambda method, path: (
        200,
        json.dumps({**study_state(STUDY_UID), "history": telling}).encode(),
    )
    assert len(rows(sdk.request("GET", STUDY_URI + "/page").body.decode())) == 20
