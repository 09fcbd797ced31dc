"""What happens to the servers while studies come and go; the killed are started again, the rest is up to the mapper."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import requests

from stack.process import Process
from tests.convergence.launcher_names import LEASE, POINTS
from tests.convergence.servers import Batch, Launched

REACHED = 4.0
"""Seconds to wait until a mapper comes by a named point; it may have nothing to do."""
NOT_REACHED = "not reached"


def mapper_killed(batch: Batch, random: Random) -> str:
    """Kill -9 a mapper."""
    return killed(random.choice(batch.mappers), random)


def mapper_stopped(batch: Batch, random: Random) -> str:
    """Stop a mapper as an operator does."""
    mapper = random.choice(batch.mappers)
    mapper.stop()
    mapper.start()
    return ""


def mapper_killed_at(batch: Batch, random: Random) -> str:
    """Kill -9 a mapper when it comes by a named point."""
    point, mapper = random.choice(POINTS), random.choice(batch.mappers)
    mapper.order.write_text(f"kill {point}")
    provoke(mapper, random)
    done = within(REACHED, lambda: not mapper.is_alive())
    mapper.order.unlink(missing_ok=True)
    if not done:
        return f"{point}, {NOT_REACHED}"
    mapper.start()
    return point


def mapper_paused(batch: Batch, random: Random) -> str:
    """Stop a mapper's clock, where it happens to be, until its leases are over."""
    mapper = random.choice(batch.mappers)
    if (pid := mapper.pid) is None:
        return NOT_REACHED
    os.kill(pid, signal.SIGSTOP)
    time.sleep(LEASE + 1)
    os.kill(pid, signal.SIGCONT)
    return ""


def mapper_paused_at(batch: Batch, random: Random) -> str:
    """Stop a mapper's clock at a named point until its leases are over."""
    point, mapper = random.choice(POINTS), random.choice(batch.mappers)
    if (pid := mapper.pid) is None:
        return NOT_REACHED
    mapper.order.write_text(f"stop {point}")
    provoke(mapper, random)
    done = within(REACHED, lambda: is_stopped(pid))
    mapper.order.unlink(missing_ok=True)
    if done:
        time.sleep(LEASE + 1)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    return point if done else f"{point}, {NOT_REACHED}"


def ledger_lost(batch: Batch, random: Random) -> str:
    """Lose the ledger while no mapper runs."""
    for mapper in batch.mappers:
        mapper.kill()
    if batch.database:
        batch.servers.postgres.start().wait_ready()
        batch.empty_database()
    for mapper in batch.mappers:
        for file in mapper.folder.glob("ledger.db*"):
            file.unlink()
        mapper.start()
    return "PostgreSQL" if batch.database else "SQLite"


def orthanc_killed(batch: Batch, random: Random) -> str:
    """Kill -9 Orthanc: what was not stable yet never becomes so."""
    return killed(batch.orthanc, random)


def orthanc_restarted(batch: Batch, random: Random) -> str:
    """Restart Orthanc politely."""
    batch.orthanc.stop()
    batch.orthanc.start().wait_ready()
    return ""


def orthanc_emptied(batch: Batch, random: Random) -> str:
    """Lose Orthanc's database: it starts again with nothing, and its log of changes begins anew."""
    batch.orthanc.kill()
    for storage in batch.storages():
        shutil.rmtree(storage, ignore_errors=True)
    batch.orthanc.start().wait_ready()
    return ""


def fhir_killed(batch: Batch, random: Random) -> str:
    """Kill -9 the FHIR server."""
    return killed(batch.servers.fhir, random)


def database_killed(batch: Batch, random: Random) -> str:
    """Kill -9 PostgreSQL under the FHIR server, and under the ledger where it is there."""
    return killed(batch.servers.postgres, random)


def killed(server: Process, random: Random) -> str:
    """Kill a server and start it again after a while; the next fault does not wait until it is ready."""
    server.kill()
    away = random.choice((0.0, 0.5, 3.0))
    time.sleep(away)
    server.start()
    return f"away for {away:g} s and its start"


def provoke(mapper: Launched, random: Random) -> None:
    """Give a mapper something to do: press the button of some studies."""
    with suppress(requests.RequestException, ValueError):  # it may not run, or know so many
        for one in random.sample(mapper.api("GET", "/api/studies?limit=1000")["studies"], 3):
            mapper.press(one["study_uid"])


def within(seconds: float, look: Callable[[], bool]) -> bool:
    """Look until something is so; False when it is not in time."""
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def is_stopped(pid: int) -> bool:
    """Tell whether a process stands still."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class Fault:
    """One kind of fault, and how often it is chosen among all."""

    happen: Callable[[Batch, Random], str]
    weight: int

    @property
    def name(self) -> str:
        """Return its name for people."""
        return self.happen.__name__.replace("_", " ")


FAULTS = (
    Fault(mapper_killed, 4),
    Fault(mapper_stopped, 2),
    Fault(mapper_killed_at, 9),
    Fault(mapper_paused, 2),
    Fault(mapper_paused_at, 3),
    Fault(ledger_lost, 4),
    Fault(orthanc_killed, 5),
    Fault(orthanc_restarted, 4),
    Fault(orthanc_emptied, 1),
    Fault(fhir_killed, 1),
    Fault(database_killed, 2),
)
