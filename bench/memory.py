"""Does the mapper's memory grow over many studies? An Orthanc full of small ones into a FHIR server that keeps nothing.

uv run python -m bench.memory [STUDIES]
"""

import sys
import tempfile
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from bench.full_orthanc import FullOrthanc, stored
from bench.null_server import NullFhir
from bench.readme import tell
from bench.target import verdict
from stack import Orthanc
from stack.ports import LOOPBACK
from stack.process import ROOT

STUDIES, LOOKS, WORKERS = 2_000, 10, 4
MEGABYTE = 1_000_000
FLAT = 1.1
"""Target: the memory at the end by that after a quarter."""


def resident(pid: int) -> float:
    """Return the MB that a process holds now (VmRSS, proc(5))."""
    told = Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]
    return int(told) * 1024 / MEGABYTE


def main() -> None:
    """Print the curve, and whether it is flat."""
    studies = int(sys.argv[1]) if sys.argv[1:] else STUDIES
    found: dict[int, float] = {}

    def look(done: int, pid: int) -> None:
        if done >= (len(found) + 1) * studies // LOOKS:
            found[done] = resident(pid)

    home = ROOT / ".run"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as name:
        folder = Path(name)
        with Orthanc(folder / "orthanc", mapper_url=f"http://{LOOPBACK}:9", token=uuid4().hex) as orthanc:
            stored(orthanc, studies, 1, 2)
            with NullFhir(folder / "null", milliseconds=0) as fhir:
                FullOrthanc(folder, orthanc, studies).synced(fhir, WORKERS, {}, look)  # type: ignore[arg-type]
    console, most = Console(width=140), max(found.values())
    table = Table(f"{studies:,} studies of 2 instances", "MB", "", box=None)
    for done, megabytes in found.items():
        table.add_row(f"after {done:,}", f"{megabytes:.0f}", "#" * round(50 * megabytes / most))
    console.print(table)
    (quarter, *_), last = (value for done, value in found.items() if done >= studies / 4), [*found.values()][-1]
    growth = last / quarter
    console.print("growth from a quarter to the end:", verdict(growth <= FLAT, f"{growth:.2f}", f"at most {FLAT}"))
    tell(
        f"{studies:,} studies one after the other",
        f"{quarter:.0f} MB of memory after a quarter of them, {last:.0f} MB at the end",
    )


if __name__ == "__main__":
    main()
