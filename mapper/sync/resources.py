"""What each study wrote to FHIR, and who speaks for a resource that several studies make.

Patient, Device, Practitioner, Endpoint and Organization are shared: one study is the winner, the newest by
(`started`, StudyInstanceUID); the server holds what the winner makes. The hash of the winner's row is what the
server holds; an empty hash means "send again".
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, delete, select, update

from mapper.fhir.bundle import dump
from mapper.sync.ledger import Claim, Ledger
from mapper.sync.marks import mark
from mapper.sync.schema import written

SHARED = frozenset({"Patient", "Device", "Practitioner", "Organization", "Endpoint"})
BEGUN = "begun"
"""Instead of a hash: this study was about to send it, and what became of that is not known."""
STRIPES = 256
"""Locks for all resources there are: two that share one only wait for each other."""

Resource = Mapping[str, Any]
Key = tuple[str, str]
"""A resource's type and id."""


@dataclass(frozen=True, slots=True)
class Writer:
    """One study that makes a resource."""

    source: str
    study_uid: str
    rank: str
    sha256: str
    version: str

    @property
    def order(self) -> tuple[str, str, str]:
        """The greatest speaks."""
        return self.rank, self.study_uid, self.source


@dataclass(frozen=True, slots=True)
class Lock:
    """The right to decide about some resources."""

    keys: frozenset[Key]
    verify: Callable[[], None]
    """Raises SQLAlchemyError when the right was lost, as with the connection to the ledger's database."""


def key_of(resource: Resource) -> Key:
    """Return type and id of a resource."""
    return resource["resourceType"], resource["id"]


def hash_of(resource: Resource) -> str:
    """Return the SHA-256 of a resource."""
    return sha256(dump(resource)).hexdigest()


class Resources:
    """The `written` table behind the verbs of the worker."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._locks = tuple(threading.Lock() for _ in range(STRIPES))

    @contextmanager
    def locked(self, keys: Iterable[Key]) -> Iterator[Lock]:
        """Hold the right to decide about these resources; always taken in one order."""
        wanted = frozenset(keys)
        stripes = sorted({crc32("/".join(key).encode()) % STRIPES for key in wanted})
        with ExitStack() as held:
            for stripe in stripes:
                held.enter_context(self._locks[stripe])
            verify = held.enter_context(self._ledger.database.locked(stripes))
            yield Lock(wanted, verify)

    @contextmanager
    def _deciding(self) -> Iterator[Connection]:
        """Open a transaction in which nobody else decides who speaks: two that leave and come at once must see it."""
        with self._ledger.database.write() as db:
            self._ledger.database.lock(db, STRIPES)
            yield db

    def versions(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Return the version of each resource when its speaker last wrote it, empty where that is not known."""
        with self._ledger.database.read() as db:
            writers = {key: self._writers(db, key) for key in keys}
        return {key: max(found, key=lambda one: one.order).version if found else "" for key, found in writers.items()}

    def of_study(self, claim: Claim) -> list[Key]:
        """Return what a study wrote or referred to so far."""
        with self._ledger.database.read() as db:
            rows = db.execute(select(written.c.type, written.c.id).where(_of(claim)))
            return sorted((row.type, row.id) for row in rows)

    def to_send(self, claim: Claim, rank: str, shared: Iterable[Resource], *, again: bool = False) -> list[Resource]:
        """Return those shared resources for which this study speaks and whose content the server lacks.

        `again`: also those whose content the server should have.
        """
        chosen = []
        with self._ledger.database.read() as db:
            for resource in shared:
                writers = self._writers(db, key_of(resource))
                others = [writer for writer in writers if not _same(writer, claim)]
                me = (rank, claim.study_uid, claim.source)
                if any(other.order > me for other in others):
                    continue
                held = max(writers, key=lambda writer: writer.order).sha256 if writers else ""
                if again or held != hash_of(resource):
                    chosen.append(resource)
        return chosen

    def begin(self, claim: Claim, own: Iterable[Resource], chosen: Iterable[Resource]) -> None:
        """Store what is about to be written: after a crash it may be on the server although nobody recorded it.

        What is this study's own can then still be retracted, what is shared is sent again.
        """
        known = set(self.of_study(claim))
        doubtful = [key_of(resource) for resource in chosen]
        new = [key for key in (*map(key_of, own), *doubtful) if key not in known]
        if not new and not doubtful:
            return
        with self._deciding() as db:
            for type, id in new:
                row = {"source": claim.source, "study_uid": claim.study_uid, "type": type, "id": id, "sha256": ""}
                db.execute(self._ledger.database.insert(written).values(row).on_conflict_do_nothing())
            for type, id in doubtful:
                makers = update(written).where(written.c.type == type, written.c.id == id)
                db.execute(makers.values(sha256=""))
                db.execute(makers.where(_of(claim)).values(sha256=BEGUN))

    def record(
        self, claim: Claim, rank: str, made: Iterable[Resource], versions: Mapping[Key, str], stale: Iterable[Key]
    ) -> None:
        """Store what a study makes now, and mark whoever speaks next for what it no longer decides."""
        with self._deciding() as db:
            for key in stale:
                self._leave(db, claim, key)
            for resource in made:
                key, digest = key_of(resource), hash_of(resource)
                before = self._writers(db, key)
                values = {"sha256": digest, "rank": rank}
                if key in versions:
                    values["version"] = versions[key]
                db.execute(
                    self._ledger.database.insert(written)
                    .values(source=claim.source, study_uid=claim.study_uid, type=key[0], id=key[1], **values)
                    .on_conflict_do_update(index_elements=["source", "study_uid", "type", "id"], set_=values)
                )
                self._hand_over(db, claim, key, before)
                if key not in versions:
                    self._speak_up(db, claim, key, before, digest)

    def leave(self, claim: Claim) -> None:
        """Forget all that a removed study wrote; whoever speaks next for a shared resource is marked."""
        with self._deciding() as db:
            for row in db.execute(select(written.c.type, written.c.id).where(_of(claim))).all():
                self._leave(db, claim, (row.type, row.id))

    def ask_again(self, keys: Iterable[Key]) -> None:
        """Mark the winners of these resources: the server lost what they had sent."""
        with self._deciding() as db:
            for key in keys:
                if writers := self._writers(db, key):
                    self._summon(db, key, max(writers, key=lambda writer: writer.order))

    def made_by_others(self, claim: Claim, key: Key) -> bool:
        """Tell whether another study (or the same of another source) makes this resource too."""
        with self._ledger.database.read() as db:
            return any(not _same(writer, claim) for writer in self._writers(db, key))

    def other_sources(self, claim: Claim, study: Key) -> list[Writer]:
        """Return who else makes the ImagingStudy of a study: the same study in other sources."""
        with self._ledger.database.read() as db:
            return [writer for writer in self._writers(db, study) if not _same(writer, claim)]

    def written_elsewhere(self, claim: Claim) -> list[Key]:
        """Return what the same study of other sources wrote or referred to."""
        mine = written.c.source == claim.source
        with self._ledger.database.read() as db:
            rows = db.execute(select(written.c.type, written.c.id).where(written.c.study_uid == claim.study_uid, ~mine))
            return sorted((row.type, row.id) for row in rows)

    def ask_other_sources(self, claim: Claim, study: Key) -> None:
        """Mark the same study of all other sources: what they are to write together has changed."""
        with self._deciding() as db:
            for writer in self._writers(db, study):
                if not _same(writer, claim):
                    self._summon(db, study, writer)

    def _leave(self, db: Connection, claim: Claim, key: Key) -> None:
        before = self._writers(db, key)
        db.execute(delete(written).where(_of(claim), written.c.type == key[0], written.c.id == key[1]))
        self._hand_over(db, claim, key, before)

    def _hand_over(self, db: Connection, claim: Claim, key: Key, before: list[Writer]) -> None:
        """Summon a study that wins because this one no longer does, when the server holds other content."""
        after = self._writers(db, key)
        if key[0] not in SHARED or not before or not after:
            return
        old, new = (max(writers, key=lambda writer: writer.order) for writers in (before, after))
        unfinished = any(_same(writer, claim) and writer.sha256 == BEGUN for writer in before)
        if not _same(new, claim) and (unfinished or (_same(old, claim) and old.sha256 != new.sha256)):
            self._summon(db, key, new)

    def _speak_up(self, db: Connection, claim: Claim, key: Key, before: list[Writer], digest: str) -> None:
        """Summon this very study when it speaks now and did not when that was decided: the speaker left meanwhile."""
        if key[0] not in SHARED:
            return
        speaker = max(self._writers(db, key), key=lambda writer: writer.order)
        held = max(before, key=lambda writer: writer.order).sha256 if before else ""
        if _same(speaker, claim) and held != digest:
            self._summon(db, key, speaker)

    def _summon(self, db: Connection, key: Key, writer: Writer) -> None:
        """Have a study send its version of a resource again."""
        db.execute(
            update(written)
            .where(
                written.c.source == writer.source,
                written.c.study_uid == writer.study_uid,
                written.c.type == key[0],
                written.c.id == key[1],
            )
            .values(sha256="")
        )
        mark(self._ledger.database, db, writer.source, [writer.study_uid], self._ledger.clock())

    @staticmethod
    def _writers(db: Connection, key: Key) -> list[Writer]:
        rows = db.execute(
            select(written.c.source, written.c.study_uid, written.c.rank, written.c.sha256, written.c.version).where(
                written.c.type == key[0], written.c.id == key[1]
            )
        )
        return [Writer(*row) for row in rows]


def _of(claim: Claim) -> Any:
    return (written.c.source == claim.source) & (written.c.study_uid == claim.study_uid)


def _same(writer: Writer, claim: Claim) -> bool:
    return (writer.source, writer.study_uid) == (claim.source, claim.study_uid)
