"""Locks on resources, held by one thread of one replica: who may decide, put and record."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary
from zlib import crc32

from mapper.fhir.resource import Key
from mapper.ledger.database import Database

STRIPES = 1 << 24
"""Locks for all resources there are: two that share one wait for each other, as long as the sink takes to write.

So many that it does not happen: of 256, two were shared by 16 studies of two such resources each nearly always.
"""
TAKING_IN = STRIPES + 1
"""The lock of whoever compares what a source lists with what was seen (STRIPES itself is that of decisions)."""
COARSE = 1 << 8
"""Those of them for what one object may make by the thousand: PostgreSQL has room for some 6,400 locks of all sessions
(max_locks_per_transaction times max_connections)."""
MANY = frozenset({"BodyStructure", "Observation"})
"""Types of which one object may make thousands: segments, measurements."""


@dataclass(slots=True)
class Lock:
    """The right to decide about some resources."""

    keys: frozenset[Key]
    verify: Callable[[], None]
    """Raises LedgerFailed when the right was lost, as with the connection to the ledger's database."""
    _held: dict[int, threading.Lock]
    _unlock: Callable[[int], None]

    def keep(self, keys: Iterable[Key]) -> None:
        """Keep the right to these alone: who waits for another one need not wait until they are written."""
        self.keys &= frozenset(keys)
        for stripe in sorted(self._held.keys() - stripes_of(self.keys)):
            self._unlock(stripe)
            self._held.pop(stripe).release()


class Locks:
    """A lock for each stripe, shared by the threads of this process and by all processes on one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[int, threading.Lock] = WeakValueDictionary()
        """Those that somebody holds or waits for."""

    @contextmanager
    def on(self, keys: Iterable[Key]) -> Iterator[Lock]:
        """Hold the right to decide about these resources; always taken in one order."""
        wanted = frozenset(keys)
        stripes = sorted(stripes_of(wanted))
        held: dict[int, threading.Lock] = {}
        try:
            for stripe in stripes:
                lock = self._lock(stripe)
                lock.acquire()
                held[stripe] = lock
            with self._database.locked(stripes) as (verify, unlock):
                yield Lock(wanted, verify, held, unlock)
        finally:
            for lock in held.values():
                lock.release()

    def _lock(self, stripe: int) -> threading.Lock:
        with self._guard:
            lock = self._locks.get(stripe)
            if lock is None:
                lock = self._locks[stripe] = threading.Lock()
            return lock


def stripes_of(keys: Iterable[Key]) -> set[int]:
    """Return the numbers of the locks on some resources."""
    return {stripe_of(key) for key in keys}


def stripe_of(key: Key) -> int:
    """Return the number of the lock on a resource."""
    number = crc32("/".join(key).encode())
    return number % COARSE if key[0] in MANY else COARSE + number % (STRIPES - COARSE)
