"""One measured program in a process of its own, which prints what it took as JSON."""

import json
import subprocess
from collections.abc import Sequence

from stack.process import ROOT

PATIENCE = 600.0


def run(command: Sequence[str]) -> dict[str, float]:
    """Return what a program printed; raises CalledProcessError when it failed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=PATIENCE)
    found: dict[str, float] = json.loads(done.stdout)
    return found
