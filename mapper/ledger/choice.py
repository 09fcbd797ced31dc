"""Which studies are asked for, and where a page of them ends: the next one begins behind a row, not at a number.

Pages are sorted by when a study last changed its state, newest first; those whose UID is asked for by its beginning
are sorted by UID. Each order follows an index, so that the last page costs what the first one does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Select, false, func, select, tuple_

from mapper.ledger.outcome import asked
from mapper.ledger.schema import FAILED, history, study
from mapper.ledger.state import State

ANY = "any"
"""Instead of a kind of failure: whatever failed."""
LAST = "\x7f"
"""Behind whatever may follow the beginning of a UID, by its bytes."""
BY_CHANGE = study.c.changed_at, study.c.study_uid, study.c.source
BY_UID = study.c.study_uid, study.c.source


class Place(NamedTuple):
    """Where a study stands among others: since when it is in its state (seconds since 1970 UTC), UID and source."""

    changed_at: float
    study_uid: str
    source: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Which studies are wanted; what is left out wants all of them.

    With `failure` alone those that fail now; with `since` too all of which a sync failed so since then, however they
    stand now.
    """

    state: State | None = None
    failure: str | None = None
    """Kind of failure, a name of mapper.errors, or ANY."""
    since: float | None = None
    """In its state, or failed, since then at the earliest, in seconds since 1970 UTC."""
    until: float | None = None
    """In its state since, or failed, before then."""
    uid_begins: str = ""
    source: str | None = None

    def where(self) -> list[Any]:
        """Return what SQL is to look for."""
        found: list[Any] = []
        if self.state is not None:
            found.append(study.c.state == self.state)
        if self.looks_back:
            found.append(tuple_(study.c.source, study.c.study_uid).in_(self.failed()))
        elif self.failure is not None:
            found.append(study.c.failure > "" if self.failure == ANY else study.c.failure == self.failure)
        if self.source is not None:
            found.append(study.c.source == self.source)
        if self.since is not None and not self.looks_back:
            found.append(study.c.changed_at >= self.since)
        if self.until is not None and not self.looks_back:
            found.append(study.c.changed_at < self.until)
        if not (self.uid_begins.isascii() and self.uid_begins.isprintable()):
            found.append(false())  # begins no UID, and a database may refuse the very question
        elif self.uid_begins:
            found += [study.c.study_uid >= self.uid_begins, study.c.study_uid < self.uid_begins + LAST]
        return found

    @property
    def looks_back(self) -> bool:
        """Whether it is asked which studies failed in a time, not which stand so."""
        return self.failure is not None and self.since is not None

    def failed(self) -> Select[Any]:
        """Return the query for source and UID of the studies of which a sync failed in the time asked for."""
        wanted = [FAILED, *asked(since=self.since)]
        if self.failure != ANY:  # a function of the column: else another index is followed, and each row looked up
            wanted.append(func.coalesce(history.c.failure, "") == self.failure)
        if self.until is not None:
            wanted.append(history.c.ended < self.until)
        return select(history.c.source, history.c.study_uid).where(*wanted)

    def page(self, query: Select[Any], after: Place | None, limit: int) -> Select[Any]:
        """Return the query for one page, the rows behind `after`."""
        query = query.where(*self.where())
        if self.uid_begins:
            if after is not None:
                query = query.where(tuple_(*BY_UID) > tuple_(*after[1:]))
            return query.order_by(*BY_UID).limit(limit)
        if after is not None:
            query = query.where(tuple_(*BY_CHANGE) < tuple_(*after))
        return query.order_by(*descending(BY_CHANGE)).limit(limit)


def descending(columns: Sequence[Any]) -> list[Any]:
    """Return an order with the last first."""
    return [column.desc() for column in columns]
