"""How long a study takes from "stable" in Orthanc to readable in FHIR, by stage, and who spends the CPU meanwhile.

uv run python -m bench.live [INSTANCES...]

One study at a time, the real servers, nothing else to do for the mapper. After AT_MOST nothing more is begun, and what
was not measured is said. The stages are the mapper's own metrics; the
ring is the time from StableStudy in `/changes` to the beginning of the work, told by the ledger's history.
"""

import re
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.budget import Budget
from bench.processes import Others, Spent
from bench.target import verdict
from stack import FhirServer, Postgres
from stack.process import ROOT
from tests.support.large import files, header
from tests.support.stack import Stack, until

INSTANCES = (1, 50, 500, 5_000)
ROUNDS, SERIES = 5, 5
AT_MOST = 240.0
"""Seconds for all of it, the servers' start aside."""
LOOK = 0.005
"""Seconds between two looks at what is measured."""
STAGES = ("read", "map", "check", "put")
RING, STAGE, AT = 0.020, 0.050, 500
"""Targets: seconds from "stable" to work at the median, and of a stage of ours at this many instances."""
OURS = ("map", "check")
SECONDS = re.compile(r'orthanc_fhir_stage_seconds_sum\{stage="(\w+)"\} (\S+)')


def stages(stack: Stack) -> dict[str, float]:
    """Return the seconds of each stage so far."""
    return {name: float(value) for name, value in SECONDS.findall(stack.api("GET", "/metrics").text)}


def stable(stack: Stack, orthanc_id: str, since: int, budget: Budget) -> float:
    """Return when `/changes` said that a study is stable; raises AssertionError when it does not say so in time."""
    while True:
        assert not budget.is_spent, f"not stable within {budget}"
        page = stack.pacs("GET", f"/changes?since={since}&limit=1000").json()
        if any(one["ChangeType"] == "StableStudy" and one["ID"] == orthanc_id for one in page["Changes"]):
            return time.time()
        since = page["Last"]
        time.sleep(LOOK)


def measure(stack: Stack, instances: int, pids: dict[str, int | None], budget: Budget) -> dict[str, float]:
    """Send one study through, and return the seconds of all that happened, CPU seconds by process among them.

    Raises AssertionError when it does not come through in time.
    """
    sample = header()
    last = stack.pacs("GET", "/changes?last").json()["Last"]
    series = SERIES if instances >= SERIES else 1
    stack.store(files(sample, series, instances // series), threads=4)
    (orthanc_id,) = stack.orthanc_ids(sample.uid)
    before = stages(stack)
    spent = Spent(pids)
    began = stable(stack, orthanc_id, last, budget)
    until(lambda: stack.found(sample.uid), budget.left)
    readable = time.time() - began
    until(lambda: history(stack, sample.uid), budget.left)
    cpu = spent.seconds()
    started = history(stack, sample.uid)[0][0]
    after = stages(stack)
    took = {name: after.get(name, 0.0) - before.get(name, 0.0) for name in STAGES}
    took["put"] -= took["check"]  # that is within it
    return {"ring to work": started - began, **took, "stable to readable": readable, **cpu}


def history(stack: Stack, uid: str) -> list[tuple[float, float]]:
    """Return when each sync of a study began and ended."""
    with sqlite3.connect(stack.mapper.folder / "ledger.db") as db:
        return db.execute("SELECT started, ended FROM history WHERE study_uid = ? ORDER BY id", (uid,)).fetchall()


def main() -> None:
    """Measure and print."""
    sizes = [int(word) for word in sys.argv[1:]] or INSTANCES
    home = ROOT / ".run"  # PostgreSQL's own user cannot enter every temporary folder
    home.mkdir(exist_ok=True)
    found: dict[int, dict[str, float]] = {}
    rounds_of: dict[int, int] = {}
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = {"ORTHANC_FHIR_INSTANCE_LIMIT": str(max(sizes))}
        with Postgres(folder / "pg") as database, FhirServer(folder / "fhir", database=database) as fhir:
            with Stack(folder, fhir, settings=settings) as stack:
                pids = {"Orthanc": stack.orthanc.pid, "HAPI FHIR": fhir.pid, "PostgreSQL": database.pid}
                pids["mapper"] = stack.mapper.pid
                others, budget = Others(pids.values()), Budget(AT_MOST)
                measured(stack, 50, ROUNDS, pids, budget)  # HAPI warms up
                for size in sizes:
                    rounds = measured(stack, size, ROUNDS if size < max(INSTANCES) else 1, pids, budget)
                    if rounds:
                        rounds_of[size] = len(rounds)
                        found[size] = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
                    if rounds and size >= max(INSTANCES):
                        found[size]["the mapper's peak memory, MB"] = stack.peak_memory() / 1e6
                busy = others.share()
            database.clean()
    report(found, busy)
    console = Console(width=140)
    for size in sizes:
        if size in found:
            console.print(f"{size:,} instances: the median of {rounds_of[size]}")
        else:
            console.print(f"{size:,} instances: NOT MEASURED, nothing came through within {budget}")
    console.print(f"Others had {busy:.0%} of this machine's CPU meanwhile.")


def measured(
    stack: Stack, instances: int, rounds: int, pids: dict[str, int | None], budget: Budget
) -> list[dict[str, float]]:
    """Return what each of some rounds took, as many as there is time for."""
    found: list[dict[str, float]] = []
    with suppress(AssertionError):  # one that does not come through in time
        while len(found) < rounds and not budget.is_spent:
            found.append(measure(stack, instances, pids, budget))
    return found


def report(found: dict[int, dict[str, float]], others: float) -> None:
    """Print what was measured, and whether the targets hold beside what others had of the CPU."""
    table = Table("milliseconds, medians", *(f"{size:,} instances" for size in found), box=None)
    names = dict.fromkeys(name for one in found.values() for name in one)
    for name in names:
        scale = 1.0 if name.endswith("MB") else 1000.0
        table.add_row(
            f"CPU: {name}" if name in ("Orthanc", "HAPI FHIR", "PostgreSQL", "mapper") else name,
            *(f"{scale * one[name]:,.0f}" if name in one else "" for one in found.values()),
        )
    console = Console(width=140)
    console.print(table)
    if not found:
        return
    rings = statistics.median(one["ring to work"] for one in found.values())
    console.print("ring to work at the median:", verdict(rings <= RING, *in_ms(rings, RING), others))
    for name in OURS if AT in found else ():
        seconds = found[AT][name]
        console.print(f"{name} at {AT}:", verdict(seconds <= STAGE, *in_ms(seconds, STAGE), others))


def in_ms(seconds: float, most: float) -> tuple[str, str]:
    """Return a time and the most that it may be, in milliseconds."""
    return f"{1000 * seconds:.0f} ms", f"at most {1000 * most:.0f}"


if __name__ == "__main__":
    main()
