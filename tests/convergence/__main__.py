"""`python -m tests.convergence`: many batches of walks on real servers, and what came of them."""

import argparse
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from stack.process import ROOT
from tests.convergence.machine import Outcome, run
from tests.convergence.plan import Plan
from tests.convergence.servers import Servers

OLDER_EVERY = 5
"""Every so many batches run on Debian's Orthanc 1.10.1."""


def main() -> int:
    """Run the batches; returns 1 when any was wrong."""
    options = arguments()
    began = time.monotonic()
    folder = Path(options.folder) / f"{options.seed}-{int(time.time())}"
    outcomes: list[Outcome] = []
    with Servers(folder) as servers:
        for number in range(-(-options.walks // options.side_by_side)):
            seed = options.seed + number
            newer = options.orthanc == "1.12.7" or (options.orthanc == "both" and seed % OLDER_EVERY != 0)
            from_database = newer and options.database != "no" and (options.database == "yes" or seed % 2 == 0)
            plan = Plan(seed, options.side_by_side, options.steps, newer, from_database=from_database)
            outcomes.append(run(servers, plan, lambda line: print(line, flush=True)))
            if outcomes[-1].wrong:
                print(outcomes[-1].story(), flush=True)
    report(outcomes, time.monotonic() - began)
    if any(outcome.wrong for outcome in outcomes):
        print(f"logs: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def report(outcomes: list[Outcome], seconds: float) -> None:
    """Print walks, steps, faults by kind, and time."""
    steps: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for outcome in outcomes:
        faults += outcome.faults
        for walk in outcome.walks:
            steps += walk.counts
    wrong = [outcome.plan.seed for outcome in outcomes if outcome.wrong]
    print(f"\n{sum(len(outcome.walks) for outcome in outcomes)} walks in {len(outcomes)} batches, {seconds:.0f} s")
    print(f"{steps.total()} steps: " + ", ".join(f"{count} {name}" for name, count in steps.most_common()))
    print(f"{faults.total()} faults: " + ", ".join(f"{count} {name}" for name, count in faults.most_common()))
    print(f"wrong: seeds {', '.join(map(str, wrong))}" if wrong else "every walk came out right")


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="python -m tests.convergence", description=__doc__)
    parser.add_argument("--walks", type=int, default=108, help="how many walks in all (%(default)s)")
    parser.add_argument("--steps", type=int, default=20, help="steps of each walk (%(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first batch; the next has one more")
    parser.add_argument("--side-by-side", type=int, default=12, help="walks of one batch (%(default)s)")
    parser.add_argument("--orthanc", choices=("both", "1.10.1", "1.12.7"), default="both")
    parser.add_argument(
        "--database", choices=("both", "yes", "no"), default="both", help="instances from Orthanc's (%(default)s)"
    )
    parser.add_argument("--folder", default=str(ROOT / ".run/soak"), help="where the servers run (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
