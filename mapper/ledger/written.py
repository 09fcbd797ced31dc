"""What each study wrote to FHIR, and who speaks for a resource that several studies make.

Patient, Device, Practitioner, Endpoint and Organization are shared: one study is the winner, the newest by
(`started`, StudyInstanceUID); the server holds what the winner makes. The hash of the winner's row is what the
server holds; an empty hash means "send again".
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, delete, select, update

from mapper.ledger.dirty import mark
from mapper.ledger.ledger import Claim, Ledger
from mapper.ledger.locks import STRIPES, Locks
from mapper.ledger.schema import written
from mapper.ledger.speaker import SHARED, Writer, hash_of, key_of, makes, of, speaker, writer, writers
from mapper.sinks.sink import Key, Resource

BEGUN = "begun"
"""Instead of a hash: this study was about to send it, and what became of that is not known."""


class Resources:
    """The `written` table behind the verbs of the worker."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.locks = Locks(ledger.database)

    @contextmanager
    def _deciding(self) -> Iterator[Connection]:
        """Open a transaction in which nobody else decides who speaks: two that leave and come at once must see it."""
        with self._ledger.database.write() as db:
            self._ledger.database.lock(db, STRIPES)
            yield db

    def versions(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Return the version of each resource when its speaker last wrote it, empty where that is not known."""
        with self._ledger.database.read() as db:
            found = {key: speaker(db, key) for key in keys}
        return {key: one.version if one else "" for key, one in found.items()}

    def of_study(self, claim: Claim) -> list[Key]:
        """Return what a study wrote or referred to so far."""
        with self._ledger.database.read() as db:
            rows = db.execute(select(written.c.type, written.c.id).where(of(claim)))
            return sorted((row.type, row.id) for row in rows)

    def to_send(self, claim: Claim, rank: str, shared: Iterable[Resource], *, again: bool = False) -> list[Resource]:
        """Return those shared resources for which this study speaks and whose content the server lacks.

        `again`: also those whose content the server should have.
        """
        chosen = []
        with self._ledger.database.read() as db:
            for resource in shared:
                key = key_of(resource)
                other, held = speaker(db, key, besides=claim), speaker(db, key)
                if other and other.order > (rank, claim.study_uid, claim.source):
                    continue
                if again or held is None or held.sha256 != hash_of(resource):
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
                rows = update(written).where(makes((type, id)))
                db.execute(rows.where(written.c.sha256 != "").values(sha256=""))  # an Endpoint: of every study, once
                db.execute(rows.where(of(claim)).values(sha256=BEGUN))

    def record(
        self, claim: Claim, rank: str, made: Iterable[Resource], versions: Mapping[Key, str], stale: Iterable[Key]
    ) -> None:
        """Store what a study makes now, and mark whoever speaks next for what it no longer decides."""
        with self._deciding() as db:
            for key in stale:
                self._leave(db, claim, key)
            for resource in made:
                key, digest = key_of(resource), hash_of(resource)
                before, mine = speaker(db, key), writer(db, key, claim)
                values = {"sha256": digest, "rank": rank}
                if key in versions:
                    values["version"] = versions[key]
                db.execute(
                    self._ledger.database.insert(written)
                    .values(source=claim.source, study_uid=claim.study_uid, type=key[0], id=key[1], **values)
                    .on_conflict_do_update(index_elements=["source", "study_uid", "type", "id"], set_=values)
                )
                self._hand_over(db, claim, key, before, mine)
                if key not in versions:
                    self._speak_up(db, claim, key, before, digest)

    def leave(self, claim: Claim) -> None:
        """Forget all that a removed study wrote; whoever speaks next for a shared resource is marked."""
        with self._deciding() as db:
            for row in db.execute(select(written.c.type, written.c.id).where(of(claim))).all():
                self._leave(db, claim, (row.type, row.id))

    def ask_again(self, keys: Iterable[Key]) -> None:
        """Mark the winners of these resources: the server lost what they had sent."""
        with self._deciding() as db:
            for key in keys:
                if newest := speaker(db, key):
                    self._summon(db, key, newest)

    def made_by_others(self, claim: Claim, key: Key) -> bool:
        """Tell whether another study (or the same of another source) makes this resource too."""
        with self._ledger.database.read() as db:
            return speaker(db, key, besides=claim) is not None

    def recorded(self, study: Key) -> list[Writer]:
        """Return who made an ImagingStudy and was recorded: the same study in every source that has it."""
        with self._ledger.database.read() as db:
            return [one for one in writers(db, study) if one.rank]  # what was only begun is perhaps not on the server

    def written_elsewhere(self, claim: Claim, others: Iterable[Writer]) -> list[Key]:
        """Return what the same study of these other sources wrote or referred to."""
        theirs = written.c.source.in_(one.source for one in others), written.c.study_uid == claim.study_uid
        with self._ledger.database.read() as db:
            rows = db.execute(select(written.c.type, written.c.id).where(*theirs))
            return sorted((row.type, row.id) for row in rows)

    def ask_other_sources(self, claim: Claim, study: Key) -> None:
        """Mark the same study of all other sources: what they are to write together has changed."""
        with self._deciding() as db:
            for one in writers(db, study):
                if not one.is_of(claim):
                    self._summon(db, study, one)

    def _leave(self, db: Connection, claim: Claim, key: Key) -> None:
        before, mine = speaker(db, key), writer(db, key, claim)
        db.execute(delete(written).where(of(claim), makes(key)))
        self._hand_over(db, claim, key, before, mine)

    def _hand_over(self, db: Connection, claim: Claim, key: Key, before: Writer | None, mine: Writer | None) -> None:
        """Summon a study that speaks because this one no longer does, when the server holds other content."""
        if key[0] not in SHARED or before is None:
            return
        after = speaker(db, key)
        if after is None or after.is_of(claim):
            return
        unfinished = mine is not None and mine.sha256 == BEGUN
        if unfinished or (before.is_of(claim) and before.sha256 != after.sha256):
            self._summon(db, key, after)

    def _speak_up(self, db: Connection, claim: Claim, key: Key, before: Writer | None, digest: str) -> None:
        """Summon this very study when it speaks now and did not when that was decided: the speaker left meanwhile."""
        if key[0] not in SHARED:
            return
        after, held = speaker(db, key), before.sha256 if before else ""
        if after and after.is_of(claim) and held != digest:
            self._summon(db, key, after)

    def _summon(self, db: Connection, key: Key, one: Writer) -> None:
        """Have a study send its version of a resource again."""
        db.execute(
            update(written)
            .where(makes(key), written.c.source == one.source, written.c.study_uid == one.study_uid)
            .values(sha256="")
        )
        mark(self._ledger.database, db, one.source, [one.study_uid], self._ledger.clock())
