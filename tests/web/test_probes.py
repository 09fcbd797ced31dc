"""Probes and waits: whoever waits for a study, or for a ledger that hangs, keeps no probe waiting."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mapper.ledger.rows import Rows
from mapper.web import probes
from mapper.web.api import WAITING
from mapper.web.app import THREADS
from mapper.web.marker import ASKING
from tests.support.http_fake import wait_until
from tests.support.served import PATIENCE, Served, get
from tests.support.situations import Site

UIDS = [f"1.2.{number}" for number in range(1, 41)]
HEALTH, READY = get("/healthz", "Host: localhost"), get("/readyz", "Host: localhost")
BEARER = "Authorization: Bearer t0ken"


def sync(uid: str, wait: float) -> bytes:
    """Return the bytes that ask for a re-sync."""
    body = json.dumps({"wait": wait}).encode()
    head = (
        f"POST /api/studies/{uid}/sync HTTP/1.1\r\nHost: localhost\r\n{BEARER}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Gate:
    """Lets calls through when told to, and counts those that stand before it."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.waiting = 0
        self._lock = threading.Lock()

    def before(self, do: Any) -> Any:
        def held(*given: Any, **named: Any) -> Any:
            with self._lock:
                self.waiting += 1
            assert self.opened.wait(PATIENCE), "the gate was never opened"
            with self._lock:
                self.waiting -= 1
            return do(*given, **named)

        return held


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def site(ledger_url: str) -> Iterator[Site]:
    """Give a service whose studies nobody syncs: they stay pending."""
    site = Site(ledger_url)
    site.service.threads.start = lambda: None  # type: ignore[method-assign]
    site.service.threads.stop = lambda: None  # type: ignore[method-assign]
    yield site
    site.world.database.close()


@pytest.fixture
def served(site: Site) -> Iterator[Served]:
    with Served(site.app) as served:
        yield served


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(len(UIDS)) as people:
        yield people


def studies_of(answers: list[tuple[int, bytes]]) -> list[str]:
    assert [status for status, _ in answers] == [200] * len(answers)
    return [json.loads(body.partition(b"\r\n\r\n")[2])["state"] for _, body in answers]


def test_many_that_wait_for_a_study_keep_nobody_else_waiting(
    site: Site, served: Served, people: ThreadPoolExecutor
) -> None:
    site.world.mark(*UIDS)
    asked = [people.submit(served.ask, sync(uid, 60)) for uid in UIDS]
    wait_until(lambda: sum(one.done() for one in asked) == len(UIDS) - WAITING, PATIENCE)  # the others wait
    for probe in (HEALTH, READY, get("/metrics", "Host: localhost", BEARER), get("/", "Host: localhost", BEARER)):
        assert served.ask(probe)[0] == 200
    assert sum(one.done() for one in asked) == len(UIDS) - WAITING, "they wait still"
    assert set(studies_of([one.result() for one in asked if one.done()])) == {"pending"}
    for claim in site.world.ledger.studies.claim(["orthanc"], limit=len(UIDS)):
        site.world.ledger.studies.finish(claim, "refused", "no")
    assert sorted(set(studies_of([one.result(PATIENCE) for one in asked]))) == ["parked", "pending"]


def test_whoever_leaves_gives_the_place_to_another(
    site: Site, served: Served, people: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.world.mark(*UIDS)
    looks: Counter[str] = Counter()
    row = Rows.find
    monkeypatch.setattr(Rows, "find", lambda ledger, uid: (looks.update([uid]), row(ledger, uid))[1])
    leaving = [served.connect() for _ in range(WAITING)]
    for client, uid in zip(leaving, UIDS, strict=False):
        client.sendall(sync(uid, 60))
    wait_until(lambda: all(looks[uid] > 3 for uid in UIDS[:WAITING]), PATIENCE)  # each looks again: it waits
    for client in leaving:
        client.close()
    late = UIDS[-1]
    while True:
        before, asked = looks[late], people.submit(served.ask, sync(late, 60))
        wait_until(lambda asked=asked, before=before: asked.done() or looks[late] > before + 3, PATIENCE)
        if not asked.done():
            break  # it has got a place
    for claim in site.world.ledger.studies.claim(["orthanc"], limit=len(UIDS)):
        site.world.ledger.studies.finish(claim, "refused", "no")
    assert studies_of([asked.result(PATIENCE)]) == ["parked"]


def test_a_ledger_that_hangs_hangs_no_probe(
    site: Site, served: Served, people: ThreadPoolExecutor, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rows, "counts", gate.before(Rows.counts))
    listed = [people.submit(served.ask, get("/api/studies", "Host: localhost", BEARER)) for _ in UIDS]
    wait_until(lambda: gate.waiting == THREADS, PATIENCE)
    assert served.ask(HEALTH)[0] == 200
    asked = [people.submit(served.ask, READY) for _ in range(3)]
    assert served.ask(HEALTH)[0] == 200
    assert gate.waiting <= THREADS + 1, "readiness reads once, however often it is asked"
    gate.opened.set()
    assert {one.result(PATIENCE)[0] for one in (*listed, *asked)} == {200}


def test_readiness_does_not_wait_for_a_ledger_for_ever(site: Site, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PATIENCE", 0.05)
    monkeypatch.setattr(Rows, "counts", gate.before(Rows.counts))
    with Served(site.app) as served:
        for _ in range(2):
            status, answered = served.ask(READY)
            assert status == 503
            assert b"the ledger does not answer" in answered
        assert gate.waiting == 1
        gate.opened.set()
        wait_until(lambda: served.ask(READY)[0] == 200)


def test_readiness_reads_the_ledger_once_a_second_at_most(
    site: Site, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "FRESH", 1000.0)
    reads: list[int] = []
    counts = Rows.counts
    monkeypatch.setattr(Rows, "counts", lambda ledger: (reads.append(1), counts(ledger))[1])
    for _ in range(20):
        assert served.ask(READY)[0] == 200
    assert len(reads) == 1


def test_a_pacs_that_hangs_holds_up_only_those_who_ask_for_what_nobody_knows(
    site: Site, served: Served, people: ThreadPoolExecutor, gate: Gate
) -> None:
    known, unknown = UIDS[0], UIDS[1:21]
    site.world.mark(known)
    site.world.source.holds = gate.before(site.world.source.holds)  # type: ignore[method-assign]
    asked = [people.submit(served.ask, sync(uid, 0)) for uid in unknown]
    wait_until(lambda: gate.waiting == ASKING and sum(one.done() for one in asked) == len(unknown) - ASKING, PATIENCE)
    refused = [one.result() for one in asked if one.done()]
    assert {status for status, _ in refused} == {503}
    assert all(b"retry-after: 1" in body.lower() for _, body in refused)
    for request in (HEALTH, READY, sync(known, 0), get(f"/api/studies/{known}", "Host: localhost", BEARER)):
        assert served.ask(request)[0] == 200
    gate.opened.set()
    assert {one.result(PATIENCE)[0] for one in asked} == {404, 503}
