"""What every feed does, for sources that have one: the fake that other tests trust, and a real Orthanc, old and new."""

import pytest

from mapper.errors import SourceDown
from mapper.sources.fingerprint import moved
from mapper.sources.source import Feed
from tests.contract.archives import Archive
from tests.contract.looks import settled
from tests.support.http_fake import wait_until


def feed_of(archive: Archive) -> Feed:
    """Return the feed of an archive that has one."""
    assert archive.source.feed is not None
    return archive.source.feed


def test_of_an_archive_that_holds_nothing_nothing_is_told(empty: Archive) -> None:
    cursor = feed_of(empty).changes(None).cursor
    assert feed_of(empty).changes(cursor).study_uids == ()


def test_changes_tell_what_became_stable_once(shared: Archive, uid: str) -> None:
    cursor = feed_of(shared).changes(None).cursor
    shared.store(uid, 1, stable=False)
    assert uid not in feed_of(shared).changes(cursor).study_uids
    shared.store(uid, 2)
    told: list[str] = []

    def follow() -> bool:
        nonlocal cursor
        found = feed_of(shared).changes(cursor)
        assert not found.sweep
        assert found.cursor >= cursor
        told.extend(found.study_uids)
        cursor = found.cursor
        return uid in told

    wait_until(follow, 20)
    assert told.count(uid) == 1
    assert feed_of(shared).changes(cursor).study_uids == ()


def test_changes_do_not_tell_of_what_is_gone_again(shared: Archive, uid: str) -> None:
    cursor = feed_of(shared).changes(None).cursor
    shared.store(uid)
    shared.delete(uid)
    assert uid not in feed_of(shared).changes(cursor).study_uids


def test_a_cursor_beyond_the_log_belongs_to_another_database(shared: Archive, uid: str) -> None:
    shared.store(uid)
    now = feed_of(shared).changes(None).cursor
    beyond = feed_of(shared).changes(now + 1_000_000)
    assert beyond.sweep
    assert beyond.cursor <= now + 10


def test_recent_studies_are_told_or_it_says_that_it_cannot(shared: Archive, uid: str) -> None:
    shared.store(uid)
    before = settled(shared, uid)
    found = feed_of(shared).recent(before.fingerprint)
    assert found is None or uid in [one.study_uid for one in found]
    when = [moved(one.fingerprint) for one in found or []]
    assert when == sorted(when, reverse=True), "the newest first"
    assert all(moved(before.fingerprint) <= one for one in when), "nothing older"
    assert feed_of(shared).recent("") is None


@pytest.mark.filterwarnings("ignore::UserWarning")  # of the writer: that is what these files are for
def test_changes_name_a_study_whose_uid_cannot_stand_in_a_url_by_the_sources_own_id(shared: Archive, uid: str) -> None:
    before = {one.id for one in shared.source.listing()}
    cursor = feed_of(shared).changes(None).cursor
    shared.store(f"{uid}/../x", patient="P3")
    (found,) = [one for one in shared.source.listing() if one.id not in before]
    wait_until(lambda: found.id in feed_of(shared).changes(cursor).study_uids, 20)
    shared.forget(found.id)


def test_a_feed_that_is_down(empty: Archive) -> None:
    empty.stop()
    for cursor in (None, 1):
        with pytest.raises(SourceDown):
            feed_of(empty).changes(cursor)
