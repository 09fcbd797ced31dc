"""How many studies are synced at once: all at first, fewer where a server has too much to do, and all again."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.null_server import NullFhir
from mapper.dicom.reader import Reader
from mapper.errors import SinkBusy, SourceBusy
from mapper.http.peer import Bound
from mapper.ledger.ledger import Ledger
from mapper.sinks.answer import Answer, failure
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer
from mapper.sources.orthanc.source import Orthanc
from mapper.sync.concurrency import Concurrency
from mapper.sync.threads import Threads
from mapper.sync.triggers import Bell
from tests.convergence.proxy import Proxy
from tests.support.fakes import World
from tests.support.http_fake import Answer as Told
from tests.support.http_fake import HttpFake
from tests.support.stack import until

CASES: dict[str, tuple[int, str, list[int]]] = {  # threads, what happens -> how many at once, after each change
    "nothing": (8, "", []),
    "success": (8, "+" * 20, []),
    "too much once": (8, "-", [4]),
    "twice by what was begun before": (8, "--", [4]),
    "by what was begun before, after others ended": (8, "-<+<+<+<+!", [4, 5]),
    "again by what was begun since": (8, "-<-", [4, 2]),
    "never below one": (2, "-<-<-<-", [1]),
    "as many successes as at once": (8, "-" + "+" * 4, [4, 5]),
    "one fewer": (8, "-" + "+" * 3, [4]),
    "up to all": (4, "-" + "+" * 2 + "+" * 3 + "+" * 20, [2, 3, 4]),
    "an odd number": (5, "-", [2]),
    "a thread alone": (1, "-<+", []),
}


def happens(concurrency: Concurrency, what: str) -> None:
    """Let this thread's study go well (+), be too much (-), or end and another one begin (<).

    Or let one of another thread, begun before anything happened, be too much (!).
    """
    with ThreadPoolExecutor(1) as other:
        if "!" in what:
            concurrency.leave()
            assert other.submit(concurrency.enter).result()
        for one in what:
            if one == "!":
                other.submit(concurrency.too_much).result()
            elif one == "<":
                concurrency.leave()
                while not concurrency.enter():
                    concurrency.leave()
            else:
                (concurrency.went_well if one == "+" else concurrency.too_much)()


@pytest.mark.parametrize(("threads", "what", "limits"), CASES.values(), ids=CASES)
def test_how_many_at_once(threads: int, what: str, limits: list[int]) -> None:
    told: list[tuple[int, bool]] = []
    concurrency = Concurrency(threads, lambda limit, fewer: told.append((limit, fewer)))
    for _ in range(threads):
        assert concurrency.enter()
    happens(concurrency, what)
    assert [limit for limit, _ in told] == limits
    before = [threads, *limits]
    assert [fewer for _, fewer in told] == [now < was for was, now in pairwise(before)]
    assert concurrency.limit == before[-1]


@given(st.integers(1, 64), st.text("+-<", max_size=60))
def test_there_is_always_one_and_never_more_than_all_and_in_the_end_all_again(threads: int, what: str) -> None:
    concurrency = Concurrency(threads)
    for _ in range(threads):
        assert concurrency.enter()
    assert not concurrency.enter(), "no more than there are threads"
    for one in what:
        happens(concurrency, one)
        assert 1 <= concurrency.limit <= threads
    happens(concurrency, "+" * threads * threads)
    assert concurrency.limit == threads


STATUSES = {400: False, 408: True, 409: False, 413: False, 429: True, 500: False, 502: False, 503: True, 504: True}
"""What a FHIR server answers -> whether that says that it has too much to do."""


@pytest.mark.parametrize(("status", "too_much"), STATUSES.items())
def test_what_says_that_a_server_has_too_much_to_do(status: int, too_much: bool) -> None:
    assert failure(Answer(status, {}, b""), time.time).too_much is too_much


def test_a_server_that_does_not_answer_in_time_has_too_much_to_do() -> None:
    with HttpFake(Told(200, wait=10.0)) as http, pytest.raises(SinkBusy) as failed:
        FhirServer(FhirClient(http.url, bound=Bound(1, 0.2)), http.url).put([{"resourceType": "Patient", "id": "a"}])
    assert failed.value.too_much


@pytest.mark.parametrize(("status", "too_much"), {400: False, 408: True, 429: True, 500: False}.items())
def test_what_says_that_an_orthanc_has_too_much_to_do(status: int, too_much: bool) -> None:
    with HttpFake(Told(status)) as http, pytest.raises(SourceBusy) as failed:
        Orthanc(http.url, Reader((), ())).count()
    assert failed.value.too_much is too_much


class Narrow(Proxy):
    """A FHIR server that takes two writes at once, and answers 503 to every other one."""

    ROOM = 2

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.inside = self.refused = 0
        self.flight = self._written

    def fault(self, method: str) -> str:
        """Refuse a write for which there is no room."""
        with self._lock:
            if method == "GET":
                return ""
            if self.inside >= self.ROOM:
                self.refused += 1
                return "503"
            self.inside += 1
            return ""

    @contextmanager
    def _written(self, body: bytes) -> Iterator[None]:
        try:
            yield
        finally:
            with self._lock:
                self.inside -= 1


class Stubborn(Concurrency):
    """Has all threads work, whatever a server says."""

    def too_much(self) -> None:
        """Do nothing."""


WORKERS, STUDIES = 12, 200


def refusals(concurrency: Concurrency) -> int:
    """Write many studies, as many at once as may be, and return how many writes a narrow server refused."""
    left, refused = STUDIES, 0
    while left > 0:
        begun = 0
        while begun < WORKERS and concurrency.enter():
            begun += 1
        for number in range(begun):
            (concurrency.went_well if number < Narrow.ROOM else concurrency.too_much)()
            concurrency.leave()
        left, refused = left - min(begun, Narrow.ROOM), refused + max(begun - Narrow.ROOM, 0)
    return refused


def test_a_narrow_server_refuses_few() -> None:
    assert refusals(Concurrency(WORKERS)) < refusals(Stubborn(WORKERS)) / 10


UIDS = tuple(f"1.2.{number}" for number in range(1, 41))
MILLISECONDS = 60


def test_a_narrow_server_is_not_overrun(new_database: Callable[[], str], tmp_path: Path) -> None:
    """All studies arrive, by threads and over HTTP: fewer at once than there are threads, and none is parked."""
    world = World(new_database())
    world.ledger = Ledger(world.database, time.time, jitter=lambda least, most: 0.1)
    for uid in UIDS:
        world.source.store(uid, patient=uid)
    with NullFhir(tmp_path / "narrow", milliseconds=MILLISECONDS) as null, Narrow(null.url) as proxy:
        worker = world.new_worker(sink=FhirServer(FhirClient(proxy.url), proxy.url))
        world.mark(*UIDS)
        threads = Threads(worker, [], Bell(), WORKERS)
        threads.start()
        try:
            until(lambda: {world.state(uid) for uid in UIDS} <= {"synced", "parked"}, 120.0)
        finally:
            threads.stop()
    assert proxy.refused, "it was too much at first"
    assert worker.concurrency.limit < WORKERS
    assert {world.state(uid) for uid in UIDS} == {"synced"}
    world.database.close()
