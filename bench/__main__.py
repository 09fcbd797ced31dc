"""Every benchmark one after the other, each ended at its bound: together they take less than half an hour.

uv run python -m bench [NAME...]    the programs of bench/ that are named, else all of PROGRAMS
"""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from stack.process import ROOT

PROGRAMS = {
    "map": 200.0,
    "large_study": 80.0,
    "speed": 100.0,
    "throughput": 340.0,
    "live": 290.0,
    "reading": 200.0,
    "memory": 110.0,
    "ledger": 170.0,
    "pages": 70.0,
    "reports": 30.0,
    "backfill": 180.0,
}
"""The seconds after which each is ended; what it measured until then it has printed."""
ALONE = frozenset({"alike", "each_study", "sizes"})
"""Programs that take longer than all of these: their figures are dated, in docs/scale.md."""
CLEANING = 20.0
"""Seconds that a program has to end the servers that it started."""


def run(command: Sequence[str], seconds: float) -> str:
    """Run a program and return what became of it, in words; one that takes longer is interrupted, as by Ctrl+C."""
    began = time.monotonic()
    started = subprocess.Popen(command, cwd=ROOT)
    try:
        code = started.wait(seconds)
    except subprocess.TimeoutExpired:
        started.send_signal(signal.SIGINT)
        try:
            started.wait(CLEANING)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        return f"NOT FINISHED: ended at its bound of {seconds:.0f} s"
    took = f"{time.monotonic() - began:.0f} s of {seconds:.0f}"
    return f"done in {took}" if code == 0 else f"FAILED with exit code {code} after {took}"


def main() -> int:
    """Run all, say of each what became of it, and return 1 where one failed or did not finish."""
    names = sys.argv[1:] or list(PROGRAMS)
    said = {}
    for name in names:
        print(f"\n# bench.{name}\n", flush=True)
        said[name] = run([sys.executable, "-m", f"bench.{name}"], PROGRAMS[name])
    print("\n# all\n")
    for name, one in said.items():
        print(f"bench.{name}: {one}")
    return 0 if all(one.startswith("done") for one in said.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
