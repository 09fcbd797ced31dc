"""The mapper with a profile of its workers, by the CPU time of each thread: what a study costs, function by function.

python -m bench.profiled FILE    runs `orthanc-fhir serve`, and keeps the top lines in FILE
"""

import cProfile
import pstats
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from mapper.commands.cli import main as serve
from mapper.sync.worker import Worker
from stack import Mapper

LINES, EVERY = 25, 20


class Profiled(Mapper):
    """Runs this program instead of `orthanc-fhir serve`."""

    @property
    def profile(self) -> Path:
        """Return the file of the top lines."""
        return self.folder.parent / "profile.txt"

    def command(self) -> Sequence[str]:
        """Return Python and the program."""
        return [sys.executable, "-m", "bench.profiled", str(self.profile)]


def watched(path: Path) -> None:
    """Have every turn of a worker profiled."""
    profiles: dict[int, cProfile.Profile] = {}
    turn, turns = Worker.turn, 0

    def profiled(worker: Worker) -> bool:
        nonlocal turns
        own = profiles.setdefault(threading.get_ident(), cProfile.Profile(time.thread_time))
        did = own.runcall(turn, worker)
        turns += did
        if did and turns % EVERY == 0:
            with path.open("w", encoding="utf-8") as file:
                pstats.Stats(own, stream=file).strip_dirs().sort_stats("tottime").print_stats(LINES)
        return did

    Worker.turn = profiled  # type: ignore[method-assign]


if __name__ == "__main__":
    watched(Path(sys.argv[1]))
    sys.argv = ["orthanc-fhir", "serve"]
    serve()
