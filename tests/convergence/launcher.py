"""`orthanc-fhir`, with short times, that dies or halts at a named point when a file asks for it.

The product knows nothing of it: the points are wrappers around its methods, laid on here before it starts.
"""

import os
import signal
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from mapper.ledger import meta, studies
from mapper.sync import breaker
from tests.convergence.launcher_names import LEASE, ORDER, POINTS

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}

# before the modules that take these by name are imported
studies.LEASE, meta.LEAD, studies.LONGEST_BACKOFF = LEASE, 4.0, 2.0
breaker.FIRST_WAIT, breaker.LONGEST_WAIT = 0.5, 3.0

from mapper.commands import cli  # noqa: E402
from mapper.ledger.written import Written  # noqa: E402
from mapper.sinks.fhir_server import FhirServer  # noqa: E402
from mapper.sources.orthanc.source import Orthanc  # noqa: E402
from mapper.sync import triggers, worker  # noqa: E402

triggers.SWEEP, triggers.SWEEP_AFTER_RING, triggers.POLL = 3.0, 1.0, 0.5
worker.OUTAGE_WAIT = 1.0

WHERE: dict[str, tuple[type, str, bool]] = {
    "after read": (Orthanc, "read", False),
    "after begin": (Written, "begin", False),
    "before put": (FhirServer, "put", True),
    "after put": (FhirServer, "put", False),
    "before retract": (FhirServer, "retract", True),
    "after retract": (FhirServer, "retract", False),
    "before finish": (studies.Studies, "finish", True),
    "after finish": (studies.Studies, "finish", False),
}
"""Every named point: before (True) or after a method of a class."""


def obey(point: str, order: Path) -> None:
    """Do what the file asks, if it asks for this point; it is removed first, so that it is obeyed once."""
    try:
        verb, _, where = order.read_text().partition(" ")
    except FileNotFoundError:
        return
    if where != point:
        return
    try:
        order.unlink()
    except FileNotFoundError:  # another thread obeys already
        return
    os.kill(os.getpid(), SIGNALS[verb])
    time.sleep(1.0)  # this thread may go on until the signal has reached all others


def lay(point: str, order: Path) -> None:
    """Lay one point around its method."""
    owner, name, before = WHERE[point]
    method: Callable[..., Any] = getattr(owner, name)

    @wraps(method)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if before:
            obey(point, order)
        result = method(*arguments, **named)
        if not before:
            obey(point, order)
        return result

    setattr(owner, name, wrapped)


if __name__ == "__main__":
    for each in POINTS:
        lay(each, Path(os.environ[ORDER]))
    cli.main()
