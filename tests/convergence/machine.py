"""The machine: batches of disjoint walks with faults all around, a quiet phase, and the comparison with the truth."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

import requests

from tests.convergence.fault import FAULTS, NOT_REACHED
from tests.convergence.pacs import Pacs
from tests.convergence.plan import Plan
from tests.convergence.servers import Batch, Servers
from tests.convergence.truth import Truth, differences, held_by, truth_of, versions
from tests.convergence.walk import Walk

QUIET_WITHIN = 120.0
"""Seconds in which FHIR must say what Orthanc says, once nothing happens any more."""
SETTLES = 3.5
"""Seconds until a study is stable, and its LastUpdate no longer young."""
BY_HAND = "holds one identity twice"
"""Why a study may be parked by what a proxy answered (412): a person retries it."""
RATES = (0.0, 0.1, 0.2)
BETWEEN = (0.2, 1.5)
"""Seconds between two faults."""
Say = Callable[[str], None]
T = TypeVar("T")


@dataclass
class Outcome:
    """How a batch went."""

    plan: Plan
    walks: list[Walk] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    happened: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    studies: int = 0
    parked: int = 0
    retried: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Return how many steps all walks went."""
        return sum(walk.counts.total() for walk in self.walks)

    def story(self) -> str:
        """Return all that was done, for whoever looks for the reason."""
        lines = [f"seed {self.plan.seed}: {self.plan}", "wrong:", *self.wrong, "faults:", *self.happened]
        for walk in self.walks:
            concerned = any(walk.name in line or any(line_of(line, done) for done in walk.done) for line in self.wrong)
            lines += [f"walk {walk.name}{' <---' if concerned else ''}:", *(f"  {one}" for one in walk.done)]
        return "\n".join(lines)


def line_of(wrong: str, done: str) -> bool:
    """Tell whether a step names the study that a difference names."""
    return any(word in wrong for word in done.replace(",", " ").replace(":", " ").split() if word.startswith("2.25."))


def run(servers: Servers, plan: Plan, say: Say = print) -> Outcome:
    """Run one batch and return how it went."""
    random, outcome = Random(plan.seed), Outcome(plan)
    replicas = 2 if random.random() < 0.3 else 1
    before = frozenset(held_by(servers.fhir))
    with Batch(servers, plan.seed, newer=plan.newer, from_database=plan.from_database, replicas=replicas) as batch:
        timed(outcome, "walks", lambda: walk_and_break(batch, plan, random, outcome))
        timed(outcome, "start", batch.start_all)
        asked = random.random() < 0.6
        truth = timed(outcome, "quiet", lambda: quiet(batch, outcome, before, asked))
        if not outcome.wrong:
            timed(outcome, "again", lambda: sync_again(batch, outcome, truth, before))
        outcome.faults.update(batch.before_fhir.faults + batch.before_orthanc.faults)
        if outcome.wrong:
            keep(batch, outcome)
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in outcome.seconds.items())
    say(
        f"seed {plan.seed}: {len(outcome.walks)} walks, {outcome.steps} steps, {outcome.studies} studies in the end, "
        f"{outcome.parked} parked for two patients, {outcome.retried} retried by hand, "
        f"{outcome.faults.total()} faults; {batch.orthanc.name}, {replicas} mapper{'s' * (replicas - 1)}, "
        f"{'asked to sweep' if asked else 'left alone'}; {times}: {'WRONG' if outcome.wrong else 'right'}"
    )
    return outcome


def timed(outcome: Outcome, name: str, do: Callable[[], T]) -> T:
    """Do something and note how long it took."""
    began = time.monotonic()
    try:
        return do()
    finally:
        outcome.seconds[name] = time.monotonic() - began


def walk_and_break(batch: Batch, plan: Plan, random: Random, outcome: Outcome) -> None:
    """Run all walks side by side while faults happen, one after the other."""
    press = batch.mappers[0].press
    outcome.walks = [Walk(Pacs(batch.orthanc), n, press, plan) for n in range(plan.walks)]
    possible = [one for one in FAULTS if plan.faults is None or one.name in plan.faults]
    rate = random.choice(RATES) if plan.faults is None else 0.0
    batch.break_answers(rate, rate / 10)
    done = threading.Event()
    with ThreadPoolExecutor(plan.walks) as pool:
        running = [pool.submit(walk.run, plan.steps) for walk in outcome.walks]
        threading.Thread(target=tell, args=(running, done), daemon=True).start()
        while possible and not done.wait(random.uniform(*BETWEEN)):
            for mapper in batch.mappers:
                mapper.start()  # whoever ended, as without its database, is started again: a supervisor would
            (fault,) = random.choices(possible, [one.weight for one in possible])
            outcome.happened.append(f"{fault.name} …")
            said = fault.happen(batch, random)
            outcome.happened[-1] = f"{fault.name}: {said}".removesuffix(": ")
            outcome.faults[fault.name if NOT_REACHED not in said else f"{fault.name} ({NOT_REACHED})"] += 1
        for one in running:
            one.result()
    batch.break_answers(0.0, 0.0)


def tell(running: list[Future[None]], done: threading.Event) -> None:
    """Set an event when all walks are over."""
    wait(running)
    done.set()


def quiet(batch: Batch, outcome: Outcome, before: frozenset[str], asked: bool) -> Truth:
    """Wait until FHIR says what Orthanc says; what is still wrong when time is over stands in the outcome."""
    end = time.monotonic() + QUIET_WITHIN
    time.sleep(SETTLES)
    while True:
        if asked:
            batch.mappers[0].api("POST", "/wake", json={"sweep": True})
        calm(batch, end)
        outcome.retried += retry_by_hand(batch)
        calm(batch, end)
        truth = truth_of(batch.mappers[0])
        outcome.wrong = [*differences(truth, held_by(batch.servers.fhir), before), *states(batch, truth)]
        outcome.studies, outcome.parked = len(truth.studies), len(truth.parked)
        if not outcome.wrong or time.monotonic() > end:
            return truth
        left = f"{end - time.monotonic():.0f} s left"
        outcome.happened.append(f"not yet right, {left}: {outcome.wrong[0]} and {len(outcome.wrong) - 1} more")
        time.sleep(1.0)


def calm(batch: Batch, end: float) -> None:
    """Wait until no study waits."""
    while time.monotonic() < end:
        time.sleep(1.0)
        try:
            counts = batch.mappers[0].api("GET", "/api/studies?limit=1")["counts"]
        except requests.RequestException:
            continue
        if not counts["pending"] + counts["syncing"] + counts["retrying"]:
            return


def retry_by_hand(batch: Batch) -> int:
    """Retry what the proxy's answers parked, as a person does; returns how many."""
    found = batch.mappers[0].api("GET", "/api/studies?state=parked&limit=1000")["studies"]
    chosen = [one["study_uid"] for one in found if BY_HAND in one["message"]]
    if chosen:
        batch.mappers[0].api("POST", "/api/retry", json={"studies": chosen})
    return len(chosen)


def states(batch: Batch, truth: Truth) -> list[str]:
    """Return where the ledger says of a study something else than it should."""
    found = batch.mappers[0].api("GET", "/api/studies?limit=1000")["studies"]
    said = {one["study_uid"]: (one["state"], one["message"]) for one in found}
    wrong = []
    for uid in sorted({*said, *truth.studies, *truth.parked}):
        state, message = said.get(uid, ("unknown to the ledger", ""))
        wanted = "parked" if uid in truth.parked else "synced" if uid in truth.studies else "removed"
        if uid in truth.filed_twice and state == "parked" and "another patient" in message:
            continue
        if state != wanted or (wanted == "parked" and "PatientIDs" not in message):
            wrong.append(f"state: {uid} is {state} ({message}), should be {wanted}")
    return wrong


def sync_again(batch: Batch, outcome: Outcome, truth: Truth, before: frozenset[str]) -> None:
    """Sync every study once more: no version may change, and nothing else."""
    earlier = versions(held_by(batch.servers.fhir))
    for uid in truth.studies:
        batch.mappers[0].api("POST", f"/api/studies/{uid}/sync", json={})
    calm(batch, time.monotonic() + QUIET_WITHIN)
    held = held_by(batch.servers.fhir)
    later = versions(held)
    outcome.wrong += [
        f"version: {reference} {earlier.get(reference)} -> {later.get(reference)}"
        for reference in sorted({*earlier, *later})
        if earlier.get(reference) != later.get(reference)
    ]
    outcome.wrong += [*differences(truth, held, before), *states(batch, truth)]


def keep(batch: Batch, outcome: Outcome) -> None:
    """Write down how it came about, beside the logs."""
    story = batch.servers.folder / f"wrong-{outcome.plan.seed}.txt"
    logs = "".join(f"\n== {mapper.log}\n{mapper.log_tail(4000)}" for mapper in batch.mappers)
    story.write_text(outcome.story() + logs)
