"""A backfill into files: what fails for now, what fails for good, what goes, and what is left alone."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from mapper.errors import BadMetadata, SourceBusy, SourceChanged, SourceDown
from mapper.jobs import into_files
from mapper.jobs.executors import Crew, crew_of
from mapper.jobs.hours import Hours
from mapper.jobs.into_files import IntoFiles, Tally
from mapper.jobs.into_folder import into_folder
from mapper.jobs.patience import LONGEST, Patience
from mapper.jobs.reading import Read, Recipe
from mapper.maps import study_to_fhir
from mapper.settings import Settings
from mapper.sinks.ndjson.sink import Ndjson
from mapper.sources.fingerprint import YOUNG
from mapper.sources.source import Reading, Sighting
from tests.support.fakes import SITE, FakeSource

RECIPE = Recipe(Settings(), "orthanc", UUID(int=0))
UIDS = [f"1.2.{number}" for number in range(1, 9)]


class Inline:
    """A crew that does what it is asked for at once, with the source of the test."""

    size = 2

    def __init__(self, source: FakeSource, since: dict[str, str | None]) -> None:
        self.source = source
        self.since = since

    def submit(self, do: Callable[..., Any], recipe: Recipe, uid: str, known: list[str], since: str | None) -> Any:
        self.since[uid] = since
        future: Future[Any] = Future()
        try:
            reading = self.source.read(uid, known)
            future.set_result(Read(reading.sighting, study_to_fhir(reading.study, SITE)))
        except Exception as error:
            future.set_exception(error)
        return future

    def check(self) -> None:
        """Nothing is lost."""

    def result(self, future: "Future[Any]") -> Any:
        return future.result()


@pytest.fixture
def source() -> FakeSource:
    made = FakeSource()
    for uid in UIDS:
        made.store(uid, StudyDate="20240517")
    return made


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Ndjson]:
    opened = Ndjson(tmp_path)
    yield opened
    opened.close()


def run(source: FakeSource, sink: Ndjson, version: str = "1", **others: Any) -> Tally:
    patience = Patience(sleep=others.pop("sleep", lambda seconds: None))
    crew = cast(Crew, Inline(source, others.pop("since", {})))
    return IntoFiles(source, RECIPE, crew, into_folder(sink, SITE), version, patience=patience, **others).run()


def statuses(sink: Ndjson) -> list[str]:
    return sorted(one["status"] for one in sink.latest("ImagingStudy"))


def test_all_are_written_once_and_again_none_is_read(source: FakeSource, sink: Ndjson) -> None:
    assert run(source, sink) == Tally(listed=8, done=8)
    source.reads.clear()
    assert run(source, sink) == Tally(listed=8, already=8)
    assert source.reads == []


def test_what_changed_is_read_again_and_another_mapping_reads_all(source: FakeSource, sink: Ndjson) -> None:
    run(source, sink)
    source.store(UIDS[0], instance="2")
    assert run(source, sink) == Tally(listed=8, done=1, already=7)
    assert run(source, sink, version="2") == Tally(listed=8, done=8)


@pytest.mark.parametrize(
    "failure", [SourceBusy("busy"), SourceChanged("changed"), SourceDown("down")], ids=lambda one: type(one).__name__
)
def test_what_fails_for_now_is_asked_for_again(source: FakeSource, sink: Ndjson, failure: Exception) -> None:
    source.failures = [failure, failure]
    assert run(source, sink) == Tally(listed=8, done=8)


def test_what_fails_for_good_is_left_out_and_told_and_tried_at_the_next_run(source: FakeSource, sink: Ndjson) -> None:
    source.failures = [BadMetadata("no metadata")]
    assert run(source, sink).failed == {UIDS[0]: "no metadata"}
    assert run(source, sink) == Tally(listed=8, done=1, already=7)


def test_what_is_never_to_be_had_is_left_out_after_some_tries(source: FakeSource, sink: Ndjson) -> None:
    class Busy(FakeSource):
        def read(self, study_uid: str, known_ids: list[str]) -> Any:
            if study_uid == UIDS[3]:
                raise SourceBusy("busy")
            return super().read(study_uid, known_ids)

    busy = Busy()
    for uid in UIDS:
        busy.store(uid)
    found = run(busy, sink)
    assert (found.done, found.failed) == (7, {UIDS[3]: "busy"})


ALWAYS: dict[str, Exception] = {
    "it answers 503 for one study": SourceDown("down"),
    "it is busy with one study": SourceBusy("busy"),
    "one study moves": SourceChanged("changed"),
}


@pytest.mark.parametrize("what", ALWAYS)
def test_one_study_that_always_fails_for_now_is_left_out_with_pauses_and_holds_up_nobody(
    sink: Ndjson, what: str
) -> None:
    class Failing(FakeSource):
        def read(self, study_uid: str, known_ids: list[str]) -> Any:
            if study_uid == UIDS[3]:
                self.reads.append(study_uid)
                raise ALWAYS[what]
            return super().read(study_uid, known_ids)

    failing, waits = Failing(), list[float]()
    for uid in UIDS:
        failing.store(uid)
    found = run(failing, sink, sleep=waits.append)
    assert (found.done, found.failed) == (7, {UIDS[3]: str(ALWAYS[what])})
    assert failing.reads.count(UIDS[3]) == into_files.TRIES
    assert waits == [1.0, 2.0], "between one try and the next, longer each time"


@pytest.mark.parametrize("bug", [ValueError("SECRET"), KeyError("SECRET"), RecursionError(), MemoryError()], ids=repr)
def test_a_study_at_which_nobody_expected_anything_is_left_out_by_type_and_place(
    source: FakeSource, sink: Ndjson, bug: Exception
) -> None:
    source.failures = [bug]
    found = run(source, sink)
    assert found.done == 7
    (told,) = found.failed.values()
    assert re.fullmatch(rf"unexpected {type(bug).__name__} in [\w.]+:\d+", told)
    assert run(source, sink) == Tally(listed=8, done=1, already=7), "the next run tries it again"


@pytest.mark.parametrize("then", ["it goes", "it stays", "it moves"])
def test_what_was_written_young_is_read_again_and_goes_like_any_other(
    source: FakeSource, sink: Ndjson, then: str
) -> None:
    read = source.read

    def young(study_uid: str, known_ids: list[str]) -> Reading:
        found = read(study_uid, known_ids)
        sighting = replace(found.sighting, fingerprint=f"{found.sighting.fingerprint}/{YOUNG}")
        return replace(found, sighting=sighting) if study_uid == UIDS[0] else found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(source, "read", young)
        assert run(source, sink).done == 8
    if then == "it goes":
        source.delete(UIDS[0])
        assert run(source, sink) == Tally(listed=7, already=7, gone=1)
        assert statuses(sink) == ["available"] * 7 + ["unknown"]
    else:
        if then == "it moves":
            source.store(UIDS[0], instance="2")
        assert run(source, sink) == Tally(listed=8, done=1, already=7)
    assert run(source, sink).done == 0


def test_a_pause_that_the_source_asks_for_is_kept(source: FakeSource, sink: Ndjson) -> None:
    busy, waits = SourceBusy("busy"), list[float]()
    busy.retry_after = 7.0
    source.failures = [busy]
    assert run(source, sink, sleep=waits.append).done == 8
    assert waits == [7.0]


def test_what_is_gone_is_retracted_and_what_moves_is_left_alone(source: FakeSource, sink: Ndjson) -> None:
    run(source, sink)
    source.delete(UIDS[0])
    source.store(UIDS[1], instance="2", stable=False)
    assert run(source, sink) == Tally(listed=7, already=6, gone=1, moving=1)
    assert statuses(sink) == ["available"] * 7 + ["unknown"]
    assert run(source, sink).gone == 0


def test_what_is_gone_is_looked_up_a_few_at_a_time(
    source: FakeSource, sink: Ndjson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(into_files, "AT_ONCE", 3)
    run(source, sink)
    for uid in UIDS[:7]:
        source.delete(uid)
    assert run(source, sink).gone == 7
    assert statuses(sink) == ["available"] + ["unknown"] * 7


def test_what_a_killed_run_saw_listed_counts_no_more(source: FakeSource, sink: Ndjson) -> None:
    run(source, sink)
    for uid in UIDS:
        sink.add_listed(uid)
    source.delete(UIDS[0])
    assert run(source, sink).gone == 1


def test_a_study_that_goes_between_listing_and_reading_is_gone(source: FakeSource, sink: Ndjson) -> None:
    class Going(FakeSource):
        def listing(self) -> Any:
            found = list(super().listing())
            self.held.pop(f"P1/{UIDS[2]}", None)
            yield from found

    going = Going()
    for uid in UIDS:
        going.store(uid)
    assert run(going, sink).gone == 1


LISTINGS: dict[str, tuple[int, int]] = {  # studies that the listing shows and the count tells
    "it skips one": (7, 7),
    "it is empty": (0, 0),
    "it skips one and another one went": (6, 6),
}


@pytest.mark.parametrize("what", LISTINGS)
def test_a_study_that_the_source_still_holds_is_never_taken_for_gone(
    source: FakeSource, sink: Ndjson, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(into_files, "AT_ONCE", 3)
    run(source, sink)
    gone = int("went" in what)
    if gone:
        source.delete(UIDS[7])
    shown, counted = LISTINGS[what]
    listing = list(source.listing())[:shown]
    monkeypatch.setattr(source, "listing", lambda: iter(listing))
    monkeypatch.setattr(source, "count", lambda: counted)
    assert run(source, sink).gone == gone
    assert statuses(sink) == ["available"] * (8 - gone) + ["unknown"] * gone
    monkeypatch.undo()
    assert run(source, sink) == Tally(listed=8 - gone, already=8 - gone)


def test_a_source_that_is_down_when_it_is_asked_for_what_went_is_waited_for(source: FakeSource, sink: Ndjson) -> None:
    class Unsure(FakeSource):
        asked = 0

        def holds(self, study_uid: str) -> bool:
            self.asked += 1
            if self.asked == 1:
                raise SourceDown("down")
            return super().holds(study_uid)

    unsure = Unsure()
    for uid in UIDS:
        unsure.store(uid)
    run(unsure, sink)
    unsure.delete(UIDS[0])
    assert run(unsure, sink).gone == 1
    assert unsure.asked == 2


@pytest.mark.parametrize("wrong", ["too many", "a listing that is not whole"])
def test_the_brake(wrong: str, sink: Ndjson) -> None:
    source = FakeSource()
    for number in range(70):
        source.store(f"1.3.{number}")
    run(source, sink)
    for number in range(60 if wrong == "too many" else 1):
        source.delete(f"1.3.{number}")
    source.miscounted = 0 if wrong == "too many" else 5
    found = run(source, sink)
    assert found.brake
    assert found.gone == 0
    assert statuses(sink) == ["available"] * 70


def test_outside_its_hours_it_waits(source: FakeSource, sink: Ndjson) -> None:
    moments = iter([datetime(2024, 5, 17, 8), datetime(2024, 5, 17, 12), *[datetime(2024, 5, 17, 20)] * 20])
    waited: list[float] = []
    hours = Hours(time(19), time(6), lambda: next(moments))
    assert run(source, sink, hours=hours, sleep=waited.append).done == 8
    assert waited == [30.0, 30.0]


def die(code: int) -> int:
    """End this process, as the kernel does when memory is short."""
    import os

    if code:
        os._exit(code)
    return code


def test_a_process_that_is_killed_is_replaced() -> None:
    with crew_of(1, processes=1) as crew:
        lost = crew.submit(die, 9)
        with pytest.raises(SourceBusy, match="killed"):
            crew.result(lost)
        assert crew.result(crew.submit(die, 0)) == 0


class Stumbling(FakeSource):
    """Breaks off in the middle of its listing, so many times."""

    times = 0

    def listing(self) -> Iterator[Sighting]:
        for number, one in enumerate(super().listing()):
            if number == 5 and self.times:
                self.times -= 1
                raise SourceDown("answers 503")
            yield one


@pytest.fixture
def stumbling() -> Stumbling:
    made = Stumbling()
    for uid in UIDS:
        made.store(uid, StudyDate="20240517")
    return made


def test_a_listing_that_breaks_off_is_waited_for_and_nothing_is_done_twice(stumbling: Stumbling, sink: Ndjson) -> None:
    stumbling.times, waited = 3, list[float]()
    tally = run(stumbling, sink, sleep=waited.append)
    assert (tally.listed, tally.done, tally.already, tally.failed) == (8, 8, 0, {})
    assert sorted(stumbling.reads) == UIDS
    assert len(waited) == 3


def test_a_listing_that_never_comes_to_its_end_ends_the_job(stumbling: Stumbling, sink: Ndjson) -> None:
    stumbling.times, waited = 10_000, list[float]()
    with pytest.raises(SourceDown):
        run(stumbling, sink, sleep=waited.append)
    assert Patience.seconds <= sum(waited) <= Patience.seconds + LONGEST
    stumbling.times = 0
    assert run(stumbling, sink).done + len(set(stumbling.reads)) >= len(UIDS)
    assert sorted(set(stumbling.reads)) == UIDS


def test_a_listing_is_not_waited_for_where_that_is_of_no_use(source: FakeSource, sink: Ndjson) -> None:
    source.down = BadMetadata("no list")
    with pytest.raises(BadMetadata):
        run(source, sink, sleep=lambda seconds: pytest.fail("nobody waits"))


def test_it_says_in_which_state_a_study_was_read_last(source: FakeSource, sink: Ndjson) -> None:
    """What an archive has kept of what moved since is not read; nor, after a failure, what it kept then."""
    new, since = dict[str, str | None](), dict[str, str | None]()
    source.failures = [SourceChanged("changed")]
    run(source, sink, since=new)
    assert new == {uid: "" if uid == UIDS[0] else None for uid in UIDS}
    before = {one.study_uid: one.fingerprint for one in source.listing()}
    source.store(UIDS[1], instance="2")
    sink.settle(UIDS[2], YOUNG)
    run(source, sink, since=since)
    assert since == {UIDS[1]: before[UIDS[1]], UIDS[2]: ""}
