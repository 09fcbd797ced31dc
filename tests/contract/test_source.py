"""What every source of studies does: the fake that other tests trust, and a real Orthanc, old and new."""

import re

import pytest

from mapper.errors import BadUID, SourceDown, StudyGone, TwoPatients
from mapper.finding import Finding
from mapper.sources.fingerprint import YOUNG, grown, moved
from tests.contract.archives import Archive
from tests.contract.looks import settled, sightings


def test_an_archive_that_holds_nothing(empty_any: Archive) -> None:
    assert list(empty_any.source.listing()) == []
    assert empty_any.source.count() == 0


def test_a_stored_study_is_listed_counted_and_read(empty_any: Archive) -> None:
    empty_any.store("1.2.1", 1, stable=False)
    empty_any.store("1.2.1", 2)
    (found,) = empty_any.source.listing()
    assert found.study_uid == "1.2.1"
    assert found.stable
    assert empty_any.source.count() == 1
    reading = empty_any.source.read("1.2.1", [])
    assert reading.study.uid == "1.2.1"
    assert [instance.uid for series in reading.study.series for instance in series.instances] == [
        "1.2.1.1.1",
        "1.2.1.1.2",
    ]
    assert reading.study.item["PatientID"] == "P1"
    assert reading.sighting.id == found.id


def test_a_study_is_unstable_while_more_is_expected(shared: Archive, uid: str) -> None:
    shared.store(uid, 1, stable=False)
    (found,) = sightings(shared, uid)
    assert not found.stable
    shared.store(uid, 2)
    (found,) = sightings(shared, uid)
    assert found.stable


def test_what_was_never_there_is_gone(shared_any: Archive, uid: str) -> None:
    with pytest.raises(StudyGone, match=uid):
        shared_any.source.read(uid, [])
    with pytest.raises(StudyGone):
        shared_any.source.read(uid, ["8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d"])


@pytest.mark.filterwarnings("ignore:Invalid value:UserWarning")  # letters in a UID: archives hold them
def test_only_a_study_that_is_there_under_exactly_this_uid_is_held(shared_any: Archive, uid: str) -> None:
    """Orthanc's own lookup finds other identifiers too, and a UID of letters in any case."""
    named, lettered = f"acc{uid[-9:]}", f"{uid}.abc"
    shared_any.store(uid, patient=f"pat{uid[-9:]}", stable=False, AccessionNumber=named)
    shared_any.store(lettered, stable=False)
    holds = shared_any.source.holds
    assert holds(uid)
    assert holds(lettered)
    for other in (named, f"pat{uid[-9:]}", f"{uid}.1", f"{uid}.1.1", uid[:-1], f"{uid}0", lettered.upper(), "9.9.9"):
        assert not holds(other), other
    shared_any.delete(uid, f"pat{uid[-9:]}")
    assert not holds(uid)


def test_a_study_under_two_patients_is_held(shared: Archive, uid: str) -> None:
    shared.store(uid, 1, "P1", stable=False)
    shared.store(uid, 2, "P2", stable=False)
    assert shared.source.holds(uid)


def test_a_deleted_study_is_gone(shared_any: Archive, uid: str) -> None:
    shared_any.store(uid)
    (found,) = sightings(shared_any, uid)
    before = shared_any.source.count()
    shared_any.delete(uid)
    assert sightings(shared_any, uid) == []
    assert shared_any.source.count() == before - 1
    with pytest.raises(StudyGone):
        shared_any.source.read(uid, [found.id])


def test_a_study_that_came_back_is_read_again(shared_any: Archive, uid: str) -> None:
    shared_any.store(uid)
    shared_any.delete(uid)
    shared_any.store(uid)
    assert shared_any.source.read(uid, []).study.uid == uid


def test_one_study_under_two_patients_is_found_before_it_is_read(shared: Archive, uid: str) -> None:
    shared.store(uid, 1, "P1")
    shared.store(uid, 2, "P2")
    found = sightings(shared, uid)
    assert len({one.id for one in found}) == 2
    with pytest.raises(TwoPatients) as failed:
        shared.source.read(uid, [])
    seen = {id: grown(fingerprint) for id, fingerprint in failed.value.seen.items()}
    assert seen == {one.id: grown(one.fingerprint) for one in found}, "as the listing shows them"
    assert "P1" not in str(failed.value).replace(found[0].id, "").replace(found[1].id, "")
    shared.delete(uid, "P1")
    assert shared.source.read(uid, [one.id for one in found]).study.item["PatientID"] == "P2"


@pytest.mark.filterwarnings("ignore::UserWarning")  # of the writer: that is what these files are for
@pytest.mark.parametrize("odd", ["{}/../x", "{}?x=1", "{} .1'", "{}" + "1" * 65], ids=repr)
def test_a_study_whose_uid_cannot_stand_in_a_url_is_known_by_the_sources_own_id(
    shared: Archive, uid: str, odd: str
) -> None:
    before = {one.id for one in shared.source.listing()}
    shared.store(odd.format(uid), patient="P3")
    (found,) = [one for one in shared.source.listing() if one.id not in before]
    assert found.study_uid == found.id
    assert shared.source.holds(found.id)
    assert not shared.source.holds(odd.format(uid))
    with pytest.raises(BadUID, match=re.escape(found.id)):
        shared.source.read(found.id, [found.id])
    shared.forget(found.id)
    assert not shared.source.holds(found.id)
    with pytest.raises(StudyGone):
        shared.source.read(found.id, [found.id])


def test_a_fingerprint_stays_as_long_as_the_study_does(shared_any: Archive, uid: str) -> None:
    shared_any.store(uid)
    before = settled(shared_any, uid)
    shared_any.source.read(uid, [])
    assert settled(shared_any, uid) == before
    assert shared_any.source.read(uid, []).sighting.fingerprint == before.fingerprint


def test_a_fingerprint_moves_when_an_instance_comes(shared_any: Archive, uid: str) -> None:
    shared_any.store(uid, 1)
    before = settled(shared_any, uid)
    shared_any.store(uid, 2)
    after = settled(shared_any, uid)
    assert after.id == before.id
    assert after.fingerprint != before.fingerprint
    assert shared_any.source.read(uid, []).study.instances == 2


def test_a_fingerprint_moves_when_an_instance_goes(shared_any: Archive, uid: str) -> None:
    shared_any.store(uid, 1)
    shared_any.store(uid, 2)
    before = settled(shared_any, uid)
    shared_any.delete_instance(uid, 2)
    after = settled(shared_any, uid)
    assert after.fingerprint != before.fingerprint
    assert shared_any.source.read(uid, []).study.instances == 1


def test_with_its_last_instance_a_study_goes(shared_any: Archive, uid: str) -> None:
    shared_any.store(uid)
    shared_any.delete_instance(uid, 1)
    assert sightings(shared_any, uid) == []
    with pytest.raises(StudyGone):
        shared_any.source.read(uid, [])


def test_fingerprints_sort_as_the_studies_moved(shared: Archive, uid: str) -> None:
    """The sweep takes the least and the greatest of them: of two studies, and of one that moves again."""
    first, second = f"{uid}.1", f"{uid}.2"
    shared.store(first, 1)
    before = settled(shared, first).fingerprint
    shared.store(second, 1)
    after = settled(shared, second).fingerprint
    assert before < after
    assert moved(before) < moved(after)
    shared.store(first, 2)
    again = settled(shared, first).fingerprint
    assert max(before, after, again) == again
    assert min(before, after, again) == before


def test_young_is_the_last_word_of_a_fingerprint_or_none_of_it(shared: Archive, uid: str) -> None:
    shared.store(uid)
    (new,) = sightings(shared, uid)
    old = settled(shared, uid)
    assert new.young == new.fingerprint.endswith(f"/{YOUNG}")
    assert not old.young
    assert grown(new.fingerprint) == old.fingerprint
    for one in shared.source.listing():
        assert grown(one.fingerprint).count(YOUNG) == 0
        assert moved(one.fingerprint), "it says when it moved"


def test_it_says_who_it_is(shared_any: Archive) -> None:
    shared_any.source.probe()
    found = list(shared_any.source.check())
    assert found
    assert all(isinstance(one, Finding) and one.level != "problem" and str(one) for one in found)


def test_an_archive_that_is_down(empty_any: Archive) -> None:
    empty_any.store("1.2.1")
    empty_any.stop()
    source = empty_any.source
    for ask in (
        source.count,
        source.probe,
        lambda: list(source.check()),
        lambda: list(source.listing()),
        lambda: source.read("1.2.1", []),
        lambda: source.holds("1.2.1"),
    ):
        with pytest.raises(SourceDown):
            ask()
