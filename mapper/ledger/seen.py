"""In which state the studies of a source were last seen, by the source's own ids."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, delete, func, select

from mapper.ledger.database import Database, Inserting
from mapper.ledger.dirty import mark
from mapper.ledger.locks import TAKING_IN
from mapper.ledger.schema import seen, study
from mapper.ledger.transition import within

IDS = select(seen.c.source_id).where(seen.c.source == bindparam("of_source"))
AS_SEEN = select(seen.c.fingerprint).where(
    seen.c.source == bindparam("of_source"), seen.c.source_id == bindparam("of_id")
)
IDS_OF_STUDY = IDS.where(seen.c.study_uid == bindparam("of_study"))


@cache
def seeing(insert: Inserting) -> Any:
    """Return the INSERT of what was seen, over what was seen before."""
    new = insert(seen)
    facts = {"study_uid": new.excluded.study_uid, "fingerprint": new.excluded.fingerprint}
    return new.on_conflict_do_update(index_elements=["source", "source_id"], set_=facts)


class Sighted(Protocol):
    """A study as a source shows it: the source's own id of it, by what it is known, what moves when it changes."""

    @property
    def id(self) -> str: ...
    @property
    def study_uid(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """How a listing differs from what was seen: numbers of studies, and why nothing counts as vanished if so."""

    changed: int
    vanished: int
    brake: str


class Seen:
    """The `seen` table; what differs from it is marked in the same transaction."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock

    def ids(self, source: str, study_uid: str | None = None) -> list[str]:
        """Return the source's own ids of all studies, or those under which one was last seen."""
        asked = (IDS, {"of_source": source})
        if study_uid is not None:
            asked = (IDS_OF_STUDY, {"of_source": source, "of_study": study_uid})
        with self._database.read() as db:
            return sorted(db.execute(*asked).scalars())

    def known_as(self, sources: Collection[str], source_id: str) -> list[str]:
        """Return by which names studies are known that a source has under an id of its own."""
        with_id = seen.c.source.in_(sources), seen.c.source_id == source_id
        with self._database.read() as db:
            return sorted(set(db.execute(select(seen.c.study_uid).where(*with_id)).scalars()))

    def study_uids(self, source: str) -> frozenset[str]:
        """Return the StudyInstanceUID of every study that the source held when it was last looked at."""
        with self._database.read() as db:
            return frozenset(db.execute(select(seen.c.study_uid).where(seen.c.source == source)).scalars())

    def twice(self, source: str) -> tuple[int, int]:
        """Return how many studies stand in a source under several ids, and how many ids that is beyond one each."""
        ids = func.count().label("ids")
        each = select(ids).where(seen.c.source == source).group_by(seen.c.study_uid).having(ids > 1).subquery().c
        with self._database.read() as db:
            studies, number = db.execute(select(func.count(), func.sum(each.ids)).select_from(each.ids.table)).one()
        return studies, int(number or 0) - studies

    def span(self, source: str, suffix: str) -> tuple[str, str]:
        """Return the greatest fingerprint, and the least of those that end so; empty where there is none."""
        of_source = seen.c.source == source
        with self._database.read() as db:
            greatest = db.execute(select(func.max(seen.c.fingerprint)).where(of_source)).scalar()
            ending = of_source, seen.c.fingerprint.like(f"%{suffix}")
            least = db.execute(select(func.min(seen.c.fingerprint)).where(*ending)).scalar()
        return greatest or "", least or ""

    def take_in(self, source: str, sightings: Iterable[Sighted], priority: int = 0) -> int:
        """Remember studies and mark those that were never seen, or not in this state; returns how many.

        Processes take turns, else two that begin at once would both find a study new.
        """
        with self._database.write() as db:
            self._database.lock(db, TAKING_IN)
            changed = [one for one in sightings if _moved(db, source, one)]
            self._see(db, source, changed)
            mark(self._database, db, source, sorted({one.study_uid for one in changed}), self._clock(), priority)
        return len(changed)

    def line_up(
        self,
        source: str,
        listed: Collection[Sighted],
        settled: Iterable[Sighted],
        complete: bool,
        brake: Callable[[int, int], str],
    ) -> Difference:
        """Bring the table in line with a listing and mark what differs, in one transaction.

        `settled` are those of the listing that may be looked at; `brake` says of a number of studies that vanished,
        and of how many, why they do not count as vanished. A study that is parked and in no `complete` listing went
        before it was seen: it is marked too.
        """
        there = {one.id for one in listed}
        with self._database.write() as db:
            known = {row.source_id: row for row in db.execute(select(seen).where(seen.c.source == source))}
            changed = [one for one in settled if one.id not in known or _as_seen(known[one.id]) != _as_listed(one)]
            renamed = {known[one.id].study_uid for one in changed if one.id in known}
            renamed -= {one.study_uid for one in changed}
            vanished = [row for source_id, row in known.items() if source_id not in there]
            held = brake(len(vanished), len(known)) if vanished else ""
            if held:
                vanished = []
            for row in vanished:
                db.execute(delete(seen).where(seen.c.source == source, seen.c.source_id == row.source_id))
            self._see(db, source, changed)
            uids = {one.study_uid for one in changed} | {row.study_uid for row in vanished} | renamed
            if complete and not held:
                uids |= _parked(db, source) - {one.study_uid for one in listed}
            mark(self._database, db, source, sorted(uids), self._clock())
        return Difference(len(changed), len(vanished), held)

    def remember(self, source: str, sighting: Sighted) -> None:
        """Remember the state of a study that was just synced: the next sweep need not mark it again."""
        with self._database.write() as db:
            self._see(db, source, [sighting])

    def notice(self, source: str, study_uid: str, ids: Mapping[str, str]) -> None:
        """Remember under which ids of the source a study stands that cannot be read so, each with its fingerprint.

        The sweep then tells when one of them changes or goes. Of an empty fingerprint nothing is known but the id.
        """
        with self._database.write() as db:
            for id, fingerprint in ids.items():
                values = {"source": source, "source_id": id, "study_uid": study_uid, "fingerprint": fingerprint}
                one = self._database.insert(seen).values(values)
                known = {"index_elements": ["source", "source_id"], "set_": values}
                db.execute(one.on_conflict_do_update(**known) if fingerprint else one.on_conflict_do_nothing())

    def forget(self, source: str, study_uid: str) -> None:
        """Forget that a study was seen: the source says it is gone."""
        with self._database.write() as db:
            db.execute(delete(seen).where(seen.c.source == source, seen.c.study_uid == study_uid))

    def _see(self, db: Connection, source: str, sightings: Iterable[Sighted]) -> None:
        rows = [
            {"source": source, "source_id": one.id, "study_uid": one.study_uid, "fingerprint": one.fingerprint}
            for one in sightings
        ]
        if rows:
            db.execute(seeing(self._database.inserting), rows)


def _moved(db: Connection, source: str, sighting: Sighted) -> bool:
    return bool(db.execute(AS_SEEN, {"of_source": source, "of_id": sighting.id}).scalar() != sighting.fingerprint)


def _as_seen(row: Any) -> tuple[str, str]:
    return row.study_uid, row.fingerprint


def _as_listed(one: Sighted) -> tuple[str, str]:
    return one.study_uid, one.fingerprint


def _parked(db: Connection, source: str) -> set[str]:
    return set(db.execute(select(study.c.study_uid).where(study.c.source == source, within("parked"))).scalars())
