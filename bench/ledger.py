"""What a ledger of many studies costs beside one of few: the same steps, side by side in one run.

uv run python -m bench.ledger
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mapper.fhir.resource import Resource, key_of
from mapper.ledger.claim import Claim
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.schema import written
from mapper.maps import Mapped
from mapper.maps.rule import Made
from mapper.sources.source import Sighting
from mapper.sync.decision import speaks_for
from mapper.sync.sweep import record

SIZES = (1_000, 10_000, 100_000)
TIMES = 20
SOURCE = "orthanc"
ENDPOINT: Resource = {"resourceType": "Endpoint", "id": "e"}
STEPS: dict[str, Callable[["Case", int], object]] = {
    "decide and record one study": lambda case, turn: case.one_study(turn),
    "claim the next study": lambda case, turn: case.ledger.studies.claim([SOURCE]),
    "the numbers on the page": lambda case, turn: case.ledger.rows.counts(),
}


class Case:
    """A ledger in which so many studies stand, all behind one Endpoint and all still to be done."""

    def __init__(self, folder: str, size: int) -> None:
        self.ledger = Ledger(Database(f"sqlite:///{Path(folder) / str(size)}.db"))
        listed = [Sighting(str(number), f"1.2.{number}", "20240101T000000", stable=True) for number in range(size)]
        began = time.perf_counter()
        record(self.ledger, SOURCE, listed, complete=True)
        self.first_sweep = time.perf_counter() - began
        with self.ledger.database.write() as db:
            db.execute(written.insert(), [self.row(one.study_uid) for one in listed])

    @staticmethod
    def row(study_uid: str) -> dict[str, Any]:
        """Return what a study that refers to the Endpoint has in `written`."""
        of = {"source": SOURCE, "study_uid": study_uid, "type": "Endpoint", "id": str(ENDPOINT["id"])}
        return {**of, "sha256": "", "rank": "2020-01-01"}

    def one_study(self, turn: int) -> None:
        """Decide who sends the Endpoint, and record it, for one more study that is newer than all others."""
        claim, rank = Claim(SOURCE, f"1.3.{turn}", 1, 1, 0, "bench"), f"2024-01-{turn + 1:02}"
        endpoint = Made()
        endpoint.update(ENDPOINT)
        mapped = Mapped([endpoint], [], rank)
        known = self.ledger.written.known(claim, ("ImagingStudy", str(turn)), [key_of(ENDPOINT)])
        chosen = [key_of(one) for one in speaks_for(known, claim, mapped)]
        self.ledger.written.begin(claim, chosen, chosen)
        self.ledger.written.record(claim, [(ENDPOINT, rank)], dict.fromkeys(chosen, "1"))


def mean(do: Callable[[int], object]) -> float:
    """Return the seconds that a step takes, over some turns."""
    began = time.perf_counter()
    for turn in range(TIMES):
        do(turn)
    return (time.perf_counter() - began) / TIMES


def main() -> None:
    """Measure every step on every size, and print one table."""
    with tempfile.TemporaryDirectory() as folder:
        cases = {size: Case(folder, size) for size in SIZES}
        table = Table("milliseconds", *(f"{size:,} studies" for size in SIZES), "ratio", box=None)
        sweeps = [case.first_sweep for case in cases.values()]
        rows = {"the first sweep": sweeps}
        for name, step in STEPS.items():
            rows[name] = [mean(partial(step, case)) for case in cases.values()]
        for name, seconds in rows.items():
            table.add_row(name, *(f"{1000 * one:,.1f}" for one in seconds), f"{seconds[-1] / seconds[0]:.1f}")
        Console().print(table)


if __name__ == "__main__":
    main()
