"""Who may be asked for by hand: what the ledger knows, or a source holds; what anybody types becomes no data."""

from collections.abc import Iterator

import pytest

from mapper.errors import MapperError, SourceBusy, SourceDown, StudyGone
from mapper.service import Service
from mapper.settings import Settings
from mapper.sync.threads import Threads
from mapper.sync.triggers import Bell
from tests.support.fakes import SITE, FakeSource, World

A, B = "1.2.1", "1.2.2"


class House:
    """A service over sources in memory, of which nothing runs."""

    def __init__(self, url: str, *sources: FakeSource) -> None:
        self.world = World(url, *sources)
        worker, bell = self.world.worker, Bell()
        threads = Threads(worker, [], bell, workers=1)
        self.service = Service(
            Settings(), self.world.sink, self.world.ledger, worker, [], bell, threads, SITE.namespace
        )  # type: ignore[arg-type]

    def known(self) -> list[tuple[str, str]]:
        return sorted((row.source, row.study_uid) for row in self.world.ledger.rows.page())

    def mark(self, *study_uids: str) -> list[tuple[str, str]]:
        self.service.mark(*study_uids)
        return self.known()


@pytest.fixture
def one() -> FakeSource:
    return FakeSource("one")


@pytest.fixture
def two() -> FakeSource:
    return FakeSource("two")


@pytest.fixture
def house(ledger_url: str, one: FakeSource, two: FakeSource) -> Iterator[House]:
    house = House(ledger_url, one, two)
    yield house
    house.world.database.close()


def test_a_study_is_marked_where_it_is(house: House, one: FakeSource, two: FakeSource) -> None:
    two.store(A)
    assert house.mark(A) == [("two", A)]
    one.store(B)
    two.store(B)
    assert house.mark(B) == [("one", B), ("two", A), ("two", B)]


def test_what_nobody_knows_is_not_marked(house: House, one: FakeSource) -> None:
    one.store(B)
    with pytest.raises(StudyGone, match="no source holds this study"):
        house.service.mark(A)
    with pytest.raises(StudyGone, match="no source holds this study"):
        house.service.mark(B, A)
    assert house.known() == []


def test_what_the_ledger_knows_needs_no_source(house: House, one: FakeSource, two: FakeSource) -> None:
    house.world.ledger.studies.mark("one", [A])
    one.down = two.down = SourceDown("no answer")
    assert house.mark(A) == [("one", A)]


@pytest.mark.parametrize(
    "failure", [SourceDown("no answer"), SourceBusy("HTTP 500")], ids=lambda one: type(one).__name__
)
def test_a_source_that_does_not_answer_is_said(house: House, two: FakeSource, failure: MapperError) -> None:
    two.down = failure
    with pytest.raises(type(failure)):
        house.service.mark(A)
    assert house.known() == []


def test_a_source_that_answers_is_enough(house: House, one: FakeSource, two: FakeSource) -> None:
    one.store(A)
    two.down = SourceDown("no answer")
    assert house.mark(A) == [("one", A)]


def test_a_study_under_two_patients_is_marked_and_parked_in_time(house: House, one: FakeSource) -> None:
    one.store(A, "P1")
    one.store(A, "P2")
    assert house.mark(A) == [("one", A)]
