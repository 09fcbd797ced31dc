"""The ledger: what we know of the studies of a source, a part a table.

Its noun is the study of a source. It alone writes SQL, and knows no source, no sink and none of their failures.
"""

import random
import time
from collections.abc import Callable

from mapper.ledger.database import Database
from mapper.ledger.history import History
from mapper.ledger.logout import EndedSessions
from mapper.ledger.meta import SINK, Meta
from mapper.ledger.rows import Rows
from mapper.ledger.seen import Seen
from mapper.ledger.sides import Sides
from mapper.ledger.studies import Studies
from mapper.ledger.written import Written

OUTPUT = "output"
"""What the FHIR of a source was last made with: version of the mapping and fingerprint of its settings."""
RECONCILED = "reconciled"
"""When FHIR itself was last compared with a source."""


class Ledger:
    """The tables of one database, made or brought up to date; raises SettingError where that cannot be."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        database.create()
        self.database, self.clock = database, clock
        self.studies = Studies(database, clock, jitter)
        """Who is dirty, who works on it, how it ended."""
        self.rows = Rows(database, clock)
        """The same, to be read."""
        self.history = History(database)
        """What became of each sync."""
        self.seen = Seen(database, clock)
        """In which state a source's studies were seen."""
        self.written = Written(database, clock)
        """What each study wrote to FHIR."""
        self.meta = Meta(database, clock)
        """Facts of the ledger itself."""
        self.ended = EndedSessions(database, clock)
        """Sessions of browsers that were ended before their time."""
        self.sides = Sides(self.meta, clock)
        """Whether the sides answer, and what the last sweep found."""

    def renew(self, source: str, version: str) -> bool:
        """Put back in line, behind all others, what waits or is parked although mapping or settings are others now.

        True when they are others than those that this ledger last worked with; those that are done: see
        `Studies.remap`.
        """
        if self.meta.get(f"{OUTPUT}:{source}") == version:
            return False
        self.studies.renew(source)
        self.meta.put(f"{OUTPUT}:{source}", version)
        return True

    def move(self, sink: str) -> bool:
        """Make the ledger belong to a sink, a fingerprint of its address; True when it belonged to another one.

        What was written is forgotten then: all of it is sent again.
        """
        before = self.meta.get(SINK)
        if before == sink:
            return False
        if before is not None:
            self.written.forget()
            self.meta.drop(f"{RECONCILED}:")  # compared at once
        self.meta.put(SINK, sink)
        return before is not None
