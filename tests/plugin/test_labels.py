"""Labels in Orthanc: a copy of the mapper's states, of three labels that are ours, and never in anybody's way."""

import json
import sys
from typing import Any

import pytest

from mapper.ledger.state import STATES
from tests.support.explorer2 import CONFIGURATION
from tests.support.followed import follower, of, settings, site
from tests.support.loaded import ID, JSON, OTHER, OTHER_ID, STUDY, STUDY_UID, STUDY_URI, Load, load, mapper
from tests.support.mapper_fake import MapperFake, study_state, until
from tests.support.orthanc_fake import ChangeType, ResourceType
from tests.support.served import Served
from tests.support.situations import TOKEN, A, B, Site

__all__ = ["load", "mapper", "site"]

OURS = {"fhir-pending", "fhir-synced", "fhir-failed"}
LABELS = {
    "pending": {"fhir-pending"},
    "syncing": {"fhir-pending"},
    "retrying": {"fhir-pending"},
    "synced": {"fhir-synced"},
    "parked": {"fhir-failed"},
    "removed": set[str](),
}


# -- one study ---------------------------------------------------------------------------------------------


def test_every_state_has_its_label() -> None:
    assert LABELS.keys() == set(STATES)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("before", sorted(OURS))
def test_one_label_of_ours_stands_and_no_other_is_touched(load: Load, state: str, before: str) -> None:
    plugin, sdk = load(settings("http://127.0.0.1:1"))
    sdk.started, sdk.studies, sdk.labels = True, {ID: STUDY}, {ID: {"urgent", "fhir-pending-review", before}}
    plugin.FOLLOWER.labels.show(ID, state)
    assert sdk.labels[ID] == {"urgent", "fhir-pending-review"} | LABELS[state]
    assert {label for _, label in sdk.writes} <= OURS


@pytest.mark.parametrize("state", ["unreachable", "", "a state of a later release"])
def test_what_is_not_known_changes_nothing(load: Load, state: str) -> None:
    plugin, sdk = load(settings("http://127.0.0.1:1"))
    sdk.started, sdk.studies = True, {ID: STUDY}
    plugin.FOLLOWER.labels.show(ID, state)
    assert sdk.writes == []


def test_a_study_that_is_gone_is_no_failure(load: Load) -> None:
    plugin, sdk = load(settings("http://127.0.0.1:1"))
    sdk.started = True
    plugin.FOLLOWER.labels.show(ID, "synced")
    assert (sdk.writes, sdk.log) == ([], [])


# -- the thread, against the mapper's own API ----------------------------------------------------------------


def test_all_studies_are_gone_through_once_and_then_what_changes(load: Load, site: Site) -> None:
    for uid in (A, B):
        site.world.source.store(uid)
    site.triggers.turn()
    with Served(site.app) as served:
        follow, sdk = follower(load, f"http://127.0.0.1:{served.port}")
        follow.turn()
        assert sdk.labels == {ID: {"fhir-pending"}, OTHER_ID: {"fhir-pending"}}
        site.world.clock.forward(30)
        site.world.work()
        follow.turn()
        assert sdk.labels == {ID: {"fhir-synced"}, OTHER_ID: {"fhir-synced"}}
        sdk.writes.clear()
        for _ in range(5):
            follow.turn()
        assert sdk.writes == [], "nothing changed, nothing is written"
        site.world.clock.forward(30)
        site.world.mark(B)
        follow.turn()
        assert sdk.labels == {ID: {"fhir-synced"}, OTHER_ID: {"fhir-pending"}}


def test_more_studies_than_a_page_has_are_all_gone_through(
    load: Load, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    uids = {f"{number:08x}" + "-00000000" * 4: f"1.2.3.{number}" for number in range(23)}
    with Served(site.app) as served:
        follow, sdk = follower(load, f"http://127.0.0.1:{served.port}")
        monkeypatch.setattr(sys.modules["fhir_sync_listing"], "LIMIT", 5)
        sdk.studies = {id: of(uid) for id, uid in uids.items()}
        follow.turn()
        assert follow.newest is None, "an empty ledger: it goes on asking"
        site.world.mark(*uids.values())
        for _ in range(5):
            follow.turn()
        assert follow.all is None
        assert sdk.labels == {id: {"fhir-pending"} for id in uids}
        site.world.clock.forward(30)
        for uid in uids.values():
            site.world.source.store(uid)
        site.world.work()
        follow.turn()
        assert sdk.labels == {id: {"fhir-synced"} for id in uids}


def test_labels_that_others_took_away_are_back_a_day_later(load: Load, site: Site) -> None:
    site.world.mark(A)
    with Served(site.app) as served:
        follow, sdk = follower(load, f"http://127.0.0.1:{served.port}")
        follow.turn()
        sdk.labels.clear()
        follow.turn()
        assert sdk.labels == {}
        follow.again = 0.0
        follow.turn()
        assert sdk.labels == {ID: {"fhir-pending"}}


def test_a_mapper_that_was_away_is_followed_again(load: Load, site: Site) -> None:
    site.world.mark(A)
    with Served(site.app) as served:
        port = served.port
    plugin, sdk = load(settings(f"http://127.0.0.1:{port}", TOKEN))
    sdk.studies = {ID: of(A)}
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    until(lambda: sdk.log)
    assert sdk.log == ["FhirSync: labels wait for the mapper: " + sdk.log[0].partition("mapper: ")[2]]
    served = Served(site.app)
    plugin.FOLLOWER.mapper.url = plugin.FOLLOWER.mapper.url._replace(netloc=f"127.0.0.1:{served.port}")
    with served:
        until(lambda: sdk.labels == {ID: {"fhir-pending"}})
    sdk.change(ChangeType.ORTHANC_STOPPED, ResourceType.NONE, "")
    assert not plugin.FOLLOWER.thread.is_alive()


# -- the buttons ---------------------------------------------------------------------------------------------


def test_a_button_shows_its_state_before_it_answers(load: Load, mapper: MapperFake) -> None:
    plugin, sdk = load(settings(mapper.url))
    sdk.started, sdk.studies = True, {ID: STUDY, OTHER_ID: OTHER}
    plugin.MAPPER.follower = plugin.FOLLOWER
    mapper.on_sync = lambda uid, wait: study_state(uid, "parked" if uid == STUDY_UID else "pending")
    assert sdk.request("POST", STUDY_URI, "{}", JSON).json["state"] == "parked"
    assert sdk.labels == {ID: {"fhir-failed"}}
    assert plugin.FOLLOWER.pressed.is_set()
    body = json.dumps({"ids": [ID, OTHER_ID]})
    assert sdk.request("POST", "/fhir-sync/bulk", body, JSON).status == 200
    assert sdk.labels == {ID: {"fhir-failed"}, OTHER_ID: {"fhir-pending"}}
    sdk.writes.clear()
    sdk.request("GET", STUDY_URI)
    assert sdk.writes == [], "to look changes nothing"


@pytest.mark.parametrize("error", [RuntimeError("hidden"), ValueError(), KeyError("hidden"), IndexError()], ids=repr)
def test_a_label_that_goes_wrong_takes_no_answer_of_a_button_with_it(
    load: Load, mapper: MapperFake, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    plugin, sdk = load(settings(mapper.url))
    sdk.started, sdk.studies = True, {ID: STUDY, OTHER_ID: OTHER}
    plugin.MAPPER.follower = plugin.FOLLOWER

    def fail(uri: str, body: bytes) -> None:
        raise error

    monkeypatch.setattr(sys.modules["orthanc"], "RestApiPut", fail)
    assert sdk.request("POST", STUDY_URI, "{}", JSON).json["state"] == "synced"
    body = json.dumps({"ids": [ID, OTHER_ID]})
    assert len(sdk.request("POST", "/fhir-sync/bulk", body, JSON).json["studies"]) == 2
    [line] = sdk.log
    assert type(error).__name__ in line
    assert "hidden" not in line
    assert plugin.FOLLOWER.pressed.is_set(), "the thread tries again"


def test_both_threads_hear_of_the_stop_before_either_is_waited_for(load: Load, mapper: MapperFake) -> None:
    plugin, sdk = load(settings(mapper.url))
    heard: list[bool] = []
    plugin.BELL.join = lambda: heard.append(plugin.FOLLOWER.stopping.is_set())
    plugin.FOLLOWER.join = lambda: heard.append(plugin.BELL.stopping.is_set())
    sdk.change(ChangeType.ORTHANC_STOPPED, ResourceType.NONE, "")
    assert heard == [True, True]
    sdk.started, sdk.studies = True, {ID: STUDY}
    plugin.FOLLOWER.press(ID, "synced")
    assert sdk.writes == [], "no label is written while Orthanc stops"


# -- where there are none --------------------------------------------------------------------------------------

OLD: dict[str, Any] = {"Version": "1.10.1"}
EXPLORER2 = ["orthanc-explorer-2", "python"]
OBSTACLES: dict[str, tuple[dict[str, Any], Any, str]] = {
    "an Orthanc without labels": ({"/system": OLD}, False, "Orthanc 1.12"),
    "a database without labels": ({"/system": {"Version": "1.12.7", "HasLabels": False}}, False, "Orthanc 1.12"),
    "Explorer 2 edits labels": ({"/plugins": EXPLORER2}, True, "EnableEditLabels"),
    "Explorer 2 by its default": ({"/plugins": EXPLORER2}, None, "EnableEditLabels"),
    "Explorer 2 by a text": ({"/plugins": EXPLORER2}, "false", "EnableEditLabels"),
}


@pytest.mark.parametrize(("pages", "editor", "why"), OBSTACLES.values(), ids=OBSTACLES)
def test_an_orthanc_that_must_not_get_labels_says_so_once_and_works_on(
    load: Load, mapper: MapperFake, pages: dict[str, Any], editor: Any, why: str
) -> None:
    plugin, sdk = load(settings(mapper.url, editor=editor))
    sdk.studies, sdk.pages = {ID: STUDY}, sdk.pages | pages
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    plugin.FOLLOWER.thread.join(5)
    assert not plugin.FOLLOWER.thread.is_alive()
    [line] = sdk.log
    assert "no labels are written" in line
    assert why in line
    assert sdk.request("POST", STUDY_URI, "{}", JSON).json["state"] == "synced"
    assert sdk.writes == []
    sdk.change(ChangeType.STABLE_STUDY)
    until(lambda: mapper.rings)


WANTED = {True: True, "true": True, "TRUE": True, False: False, "false": False, "": False}


@pytest.mark.parametrize(("said", "wanted"), WANTED.items())
def test_labels_are_opt_in(load: Load, said: Any, wanted: bool) -> None:
    plugin, sdk = load(settings("http://127.0.0.1:1", labels=said))
    assert (plugin.FOLLOWER is not None) is wanted
    assert sdk.log == []


@pytest.mark.parametrize("said", ["yes", 1, [], "hidden"])
def test_a_setting_that_is_neither_is_said_and_the_rest_works(load: Load, said: Any) -> None:
    plugin, sdk = load(settings("http://127.0.0.1:1", labels=said))
    assert plugin.FOLLOWER is None
    [line] = sdk.log
    assert "FhirSync.Labels must be true or false" in line
    assert "hidden" not in line
    assert sdk.routes


def test_the_configuration_that_is_shipped_keeps_explorer_2_from_writing_old_labels_back() -> None:
    """Labels are off there, and whoever turns them on finds the editor's setting beside it in the plugin's README."""
    shipped = json.loads(CONFIGURATION.read_text())
    options = shipped["OrthancExplorer2"]["UiOptions"]
    assert shipped["FhirSync"]["Labels"] == "${ORTHANC_FHIR_LABELS:-false}"
    assert "EnableEditLabels" not in options, "labels of the site's own may be edited as long as there are none of ours"
    readme = (CONFIGURATION.parent / "orthanc_plugin/README.md").read_text()
    (example,) = [json.loads(one.partition("```")[0]) for one in readme.split("```json\n") if '"Labels"' in one]
    assert example["FhirSync"]["Labels"] is True
    assert example["OrthancExplorer2"]["UiOptions"]["EnableEditLabels"] is False
