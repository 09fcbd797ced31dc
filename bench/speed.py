"""How fast the mapper is, beside pydicom reading the same bytes in the same run, and from end to end.

uv run python -m bench.speed
"""

import json
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmread
from rich.console import Console
from rich.table import Table

from bench.readme import tell
from mapper import bundle_from_metadata
from stack import FhirServer, Postgres
from stack.process import ROOT
from tests.support.large import files, header
from tests.support.stack import Stack, until
from tests.support.study import study

INSTANCES, ROUNDS = 1_000, 5
STUDIES, OF_STUDY = 100, 20
PATIENCE = 300.0


def metadata(instances: int) -> bytes:
    """Return what WADO-RS answers for a series: a JSON list of data sets."""
    sets = (dcmread(BytesIO(file), stop_before_pixels=True) for file in files(header(), 1, instances))
    return json.dumps([one.to_json_dict() for one in sets]).encode()


def best(do: Callable[[], object]) -> float:
    """Return the seconds of the quickest of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        do()
        taken.append(time.perf_counter() - began)
    return min(taken)


def conversion() -> Table:
    """Compare metadata -> FHIR Bundle with what pydicom needs to read the same metadata."""
    raw = metadata(INSTANCES)
    ours = best(lambda: bundle_from_metadata(raw))
    theirs = best(lambda: [Dataset.from_json(one) for one in json.loads(raw)])
    parsed = best(lambda: json.loads(raw))
    table = Table(f"metadata of {INSTANCES} instances", "seconds", "instances a second", "ratio", box=None)
    for name, seconds in (
        ("metadata -> FHIR Bundle, bytes to bytes", ours),
        ("json.loads alone", parsed),
        ("json.loads and pydicom's Dataset.from_json", theirs),
    ):
        table.add_row(name, f"{seconds:.3f}", f"{INSTANCES / seconds:,.0f}", f"{seconds / ours:.1f}")
    tell(
        "metadata to FHIR, bytes to bytes",
        f"{INSTANCES / ours:,.0f} instances a second, checked, {theirs / ours:.0f} times as fast as pydicom reads the "
        "same bytes",
    )
    return table


def end_to_end() -> Table:
    """Measure how long studies that lie in Orthanc take to be in FHIR: HAPI on PostgreSQL, fsync on."""
    table = Table(f"{STUDIES} studies of {OF_STUDY} instances, Orthanc to HAPI on PostgreSQL", "figure", box=None)
    home = ROOT / ".run"  # PostgreSQL's own user cannot enter every temporary folder
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        with Postgres(Path(folder, "pg")) as database, FhirServer(Path(folder, "fhir"), database=database) as fhir:
            with Stack(Path(folder), fhir) as stack:
                warm = [study() for _ in range(20)]
                stack.upload(*warm, threads=4)
                stack.until_found(warm[-1].uid, 2, PATIENCE)
                stack.mapper.stop()
                samples = [study(instances=OF_STUDY) for _ in range(STUDIES)]
                stack.upload(*samples, threads=4)
                stable = lambda: all(one["IsStable"] for one in stack.pacs("GET", "/studies?expand").json())  # noqa: E731
                until(stable, PATIENCE)
                began = time.monotonic()
                stack.mapper.start().wait_ready()
                ready = time.monotonic()
                total = STUDIES + len(warm)
                until(lambda: stack.count("ImagingStudy") >= total, PATIENCE)
                seconds = time.monotonic() - ready
                table.add_row("start of the mapper", f"{ready - began:.1f} s")
                table.add_row("all in FHIR after", f"{seconds:.1f} s")
                table.add_row("studies a second", f"{STUDIES / seconds:.1f}")
                table.add_row("instances a second", f"{STUDIES * OF_STUDY / seconds:.0f}")
                tell(
                    f"{STUDIES} studies of {OF_STUDY} instances, from Orthanc to HAPI FHIR on PostgreSQL",
                    f"{STUDIES / seconds:.0f} studies, {STUDIES * OF_STUDY / seconds:.0f} instances a second",
                )
            database.clean()
    return table


def main() -> None:
    """Print both tables."""
    console = Console()
    console.print(conversion())
    console.print()
    console.print(end_to_end())


if __name__ == "__main__":
    main()
