"""Locks on resources, held by one thread of one replica: who may decide, put and record."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from zlib import crc32

from mapper.fhir.resource import Key
from mapper.ledger.database import Database

STRIPES = 256
"""Locks for all resources there are: two that share one only wait for each other."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The right to decide about some resources."""

    keys: frozenset[Key]
    verify: Callable[[], None]
    """Raises LedgerFailed when the right was lost, as with the connection to the ledger's database."""


class Locks:
    """A lock for each stripe, shared by the threads of this process and by all processes on one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._locks = tuple(threading.Lock() for _ in range(STRIPES))

    @contextmanager
    def on(self, keys: Iterable[Key]) -> Iterator[Lock]:
        """Hold the right to decide about these resources; always taken in one order."""
        wanted = frozenset(keys)
        stripes = sorted({crc32("/".join(key).encode()) % STRIPES for key in wanted})
        with ExitStack() as held:
            for stripe in stripes:
                held.enter_context(self._locks[stripe])
            verify = held.enter_context(self._database.locked(stripes))
            yield Lock(wanted, verify)
