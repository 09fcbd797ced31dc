"""Is the mapper as quick as it was? Ratios, each of five interleaved pairs of runs, against a committed baseline.

uv run python -m bench.check [--baseline]    the word writes bench/baseline.json anew

A ratio to work of other hands on the same machine in the same minute says more than seconds: these are other ones
tomorrow. Slower is what is so beyond both spreads, and by more than a fifth at the median.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from bench.metadata import metadata
from bench.run import run
from stack.process import ROOT
from tests.support.large import files, header

BASELINE = ROOT / "bench" / "baseline.json"
ROUNDS = 5
SLOWER = 1.2
"""How often as much as before is too much."""
MEGABYTE = 1_000_000
LIBRARIES = "import fhir.resources.R4B.imagingstudy, pydantic_settings, pydicom, typer"
"""What every conversion of a file has to import."""
Ratios = Mapping[str, Sequence[float]]


def by_floor(path: Path) -> float:
    """Return the CPU seconds of the mapper by those of the floor (bench.mapping)."""
    ours, floor = (run([sys.executable, "-m", "bench.mapping", str(path), one]) for one in ("mapper", "floor"))
    return ours["seconds"] / floor["seconds"]


def memory(path: Path) -> float:
    """Return the MB that the mapper held at the most while metadata arrived."""
    return run([sys.executable, "-m", "bench.mapping", str(path), "arriving"])["peak"] / MEGABYTE


def start(file: Path) -> float:
    """Return the CPU seconds of the conversion of one file by those of the imports that it cannot do without."""
    ours = [sys.executable, "-m", "mapper.commands.cli", "convert", str(file)]
    return cpu(ours) / cpu([sys.executable, "-c", LIBRARIES])


def cpu(command: Sequence[str]) -> float:
    """Return the CPU seconds of a program from its start to its end; raises CalledProcessError when it fails."""
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise subprocess.CalledProcessError(started.returncode, command)
    return used.ru_utime + used.ru_stime


def measure(folder: Path) -> Ratios:
    """Return each ratio of five rounds, in which all of them take turns."""
    narrow, wide, large, file = (folder / name for name in ("narrow", "wide", "large", "one.dcm"))
    narrow.write_bytes(metadata(500, 45))
    wide.write_bytes(metadata(500, 258))
    large.write_bytes(metadata(5_000, 45))
    file.write_bytes(next(files(header(), 1, 1)))
    ratios: dict[str, Callable[[], float]] = {
        "500 instances x 45 attributes by the floor": lambda: by_floor(narrow),
        "500 instances x 258 attributes by the floor": lambda: by_floor(wide),
        "5,000 instances x 45 attributes by the floor": lambda: by_floor(large),
        "convert of one file by the imports it needs": lambda: start(file),
        "MB of 5,000 instances x 45 attributes": lambda: memory(large),
    }
    found: dict[str, list[float]] = {name: [] for name in ratios}
    for _ in range(ROUNDS):
        for name, ratio in ratios.items():
            found[name].append(round(ratio(), 3))
    return found


def is_slower(before: Sequence[float], now: Sequence[float]) -> bool:
    """Tell whether the ratios of now are more than those before by a fifth, and beyond the spread of both."""
    return median(now) > SLOWER * median(before) and min(now) > max(before)


def lines(before: Ratios, now: Ratios) -> tuple[list[str], bool]:
    """Return a line for each ratio, and whether one is slower; one that the baseline lacks is none."""
    said, slower = [], False
    for name, found in now.items():
        known = before.get(name)
        is_worse = known is not None and is_slower(known, found)
        slower = slower or is_worse
        was = "not in the baseline" if known is None else f"was {spread(known)}"
        said.append(f"{'slower' if is_worse else 'as ever'}  {name}: {spread(found)}, {was}")
    return said, slower


def spread(found: Sequence[float]) -> str:
    """Return the median of some ratios with the least and the most of them."""
    return f"{median(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def main() -> None:
    """Print the comparison; exit code 1 when something is slower. Or write the baseline."""
    with tempfile.TemporaryDirectory() as folder:
        now = measure(Path(folder))
    if "--baseline" in sys.argv[1:]:
        BASELINE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        return
    said, slower = lines(json.loads(BASELINE.read_text(encoding="utf-8")), now)
    print("\n".join(said))
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    main()
