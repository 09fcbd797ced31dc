"""The ledger: who is dirty, who is done, and that a late or second owner changes nothing."""

import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, select

from mapper.errors import Problem, SettingError
from mapper.ledger.claim import BEHIND, BY_HAND, WITH_ALL, Claim
from mapper.ledger.claiming import PENDING
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.schema import metadata, study
from mapper.ledger.state import STATES
from mapper.ledger.studies import ATTEMPTS, LEASE, LONGEST_BACKOFF
from tests.support.fakes import Clock

NewDatabase = Callable[[], str]
UIDS = ("1.1", "1.2", "1.3")
SOURCE = "orthanc"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(new_database: NewDatabase, clock: Clock) -> Any:
    database = Database(new_database())
    yield Ledger(database, clock, jitter=lambda least, most: most)
    database.close()


def claim_one(ledger: Ledger) -> Claim:
    """Claim the one study that must be due."""
    (claim,) = ledger.studies.claim([SOURCE])
    return claim


def raw(ledger: Ledger, study_uid: str) -> Any:
    """Return a whole row, its lease and generations included."""
    with ledger.database.read() as db:
        return db.execute(select(study).where(study.c.study_uid == study_uid)).one()


# -- a random walk beside a tiny model -----------------------------------------------------------


@dataclass
class Known:
    """What the model thinks of one study."""

    generation: int = 0
    done: int = 0
    state: str = "unknown"
    due: float = 0.0
    lease: float = 0.0
    owner: str = ""
    attempts: int = 0
    hand: bool = False
    claims: list[Claim] = field(default_factory=list)


class Walk(RuleBasedStateMachine):
    """Marks, claims and every way a claim can end, in any order, by any owner, however late."""

    ledger: Ledger
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        with self.ledger.database.write() as db:
            for table in metadata.tables.values():
                db.execute(delete(table))
        self.model = {uid: Known() for uid in UIDS}
        self.claims: list[Claim] = []

    def live(self, claim: Claim) -> bool:
        known = self.model[claim.study_uid]
        return known.state == "syncing" and known.owner == claim.owner

    def is_due(self, known: Known) -> bool:
        waiting = known.state in ("pending", "retrying") and known.due <= self.clock.now
        return waiting or (known.state == "syncing" and known.lease <= self.clock.now)

    @rule(uid=st.sampled_from(UIDS), hand=st.booleans())
    def mark(self, uid: str, hand: bool) -> None:
        self.ledger.studies.mark(SOURCE, [uid], BY_HAND if hand else 0)
        known = self.model[uid]
        known.generation += 1
        known.attempts = 0
        known.hand = known.hand or hand
        if known.state != "syncing":
            known.state, known.due = "pending", self.clock.now

    @rule(seconds=st.sampled_from([1, 20, LEASE / 2, LEASE + 1, LONGEST_BACKOFF + 1]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule()
    def claim(self) -> None:
        claims = self.ledger.studies.claim([SOURCE])
        for known in self.model.values():
            if known.state == "syncing" and known.lease <= self.clock.now and known.attempts >= ATTEMPTS:
                known.state, known.owner = "parked", ""
        due = {uid for uid, known in self.model.items() if self.is_due(known)}
        assert len(claims) == min(1, len(due))
        for claim in claims:
            known = self.model[claim.study_uid]
            assert claim.study_uid in due
            assert known.hand or not any(self.model[uid].hand for uid in due), "a person waits"
            known.state, known.owner, known.lease = "syncing", claim.owner, self.clock.now + LEASE
            known.attempts += 1
            assert (claim.generation, claim.attempts) == (known.generation, known.attempts)
            self.claims.append(claim)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), how=st.sampled_from(["done", "gone", "refused"]))
    def finish(self, data: Any, how: Any) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        live = self.live(claim)
        assert self.ledger.studies.finish(claim, how) == live
        if live:
            self.ended(claim, {"done": "synced", "gone": "removed", "refused": "parked"}[how])

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def fail(self, data: Any) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        live = self.live(claim)
        assert self.ledger.studies.fail(claim, "said no") == live
        if not live:
            return
        known = self.model[claim.study_uid]
        if claim.attempts >= ATTEMPTS:
            self.ended(claim, "parked")
        else:
            known.state, known.owner = "retrying", ""
            known.due = self.clock.now + min(LONGEST_BACKOFF, 2.0 * 2**claim.attempts)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def release(self, data: Any) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        live = self.live(claim)
        assert self.ledger.studies.release(claim, "down", 5.0) == live
        if live:
            known = self.model[claim.study_uid]
            known.state, known.owner, known.due = "retrying", "", self.clock.now + 5.0
            known.attempts = max(0, known.attempts - 1)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def extend(self, data: Any) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        live = self.live(claim)
        assert self.ledger.studies.extend(claim) == live
        if live:
            self.model[claim.study_uid].lease = self.clock.now + LEASE

    @rule()
    def retry(self) -> None:
        parked = [known for known in self.model.values() if known.state == "parked"]
        assert self.ledger.studies.retry() == len(parked)
        for known in parked:
            known.state, known.due, known.attempts, known.hand = "pending", self.clock.now, 0, True
            known.generation += 1

    def ended(self, claim: Claim, state: str) -> None:
        known = self.model[claim.study_uid]
        known.owner, known.done = "", claim.generation
        if known.generation == claim.generation:
            known.state, known.hand = state, False
            known.attempts = known.attempts if state == "parked" else 0
        else:
            known.state, known.due, known.attempts = "pending", self.clock.now, 0

    @invariant()
    def agrees_with_the_model(self) -> None:
        known = {uid: one for uid, one in self.model.items() if one.generation}
        assert {row.study_uid for row in self.ledger.rows.page()} == set(known)
        for uid, one in known.items():
            row = raw(self.ledger, uid)
            found = (row.state, row.generation, row.done_generation, row.attempts, row.owner, row.priority > 0)
            assert found == (one.state, one.generation, one.done, one.attempts, one.owner, one.hand)
            if one.state in ("pending", "retrying"):
                assert row.not_before == one.due
        assert self.ledger.rows.counts() == {s: sum(one.state == s for one in known.values()) for s in STATES}

    def teardown(self) -> None:
        """Whatever happened: everything that is not settled can be claimed and done, and nothing is left."""
        for _ in range(20):
            self.clock.forward(LEASE + LONGEST_BACKOFF)
            self.ledger.studies.retry()
            while claims := self.ledger.studies.claim([SOURCE], limit=3):
                assert all(map(self.ledger.studies.finish, claims))
        counts = self.ledger.rows.counts()
        assert counts["synced"] + counts["removed"] == sum(counts.values())
        assert all(
            row.generation == row.done_generation
            for row in (raw(self.ledger, r.study_uid) for r in self.ledger.rows.page())
        )


def test_a_random_walk_agrees_with_the_model(ledger: Ledger, clock: Clock) -> None:
    machine = type("Walk", (Walk,), {"ledger": ledger, "clock": clock})
    run_state_machine_as_test(machine, settings=settings(stateful_step_count=35))


# -- the promises, one by one --------------------------------------------------------------------


def test_marks_before_a_sync_are_one_sync(ledger: Ledger) -> None:
    for _ in range(5):
        ledger.studies.mark(SOURCE, ["1.1", "1.1"])
    assert ledger.studies.finish(claim_one(ledger))
    assert ledger.studies.claim([SOURCE]) == []


def test_marks_during_a_sync_are_exactly_one_more(ledger: Ledger) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    claim = claim_one(ledger)
    ledger.studies.mark(SOURCE, ["1.1"])
    ledger.studies.mark(SOURCE, ["1.1"])
    assert ledger.studies.claim([SOURCE]) == []
    assert ledger.studies.finish(claim)
    assert ledger.rows.counts()["pending"] == 1
    assert ledger.studies.finish(claim_one(ledger))
    assert ledger.studies.claim([SOURCE]) == []
    assert ledger.rows.counts()["synced"] == 1


def test_a_study_whose_owner_died_is_taken_over_and_the_dead_one_changes_nothing(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    dead = claim_one(ledger)
    clock.forward(LEASE - 1)
    assert ledger.studies.claim([SOURCE]) == []
    clock.forward(1)
    heir = claim_one(ledger)
    before = raw(ledger, "1.1")
    assert not ledger.studies.finish(dead)
    assert not ledger.studies.fail(dead, "too late")
    assert not ledger.studies.release(dead, "too late", 1.0)
    assert not ledger.studies.extend(dead)
    assert raw(ledger, "1.1") == before
    assert ledger.studies.finish(heir)


def test_a_lease_that_is_extended_stays(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    claim = claim_one(ledger)
    for _ in range(5):
        clock.forward(LEASE - 1)
        assert ledger.studies.extend(claim)
        assert ledger.studies.claim([SOURCE]) == []
    assert ledger.studies.finish(claim)


def test_eight_failures_park_a_study_with_its_reason(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    waits = []
    for attempt in range(1, ATTEMPTS + 1):
        claim = claim_one(ledger)
        assert claim.attempts == attempt
        assert ledger.studies.fail(claim, "the FHIR server failed: HTTP 500")
        waits.append(raw(ledger, "1.1").not_before - clock.now)
        clock.forward(LONGEST_BACKOFF)
    row = ledger.rows.find("1.1")
    assert row is not None
    assert (row.state, row.attempts) == ("parked", ATTEMPTS)
    assert "HTTP 500" in row.reason
    assert waits[:-1] == sorted(waits[:-1])
    assert max(waits) <= LONGEST_BACKOFF
    assert ledger.studies.claim([SOURCE]) == []


def test_a_study_that_kills_its_process_ends_parked(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    for _ in range(ATTEMPTS):
        claim_one(ledger)
        clock.forward(LEASE)
    assert ledger.studies.claim([SOURCE]) == []
    row = ledger.rows.find("1.1")
    assert row is not None
    assert row.state == "parked"
    assert row.reason


def test_a_change_during_the_attempt_that_dies_is_not_lost(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    for _ in range(ATTEMPTS - 1):
        claim_one(ledger)
        clock.forward(LEASE)
    claim_one(ledger)
    ledger.studies.mark(SOURCE, ["1.1"])
    clock.forward(LEASE)
    assert claim_one(ledger).attempts == 1


def test_an_outage_burns_no_attempt(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    for _ in range(3 * ATTEMPTS):
        claim = claim_one(ledger)
        assert claim.attempts == 1
        assert ledger.studies.release(claim, "down", 5.0)
        assert ledger.studies.claim([SOURCE]) == []
        clock.forward(5.0)
    assert ledger.rows.counts()["retrying"] == 1


@pytest.mark.parametrize("how", ["mark", "retry", "retry by name"])
def test_what_is_parked_comes_back(ledger: Ledger, how: str) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    assert ledger.studies.finish(claim_one(ledger), "refused", "refused")
    assert ledger.studies.claim([SOURCE]) == []
    if how == "mark":
        ledger.studies.mark(SOURCE, ["1.1"])
    else:
        assert ledger.studies.retry(["1.1"] if how == "retry by name" else []) == 1
    claim = claim_one(ledger)
    assert claim.attempts == 1
    assert (claim.priority == BY_HAND) == (how != "mark")
    row = ledger.rows.find("1.1")
    assert row is not None
    assert row.reason == ""


def test_retry_touches_only_what_is_parked(ledger: Ledger) -> None:
    ledger.studies.mark(SOURCE, ["1.1", "1.2"])
    assert ledger.studies.finish(claim_one(ledger))
    assert ledger.studies.retry() == 0
    assert ledger.studies.retry(["1.1", "1.2", "9.9"]) == 0


def test_retry_after_is_honoured(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    assert ledger.studies.fail(claim_one(ledger), "busy", retry_after=200.0)
    clock.forward(199)
    assert ledger.studies.claim([SOURCE]) == []
    clock.forward(1)
    assert claim_one(ledger)


def test_who_was_asked_for_by_hand_comes_first_and_then_who_waits_longest(ledger: Ledger, clock: Clock) -> None:
    for uid in ("1.1", "1.2", "1.3"):
        ledger.studies.mark(SOURCE, [uid])
        clock.forward(1)
    ledger.studies.mark(SOURCE, ["1.3"], BY_HAND)
    assert [claim.study_uid for claim in ledger.studies.claim([SOURCE], limit=3)] == ["1.3", "1.1", "1.2"]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((WITH_ALL,), WITH_ALL),
        ((WITH_ALL, BEHIND), WITH_ALL),
        ((BEHIND, WITH_ALL), WITH_ALL),
        ((BEHIND, 0), 0),
        ((0, BEHIND), 0),
        ((0, WITH_ALL), BY_HAND),  # it moved, and everything of it was asked for: neither is lost
        ((WITH_ALL, 0), BY_HAND),
        ((WITH_ALL, BY_HAND), BY_HAND),
        ((BY_HAND, WITH_ALL), BY_HAND),
        ((BY_HAND, 0, BEHIND), BY_HAND),
    ],
)
def test_of_several_marks_the_first_place_in_line_counts(ledger: Ledger, marks: tuple[int, ...], expected: int) -> None:
    for priority in marks:
        ledger.studies.mark(SOURCE, ["1.1"], priority)
    claim = claim_one(ledger)
    assert claim.priority == expected
    assert ledger.studies.finish(claim)
    ledger.studies.mark(SOURCE, ["1.1"])
    assert claim_one(ledger).priority == 0, "what was asked for once is done"


def test_what_moves_goes_before_all_that_is_only_done_anew(ledger: Ledger, clock: Clock) -> None:
    """A release maps all studies anew, somebody asks for all of them, and a patient is examined meanwhile."""
    old = [f"1.{number}" for number in range(20)]
    ledger.studies.mark(SOURCE, old)
    while claims := ledger.studies.claim([SOURCE]):
        assert ledger.studies.finish(claims[0], mapping_version="1")
    assert ledger.studies.remap(SOURCE, "2", 5) == 5
    clock.forward(1)
    ledger.studies.mark(SOURCE, old[:10], WITH_ALL)
    clock.forward(1)
    ledger.studies.mark(SOURCE, ["2.1", old[-1]])
    found = [claim.study_uid for claim in ledger.studies.claim([SOURCE], limit=99)]
    assert set(found[:2]) == {"2.1", old[-1]}
    assert set(found[2:12]) == set(old[:10])


def test_only_the_sources_asked_for_are_claimed(ledger: Ledger) -> None:
    ledger.studies.mark("here", ["1.1"])
    ledger.studies.mark("there", ["1.1"])
    assert [claim.source for claim in ledger.studies.claim(["there"], limit=9)] == ["there"]
    assert [claim.source for claim in ledger.studies.claim(["here", "there"], limit=9)] == ["here"]


def test_problems_and_times_are_kept(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    problem = Problem("Patient.birthDate", "PatientBirthDate", "not a date")
    written = f'[{{"element": "{problem.element}", "attribute": "{problem.attribute}", "reason": "{problem.reason}"}}]'
    assert ledger.studies.finish(claim_one(ledger), problems=written, mapping_version="7", started="20240229")
    row = ledger.rows.find("1.1", SOURCE)
    assert row is not None
    assert (row.problems, row.synced_at, row.mapping_version) == ((problem,), clock.now, "7")
    assert ledger.rows.find("1.1", "elsewhere") is None
    assert ledger.rows.find("1.2") is None


def test_the_longest_wait_is_that_since_the_first_mark(ledger: Ledger, clock: Clock) -> None:
    assert ledger.rows.oldest_wait() == 0.0
    assert ledger.rows.next_due() is None
    ledger.studies.mark(SOURCE, ["1.1"])
    clock.forward(7)
    ledger.studies.mark(SOURCE, ["1.1", "1.2"])
    assert ledger.rows.oldest_wait() == 7.0
    claim = claim_one(ledger)
    assert claim.study_uid == "1.1"
    assert ledger.studies.fail(claim, "no")
    due = ledger.rows.next_due()
    assert due is not None
    assert due <= clock.now, "the other one"
    clock.forward(4)
    assert ledger.rows.oldest_wait() == 11.0, "a study that is tried again still waits"
    first, second = ledger.studies.claim([SOURCE], limit=2)
    assert ledger.rows.oldest_wait() == 11.0
    assert ledger.studies.finish(first)
    assert ledger.studies.finish(second)
    assert ledger.rows.oldest_wait() == 0.0


def test_many_studies_are_marked_at_once(ledger: Ledger) -> None:
    uids = [f"1.{number}" for number in range(1, 1201)]
    assert ledger.studies.mark(SOURCE, uids) == 1200
    assert ledger.rows.counts()["pending"] == 1200
    assert len(ledger.rows.page("pending", limit=1000)) == 1000
    assert len(ledger.rows.page("pending", limit=1000, offset=1000)) == 200


def test_threads_that_claim_side_by_side_never_get_the_same_study(new_database: NewDatabase) -> None:
    url = new_database()
    first = Ledger(Database(url))
    first.studies.mark(SOURCE, [f"1.{number}" for number in range(1, 61)])
    got: list[str] = []

    def work() -> None:
        mine = Ledger(Database(url))
        while claims := mine.studies.claim([SOURCE], limit=2):
            for claim in claims:
                assert mine.studies.finish(claim)
                got.append(claim.study_uid)
        mine.database.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # PostgreSQL passes over rows that another transaction holds, so a thread may stop a little early
    while claims := first.studies.claim([SOURCE], limit=60):
        got += [claim.study_uid for claim in claims if first.studies.finish(claim)]
    assert Counter(got) == {f"1.{number}": 1 for number in range(1, 61)}
    first.database.close()


# -- what it was made with -----------------------------------------------------------------------


@pytest.mark.parametrize("changed", ["namespace", "base"])
def test_a_ledger_made_with_other_ids_is_refused(ledger: Ledger, changed: str) -> None:
    facts = {"namespace": "aaaa", "base": "https://a.example"}
    ledger.meta.guard(facts)
    ledger.meta.guard(facts)
    with pytest.raises(SettingError, match=f"^{changed}: "):
        ledger.meta.guard({**facts, changed: "other"})
    ledger.meta.guard(facts)


def test_facts_are_stored_and_replaced(ledger: Ledger) -> None:
    assert ledger.meta.get("brake:orthanc") is None
    ledger.meta.put("brake:orthanc", "on")
    ledger.meta.put("brake:orthanc", "")
    assert ledger.meta.get("brake:orthanc") == ""


def test_what_was_stored_is_there_after_the_process_ended(new_database: NewDatabase) -> None:
    url = new_database()
    first = Ledger(Database(url))
    first.studies.mark(SOURCE, ["1.1"])
    first.database.close()
    second = Ledger(Database(url))
    assert second.rows.counts()["pending"] == 1
    second.database.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://nobody@127.0.0.1/ledger", "sqlite:////proc/no/ledger.db"])
def test_an_unusable_database_url_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingError, match=r"^ledger: "):
        Database(url).create()


def test_postgresql_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # what an import meets where the extra is not installed
    with pytest.raises(SettingError, match=r"^ledger: .*pip install 'orthanc-fhir\[postgresql\]'"):
        Database("postgresql+psycopg://nobody@127.0.0.1/ledger")


def test_sqlite_is_opened_so_that_nothing_acknowledged_is_lost(ledger_url: str) -> None:
    database = Database(ledger_url)
    with database.read() as db:
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL"
    database.close()


LAZY = [(), (False,), (True,), (True, False), (False, True), (True, True, False, False, True)]


@pytest.mark.parametrize("turns", LAZY, ids=str)
def test_what_is_stored_lazily_makes_nothing_else_lazy(ledger_url: str, turns: tuple[bool, ...]) -> None:
    database = Database(ledger_url)
    full, normal = 2, 1
    for lazily in turns:
        with database.write(lazily=lazily) as db:
            assert db.exec_driver_sql("PRAGMA synchronous").scalar() == (normal if lazily else full)
            with database.write(lazily=not lazily) as inner:
                assert inner is db, "a part of the other, and stored as that is"
    with database.write() as db:
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == full
    database.close()


DAY = 24 * 3600.0


def test_a_clock_that_is_set_back_keeps_nobody_waiting(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1", "1.2", "1.3"])
    waiting, held = ledger.studies.claim([SOURCE], limit=2)
    assert ledger.studies.fail(waiting, "no")
    clock.now -= DAY
    assert {claim.study_uid for claim in ledger.studies.claim([SOURCE], limit=3)} == {"1.1", "1.2", "1.3"}
    assert not ledger.studies.finish(held), "somebody else has it now"


def test_a_clock_that_is_set_forward_costs_a_lease_and_loses_nothing(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    late = claim_one(ledger)
    clock.now += DAY
    again = claim_one(ledger)
    assert not ledger.studies.finish(late)
    assert ledger.studies.finish(again)


def test_clocks_of_replicas_may_differ_by_minutes(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, ["1.1"])
    held = claim_one(ledger)
    clock.now -= 300
    assert ledger.studies.claim([SOURCE]) == []
    assert ledger.studies.finish(held)


def test_a_clock_that_is_set_back_frees_the_lead(ledger: Ledger, clock: Clock) -> None:
    assert ledger.meta.lead("orthanc", "another-machine:1:1:1")
    clock.now -= DAY
    assert ledger.meta.lead("orthanc", "this-machine:1:1:1")


@pytest.mark.parametrize("fails", [False, True], ids=["stored", "given up"])
def test_what_is_written_within_a_transaction_is_stored_with_it_or_not_at_all(ledger: Ledger, fails: bool) -> None:
    with suppress(InterruptedError), ledger.database.write():
        ledger.studies.mark(SOURCE, [UIDS[0]])
        ledger.meta.put("a fact", "so it is")
        if fails:
            raise InterruptedError
    assert bool(ledger.studies.claim([SOURCE])) is not fails
    assert bool(ledger.meta.get("a fact")) is not fails
    ledger.meta.put("a later fact", "it stands by itself")
    assert ledger.meta.get("a later fact")


def test_what_is_due_is_found_by_the_index_however_many_wait(new_database: NewDatabase) -> None:
    database = Database(new_database())
    Ledger(database)
    if database.is_sqlite:
        sql = str(PENDING.compile(dialect=database.engine.dialect, compile_kwargs={"render_postcompile": True}))
        with database.engine.connect() as db:
            plan = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("orthanc", "pending", 0, 1, 0)).all()
        assert [row[3] for row in plan] == ["SEARCH study USING INDEX study_due (source=? AND state=? AND priority=?)"]
    database.close()


def test_the_first_in_line_of_all_sources_is_claimed_first(ledger: Ledger, clock: Clock) -> None:
    order = [(source, priority) for priority in (BY_HAND, 0, WITH_ALL, BEHIND) for source in ("b", "a")]
    for number, (source, priority) in reversed(list(enumerate(order))):
        clock.now = 1_700_000_000.0 + number
        ledger.studies.mark(source, [f"1.2.{number}"], priority)
    claims = [ledger.studies.claim(["a", "b"])[0] for _ in order]
    assert [(one.source, one.priority) for one in claims] == order
    assert ledger.studies.claim(["a", "b"]) == []
