"""How long a large study takes from Orthanc to FHIR, and how much memory it costs the mapper.

uv run python -m bench.large_study [SERIES] [INSTANCES OF EACH]
"""

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.readme import tell
from stack import FhirServer
from tests.support.large import files, header
from tests.support.stack import Stack, until

MEGABYTE = 1_000_000
PATIENCE = 900.0


def measure(stack: Stack, series: int, instances: int) -> Table:
    """Send one study through Orthanc, the mapper and HAPI; return what it took."""
    table = Table("what", "figure", box=None)
    small = header()
    stack.upload(small)
    stack.until_found(small.uid, 1)
    table.add_row("mapper's memory after a study of one instance", f"{stack.peak_memory() / MEGABYTE:.0f} MB")

    sample = header()
    began = time.monotonic()
    stack.store(files(sample, series, instances), threads=6)
    table.add_row("upload into Orthanc", f"{time.monotonic() - began:.1f} s")
    orthanc_id = stack.orthanc_ids(sample.uid)[0]
    until(lambda: stack.pacs("GET", f"/studies/{orthanc_id}").json()["IsStable"])
    stack.until_found(sample.uid, series * instances, PATIENCE)
    stack.until_state(sample.uid, "synced", seconds=60)

    began = time.monotonic()
    stack.sync(sample.uid)
    again = time.monotonic() - began
    table.add_row("read, map and write it again", f"{again:.1f} s")
    table.add_row("instances a second", f"{series * instances / again:.0f}")
    peak = f"{stack.peak_memory() / MEGABYTE:.0f} MB"
    table.add_row("mapper's peak memory", peak)
    tell(
        f"a study of {series} x {instances:,} instances, read, mapped and written",
        f"{again:.1f} s, with {peak} of memory at the most (a test holds it under 200 MB)",
    )
    return table


def main() -> None:
    """Print the table."""
    words = sys.argv[1:]
    series, instances = (int(word) for word in words) if len(words) == 2 else (5, 1000)
    settings = {"ORTHANC_FHIR_INSTANCE_LIMIT": str(series * instances)}
    with (
        tempfile.TemporaryDirectory() as folder,
        FhirServer(Path(folder, "fhir")) as fhir,
        Stack(Path(folder), fhir, settings=settings) as stack,
    ):
        console = Console()
        attributes = len(header().datasets[0])
        console.print(f"A study of {series} x {instances} instances with {attributes} attributes each\n")
        console.print(measure(stack, series, instances))


if __name__ == "__main__":
    main()
