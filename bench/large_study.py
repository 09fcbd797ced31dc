"""How long a large study takes from Orthanc to FHIR, and how much memory it costs the mapper.

uv run python -m bench.large_study [SERIES] [INSTANCES OF EACH]
"""

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from demo.native import FhirServer
from tests.live.large import files, header
from tests.live.stack import Stack, until

MEGABYTE = 1_000_000
PATIENCE = 900.0


def measure(series: int, instances: int) -> Table:
    """Send one study through Orthanc 1.10.1, the mapper and HAPI in memory; return what it took."""
    table = Table("what", "figure", title=f"A study of {series} x {instances} instances", box=None)
    settings = {"ORTHANC_FHIR_INSTANCE_LIMIT": "100000"}
    with tempfile.TemporaryDirectory() as folder, FhirServer(Path(folder, "fhir")) as fhir:
        with Stack(Path(folder), fhir, settings=settings) as stack:
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
            table.add_row("mapper's peak memory", f"{stack.peak_memory() / MEGABYTE:.0f} MB")
            table.add_row("attributes of an instance", str(len(sample.datasets[0])))
    return table


def main() -> None:
    """Print the table."""
    series, instances = (int(word) for word in (*sys.argv[1:], "5", "1000")[:2]) if len(sys.argv) != 2 else (5, 1000)
    Console().print(measure(series, instances))


if __name__ == "__main__":
    main()
