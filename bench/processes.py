"""CPU seconds by process (proc(5)): wall time of a shared machine says little, and these say who spent what."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return what a process spent, and its children, those that ended and those that live (PostgreSQL's sessions)."""
    found = _fields(pid)
    spent = sum(map(int, found[11:15])) / TICKS  # utime, stime, cutime, cstime
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError):
                spent += sum(map(int, _fields(int(child))[11:13])) / TICKS
    return spent


def peak_memory(pid: int) -> int:
    """Return the most memory that a process ever held, in bytes (VmHWM)."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


class Spent:
    """What some processes spend from now on; one that is not named costs nothing."""

    def __init__(self, pids: Mapping[str, int | None]) -> None:
        self._pids = {name: pid for name, pid in pids.items() if pid}
        self._before = self._now()

    def seconds(self) -> dict[str, float]:
        """Return what each spent so far."""
        return {name: spent - self._before[name] for name, spent in self._now().items()}

    def _now(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()}


class Others:
    """What all processes of this machine that are not named have of its CPU from now on (proc(5), /proc/stat)."""

    def __init__(self, pids: Iterable[int | None]) -> None:
        self._pids = [pid for pid in (*pids, os.getpid()) if pid]
        self._idle, self._all, self._before = *_machine(), sum(map(cpu_seconds, self._pids))

    def share(self) -> float:
        """Return their share of all CPU so far, 0 to 1."""
        idle, total = _machine()
        named = sum(map(cpu_seconds, self._pids)) - self._before
        return max(0.0, 1 - (idle - self._idle + named) / (total - self._all)) if total > self._all else 0.0


BUSY = 0.15
"""The share of others beyond which a figure by the clock says nothing of us."""


def _machine() -> tuple[float, float]:
    """Return the seconds for which the processors did nothing so far, and all there were."""
    told = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
    ticks = [int(one) for one in told]  # user nice system idle iowait irq softirq steal
    return (ticks[3] + ticks[4]) / TICKS, sum(ticks) / TICKS


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
