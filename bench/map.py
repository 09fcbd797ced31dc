"""Metadata -> Bundle, bytes to bytes, beside dicom2fhir on the same bytes and beside the floor of any mapping.

uv run python -m bench.map    (setup/dicom2fhir.sh must have run)
"""

import cProfile
import io
import pstats
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.metadata import ATTRIBUTES, metadata
from bench.readme import tell
from bench.run import run
from mapper import bundle_from_metadata

SIZES = (1, 50, 500, 2_000, 5_000)
TARGETED = 500
"""The size of which the targets speak most."""
ROUNDS = {"mapper": 5, "floor": 5, "with": 3, "without": 3, "arriving": 1}
"""How often each contestant runs at that size; at others less often: dicom2fhir alone takes half a minute of 5,000."""
FEWER = {"mapper": 3, "floor": 3, "with": 1, "without": 1, "arriving": 1}
MEGABYTE = 1_000_000
MAPPER = [sys.executable, "-m", "bench.mapping"]
PEER = [".run/dicom2fhir/bin/python", "bench/peer.py"]
CONTESTANTS = {
    "mapper": ([*MAPPER], ["mapper"]),
    "floor": ([*MAPPER], ["floor"]),
    "with": ([*PEER], ["yes"]),
    "without": ([*PEER], ["no"]),
    "arriving": ([*MAPPER], ["arriving"]),
}
"""What is run on each file: the command before the file, and what stands behind it."""
Costs = dict[str, dict[str, float]]
"""What one size cost: CPU seconds, bytes made and most memory, by contestant."""
SAYS = """\
The mapper emits a transaction Bundle that its own check let pass: ImagingStudy with series and instances, Patient,
Practitioners, Device. dicom2fhir emits a Bundle of ImagingStudy, Patient and Device, with German extensions a series
and an instance; `without` leaves all instances out. The floor decodes the attributes that the mapper reads of each
instance and writes the mapper's Bundle, which it was given: nothing is mapped, nothing is checked.
CPU seconds, medians of interleaved runs. Memory is VmHWM of a process that read metadata as they arrived."""


def measure(path: Path, rounds: Mapping[str, int]) -> Costs:
    """Return the medians of what each contestant costs on one file: they take turns."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    for number in range(max(rounds.values())):
        for name, (before, behind) in CONTESTANTS.items():
            if number < rounds[name]:
                runs[name].append(run([*before, str(path), *behind]))
    return {name: {key: median(one[key] for one in found) for key in found[0]} for name, found in runs.items()}


def shown(attributes: int, costs: dict[int, Costs]) -> Table:
    """Return the table of one width."""
    table = Table(
        f"{attributes} attributes",
        *("ms", "instances/s", "floor ms", "x floor", "dicom2fhir ms", "without ms", "quicker x", "without x"),
        *("kB", "dicom2fhir kB", "MB", "dicom2fhir MB"),
        box=None,
    )
    for size, cost in costs.items():
        ours, floor, full, bare = (cost[name]["seconds"] for name in ("mapper", "floor", "with", "without"))
        table.add_row(
            f"{size:,}",
            *(f"{ours * 1000:,.1f}", f"{size / ours:,.0f}", f"{floor * 1000:,.2f}", f"{ours / floor:.1f}"),
            *(f"{full * 1000:,.0f}", f"{bare * 1000:,.0f}", f"{full / ours:.1f}", f"{bare / ours:.1f}"),
            *(f"{cost[name]['bytes'] / 1000:,.0f}" for name in ("mapper", "with")),
            *(f"{cost[name]['peak'] / MEGABYTE:,.0f}" for name in ("arriving", "with")),
        )
    return table


def targets(costs: dict[int, dict[int, Costs]]) -> list[tuple[str, float, float, bool]]:
    """Return each target with its figure, its bound, and whether less is better."""
    seconds = {
        (attributes, size, name): cost["seconds"]
        for attributes, sizes in costs.items()
        for size, contestants in sizes.items()
        for name, cost in contestants.items()
    }
    found = []
    for attributes in ATTRIBUTES:
        above = seconds[attributes, 500, "mapper"] / seconds[attributes, 500, "floor"]
        found.append((f"times the floor, 500 x {attributes}", above, 1.5, True))
    quicker = seconds[258, 500, "with"] / seconds[258, 500, "mapper"]
    found.append(("times as quick as dicom2fhir with instances, 500 x 258", quicker, 25, False))
    for attributes in ATTRIBUTES:
        growth = seconds[attributes, 5000, "mapper"] / seconds[attributes, 500, "mapper"] / 10
        found.append((f"linear: CPU of an instance of 5,000 by one of 500, {attributes} attributes", growth, 1.1, True))
        peak = costs[attributes][5000]["arriving"]["peak"] / MEGABYTE
        found.append((f"MB at the most, 5,000 x {attributes}", peak, 100, True))
    return found


def profile(raw: bytes) -> str:
    """Return what takes the time of one conversion, function by function: why a target is missed."""
    bundle_from_metadata(raw)
    profiler, text = cProfile.Profile(time.process_time), io.StringIO()
    profiler.runcall(bundle_from_metadata, raw)
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(15)
    return text.getvalue()


def main() -> None:
    """Print the tables and the targets, and tell the README."""
    console = Console(width=160)
    costs: dict[int, dict[int, Costs]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for attributes in ATTRIBUTES:
            costs[attributes] = {}
            for size in SIZES:
                path = Path(folder, f"{size}x{attributes}.json")
                path.write_bytes(metadata(size, attributes))
                costs[attributes][size] = measure(path, ROUNDS if size == TARGETED else FEWER)
                path.unlink()
            console.print(shown(attributes, costs[attributes]), "")
    console.print(SAYS, "")
    missed = False
    for target, figure, bound, less in targets(costs):
        held = figure <= bound if less else figure >= bound
        missed = missed or not held
        console.print(f"{'held  ' if held else 'missed'} {target}: {figure:.1f} (target {bound:g})")
    if missed:
        console.print("\nWhat takes the time of 500 x 258:", profile(metadata(500, 258)), markup=False)
    wide = costs[258][500]
    ours = wide["mapper"]["seconds"]
    tell(
        "metadata of 500 instances with 258 attributes to a FHIR Bundle, checked, bytes to bytes",
        f"{ours * 1000:.0f} ms of CPU, {wide['with']['seconds'] / ours:.0f} times as fast as dicom2fhir 0.1.25 with "
        f"instances, {ours / wide['floor']['seconds']:.1f} times what decoding and writing them take at the least",
    )
    tell(
        "the same of 5,000 instances", f"{costs[258][5000]['arriving']['peak'] / MEGABYTE:.0f} MB of memory at the most"
    )


if __name__ == "__main__":
    main()
