"""Which process holds a claim: what a dead process of this machine held need not wait until its lease is over."""

import os
import socket
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

SEPARATOR = "-"
SKEW = 600.0
"""Seconds by which the clocks of replicas may differ."""


def new_owner() -> str:
    """Return a name for one claim of this process, not used before."""
    return f"{_process(os.getpid())}{uuid4().hex}"


@cache
def _process(pid: int) -> str:
    """Return the beginning of all names of a process: it was born but once."""
    return SEPARATOR.join((machine(), str(pid), born(pid), ""))


def is_dead(owner: str) -> bool:
    """Tell whether a claim's owner is a process of this machine that no longer runs; False when nobody can know."""
    where, _, rest = owner.partition(SEPARATOR)
    pid, _, rest = rest.partition(SEPARATOR)
    began = rest.partition(SEPARATOR)[0]
    return where == machine() and pid.isdigit() and began.isdigit() and born(int(pid)) != began


def machine() -> str:
    """Return a short name of this machine or container since it was started: a hash, as a host name may tell too much.

    Two machines may have one name; the kernel's boot id (random(4)) tells them apart.
    """
    try:
        booted = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        booted = ""
    return sha256(f"{socket.gethostname()} {booted}".encode()).hexdigest()[:8]


def born(pid: int) -> str:
    """Return when a process started, in the kernel's own clock (proc(5)); empty when it does not run, or no /proc."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, began = facts[0], facts[19]
    return "" if state == "Z" else began
