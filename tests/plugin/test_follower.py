"""What labels follow: changes stored late, studies of several sources, pages that are too large or go wrong."""

import sys
import threading
from typing import Any

import pytest

from mapper.ledger.ledger import Ledger
from mapper.ledger.studies import Ending
from tests.support.fakes import Clock
from tests.support.followed import follower, of, settings, site
from tests.support.loaded import ID, JSON, OTHER_ID, STUDY, STUDY_URI, Load, load, mapper
from tests.support.mapper_fake import Answer, MapperFake
from tests.support.served import Served
from tests.support.situations import A, B, Site

__all__ = ["load", "mapper", "site"]


def url(served: Served) -> str:
    return f"http://127.0.0.1:{served.port}"


def set_limit(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(sys.modules["fhir_sync_listing"], "LIMIT", limit)


def through(follow: Any) -> None:
    """Go through all studies."""
    for _ in range(30):
        follow.turn()
        if follow.all is None:
            return
    raise AssertionError("no end")


def mark_late(site: Site, seconds: float, uid: str) -> None:
    """Mark a study as a replica does whose clock is behind, or whose write had to wait."""
    clock = Clock(site.world.clock() - seconds)
    Ledger(site.world.database, clock).studies.mark(site.world.source.name, [uid])


# -- changes that are stored late ----------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 100])
@pytest.mark.parametrize("seconds", [0, 1, 3, 5, 31, 89])
def test_a_change_is_seen_that_is_stored_late(
    load: Load, site: Site, monkeypatch: pytest.MonkeyPatch, seconds: int, limit: int
) -> None:
    for uid in (A, B):
        site.world.source.store(uid)
    site.triggers.turn()
    site.world.work()
    with Served(site.app) as served:
        follow, sdk = follower(load, url(served))
        set_limit(monkeypatch, limit)
        through(follow)
        assert sdk.labels == {ID: {"fhir-synced"}, OTHER_ID: {"fhir-synced"}}
        site.world.clock.forward(300)
        site.world.mark(B)
        follow.turn()
        mark_late(site, seconds, A)
        follow.looked -= 10  # seconds go by
        follow.turn()
        follow.turn()
        assert sdk.labels == {ID: {"fhir-pending"}, OTHER_ID: {"fhir-pending"}}


def test_far_back_is_looked_only_while_something_may_come_late(load: Load, site: Site) -> None:
    site.world.mark(A)
    with Served(site.app) as served:
        follow, _ = follower(load, url(served))
        through(follow)
        first = follow.newest
        site.world.clock.forward(300)
        site.world.mark(B)
        follow.turn()
        assert follow.newest > first
        asked = set()
        for _ in range(3):
            follow.looked -= 10
            follow.turn()
            asked.add(follow.since)
        assert max(asked) < follow.newest, "it may come late"
        for seconds in (200, 10):  # go by
            follow.late -= seconds
            follow.looked -= seconds
            follow.turn()
        assert follow.since > max(asked), "it cannot any more"


def test_what_a_button_showed_is_looked_at_again(load: Load, site: Site) -> None:
    """The outcome may have been stored, and shown, before the button's answer came."""
    site.world.source.store(A)
    site.triggers.turn()
    site.world.work()
    with Served(site.app) as served:
        follow, sdk = follower(load, url(served))
        through(follow)
        follow.turn()
        follow.press(ID, "pending")
        assert sdk.labels == {ID: {"fhir-pending"}}
        follow.turn()
        assert sdk.labels == {ID: {"fhir-synced"}}
        sdk.labels.clear()
        follow.press(ID, "synced")
        assert sdk.labels == {}, "shown already, as far as is known"
        follow.turn()
        assert sdk.labels == {ID: {"fhir-synced"}}


# -- studies of several sources ------------------------------------------------------------------------------

HERE, THERE = "orthanc", "other"
SYNCED, FAILED = {"fhir-synced"}, {"fhir-failed"}
COURSES: dict[str, tuple[list[tuple[str, Ending]], set[str]]] = {
    "removed there long ago, synced here": ([(THERE, "gone"), (HERE, "done")], SYNCED),
    "synced here, removed there": ([(HERE, "done"), (THERE, "gone")], SYNCED),
    "failed here, removed there": ([(HERE, "refused"), (THERE, "gone")], FAILED),
    "failed there, then synced here": ([(THERE, "refused"), (HERE, "done")], SYNCED),
    "synced here, then failed there": ([(HERE, "done"), (THERE, "refused")], FAILED),
    "removed here, then synced there": ([(HERE, "gone"), (THERE, "done")], SYNCED),
    "removed by both": ([(HERE, "gone"), (THERE, "gone")], set()),
    "removed by the only one": ([(HERE, "gone")], set()),
}


def end(site: Site, source: str, uid: str, how: Ending) -> None:
    site.world.clock.forward(10)
    site.world.mark(uid, source=source)
    [claim] = site.world.ledger.studies.claim([source])
    assert site.world.ledger.studies.finish(claim, how)


@pytest.mark.parametrize("limit", [1, 100])
@pytest.mark.parametrize("when", ["before the start", "while it follows", "one by one"])
@pytest.mark.parametrize(("course", "labels"), COURSES.values(), ids=COURSES)
def test_the_source_that_has_it_and_changed_last_counts(
    load: Load,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    course: list[tuple[str, Ending]],
    labels: set[str],
    when: str,
    limit: int,
) -> None:
    with Served(site.app) as served:
        follow, sdk = follower(load, url(served))
        set_limit(monkeypatch, limit)
        end(site, HERE, B, "done")
        if when != "before the start":
            through(follow)
        sdk.labels[ID] = {"fhir-pending", "urgent"}
        for source, how in course:
            end(site, source, A, how)
            end(site, THERE, f"1.2.3.{how}1", "done")  # stands between them in the list
            if when == "one by one":
                follow.turn()
        through(follow)
        follow.turn()
        assert sdk.labels[ID] == labels | {"urgent"}
        assert sdk.labels[OTHER_ID] == SYNCED
        follow.again = 0.0  # a day later
        follow.turn()
        through(follow)
        assert sdk.labels[ID] == labels | {"urgent"}


# -- pages that are too large, or go wrong -------------------------------------------------------------------


def test_a_page_that_is_too_large_is_asked_for_in_parts(
    load: Load, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    uids = {f"{number:08x}" + "-00000000" * 4: f"1.2.3.{number}" for number in range(23)}
    site.world.mark(*uids.values())
    with Served(site.app) as served:
        follow, sdk = follower(load, url(served))
        for module in ("fhir_sync_listing", "fhir_sync_mapper"):
            monkeypatch.setattr(sys.modules[module], "ANSWER", 2000)
        sdk.studies = {id: of(uid) for id, uid in uids.items()}
        through(follow)
        assert sdk.labels == {id: {"fhir-pending"} for id in uids}
        site.world.clock.forward(30)
        for uid in uids.values():
            site.world.source.store(uid)
        site.world.work()
        for _ in range(3):
            follow.turn()
        assert sdk.labels == {id: {"fhir-synced"} for id in uids}


@pytest.mark.parametrize("place", ["after", "all"])
def test_a_place_that_the_mapper_does_not_take_is_dropped(load: Load, site: Site, place: str) -> None:
    site.world.mark(A, B)
    with Served(site.app) as served:
        follow, sdk = follower(load, url(served))
        if place == "after":
            through(follow)
            site.world.clock.forward(30)
            site.world.source.store(A)
            site.world.work()
        setattr(follow, place, "of-an-earlier-release")
        with pytest.raises(sys.modules["fhir_sync_mapper"].Silence):
            follow.turn()
        follow.turn()
        assert sdk.labels[ID] == ({"fhir-synced"} if place == "after" else {"fhir-pending"})


def test_a_place_outlasts_a_mapper_that_is_away(load: Load, site: Site) -> None:
    with Served(site.app) as served:
        follow, _ = follower(load, url(served))
    follow.all = "a place"
    with pytest.raises(sys.modules["fhir_sync_mapper"].Away):
        follow.turn()
    assert follow.all == "a place"


def test_labels_never_have_the_whole_ledger_counted(load: Load, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.world.mark(A)

    def refuse() -> None:
        raise AssertionError("counted")

    monkeypatch.setattr(site.world.ledger.rows, "counts", refuse)
    with Served(site.app) as served:
        follow, sdk = follower(load, url(served))
        for _ in range(3):
            follow.turn()
        end(site, HERE, A, "gone")
        follow.turn()
        assert sdk.labels == {ID: set()}


def test_labels_that_wait_too_long_leave_the_buttons_as_they_are(load: Load, mapper: MapperFake) -> None:
    plugin, sdk = load(settings(mapper.url))
    sdk.started, sdk.studies = True, {ID: STUDY}
    released = threading.Event()

    def hang(method: str, path: str) -> Answer | None:
        if not path.startswith("/api/studies?"):
            return None
        released.wait(30)
        return 200, b"{}"

    mapper.answer = hang
    with pytest.raises(sys.modules["fhir_sync_mapper"].Away):
        plugin.FOLLOWER.turn()
    assert sdk.request("POST", STUDY_URI, "{}", JSON).json["state"] == "synced"
    released.set()
