"""What a ledger of many studies costs beside one of few: the same steps, side by side in one run.

uv run python -m bench.ledger [STUDIES...]

On SQLite, and on PostgreSQL where it is installed. Of each step the median and the 99th of 100, the growth from the
smallest ledger to the largest last; all studies still wait to be done, all behind one Endpoint.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bench.target import verdict
from mapper.fhir.resource import Resource, key_of
from mapper.ledger.claim import Claim
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.schema import seen, study, written
from mapper.maps import Mapped
from mapper.maps.rule import Made
from mapper.sources.source import Sighting
from mapper.sync.decision import speaks_for
from mapper.sync.sweep import record
from stack import Postgres
from stack.process import ROOT

SIZES = (10_000, 1_000_000)
TIMES, ONCE = 200, 3
CHANGES = 1_000
AT_ONCE = 50_000
SOURCE = "orthanc"
ENDPOINT: Resource = {"resourceType": "Endpoint", "id": "e"}
FLAT = 2.0
"""Target: growth of what is done a study."""


class Case:
    """A ledger in which so many studies stand, all behind one Endpoint and all still to be done."""

    def __init__(self, url: str, size: int) -> None:
        self.ledger, self.size = Ledger(Database(url)), size
        self.claimed: list[Claim] = []
        for rows in self.rows(range(size)):
            with self.ledger.database.write() as db:
                for table, made in rows:
                    db.execute(table.insert(), made)
        if not self.ledger.database.is_sqlite:
            with self.ledger.database.write() as db:
                db.execute(text("ANALYZE"))  # as its autovacuum does by itself a little later

    @staticmethod
    def rows(numbers: range) -> Iterator[list[tuple[Any, list[dict[str, Any]]]]]:
        """Yield what stands in each table of these studies, some at a time."""
        for first in range(0, len(numbers), AT_ONCE):
            some = numbers[first : first + AT_ONCE]
            of = [{"source": SOURCE, "study_uid": f"1.2.{number}"} for number in some]
            marked = [{**one, "generation": 1, "not_before": float(n)} for one, n in zip(of, some, strict=True)]
            sighted = [
                {**one, "source_id": str(n), "fingerprint": "20240101T000000"} for one, n in zip(of, some, strict=True)
            ]
            behind = {"type": "Endpoint", "id": str(ENDPOINT["id"]), "sha256": "", "rank": "2020-01-01"}
            yield [(study, marked), (seen, sighted), (written, [{**one, **behind} for one in of])]

    def claim(self, turn: int) -> None:
        """Claim the next study."""
        self.claimed += self.ledger.studies.claim([SOURCE])

    def finish(self, turn: int) -> None:
        """Finish one that was claimed."""
        assert self.ledger.studies.finish(self.claimed.pop())

    def one_study(self, turn: int) -> None:
        """Decide who sends the Endpoint, and record it, for one more study that is newer than all others."""
        claim, rank = Claim(SOURCE, f"1.3.{turn}", 1, 1, 0, "bench"), f"2024-01-01T{turn:04}"
        endpoint = Made()
        endpoint.update(ENDPOINT)
        mapped = Mapped([endpoint], [], rank, 1)
        known = self.ledger.written.known(claim, ("ImagingStudy", str(turn)), [key_of(ENDPOINT)])
        chosen = [key_of(one) for one in speaks_for(known, claim, mapped)]
        self.ledger.written.begin(claim, chosen, chosen)
        key = key_of(ENDPOINT)
        self.ledger.written.record(claim, [(ENDPOINT, rank)], dict.fromkeys(chosen, "1"), shared={key})

    def glance(self, turn: int) -> None:
        """Take in some studies that moved lately, as the quick sweep of a newer Orthanc does."""
        found = self.ledger.seen.take_in(SOURCE, self.listing(turn, range(CHANGES)))
        assert found == CHANGES

    def sweep(self, turn: int) -> None:
        """Compare everything with a whole listing in which some studies moved."""
        listed = [*self.listing(TIMES + turn, range(CHANGES)), *self.listing(-1, range(CHANGES, self.size))]
        assert record(self.ledger, SOURCE, listed, complete=True).changed == CHANGES

    @staticmethod
    def listing(turn: int, numbers: range) -> list[Sighting]:
        """Return these studies as they were seen at a turn."""
        moved = f"2024{turn + 102:04}T000000" if turn >= 0 else "20240101T000000"
        return [Sighting(str(number), f"1.2.{number}", moved, stable=True) for number in numbers]

    def counts(self, turn: int) -> None:
        """Read the numbers of the page."""
        self.ledger.rows.counts()


STEPS: dict[str, tuple[Callable[[Case, int], None], int, bool]] = {
    "claim the next study": (Case.claim, TIMES, True),
    "finish it": (Case.finish, TIMES, True),
    "decide and record one study": (Case.one_study, TIMES, True),
    f"a quick sweep of {CHANGES:,} changes": (Case.glance, ONCE, True),
    f"a whole sweep, {CHANGES:,} changes among them": (Case.sweep, 1, False),
    "the numbers on the page": (Case.counts, ONCE, False),
}
"""What is done, how often, and whether it should take as long however many studies there are."""


def taken(case: Case, do: Callable[[Case, int], None], times: int) -> list[float]:
    """Return the milliseconds of each turn, sorted."""
    found = []
    for turn in range(times):
        began = time.perf_counter()
        do(case, turn)
        found.append(1000 * (time.perf_counter() - began))
    return sorted(found)


def measure(name: str, cases: list[Case]) -> Table:
    """Measure every step on every size; return one table."""
    sizes = (f"{one.size:,} studies: median, 99 of 100" for one in cases)
    table = Table(f"{name}, milliseconds", *sizes, "growth", box=None)
    for step, (do, times, flat) in STEPS.items():
        rows = [taken(case, do, times) for case in cases]
        medians = [statistics.median(row) for row in rows]
        growth = medians[-1] / medians[0]
        said = verdict(growth <= FLAT, f"{growth:.1f}", f"at most {FLAT:g}") if flat else f"{growth:.1f}"
        cells = (f"{m:,.1f}, {row[int(len(row) * 0.99)]:,.1f}" for m, row in zip(medians, rows, strict=True))
        table.add_row(step, *cells, said)
    return table


def main() -> None:
    """Measure and print."""
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    console, home = Console(width=160), ROOT / ".run"  # PostgreSQL's own user cannot enter every temporary folder
    home.mkdir(exist_ok=True)
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(dir=home, prefix="bench-")))
        folder.chmod(0o755)
        files = [Case(f"sqlite:///{folder / str(size)}.db", size) for size in sizes]
        console.print(measure("SQLite", files))
        console.print()
        database = running.enter_context(Postgres(folder / "pg"))
        running.callback(database.clean)
        console.print(measure("PostgreSQL", [Case(database.create_database(f"of_{one}"), one) for one in sizes]))


if __name__ == "__main__":
    main()
