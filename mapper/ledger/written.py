"""What each study wrote to FHIR, and who speaks for a resource that several studies make.

Patient, Device, BodyStructure, Practitioner, Endpoint and Organization are shared: one study is the winner, the newest
by (`started`, StudyInstanceUID); the server holds what the winner makes. The hash of the winner's row is what the
server holds; an empty hash means "send again".
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, case, delete, or_, update

from mapper.fhir.resource import Key, Resource, key_of
from mapper.ledger import own
from mapper.ledger.claim import Claim
from mapper.ledger.database import Database
from mapper.ledger.dirty import mark
from mapper.ledger.known import Known, known, of_others
from mapper.ledger.known import own as own_keys
from mapper.ledger.locks import STRIPES
from mapper.ledger.schema import written
from mapper.ledger.speaker import ABOUT, MINE, SHARED, about, besides, mine, rows_of
from mapper.ledger.summons import BEGUN, Change, Mark, Summons, summon_speakers

BEGINNING = update(written).where(ABOUT, or_(MINE, written.c.sha256 != "")).values(sha256=case((MINE, BEGUN), else_=""))
"""What one study is about to send is sent again by whoever speaks for it; of an Endpoint that is every study, once."""
DROPPED = delete(written).where(ABOUT, MINE)


class Written:
    """The `written` table behind the verbs of the delivery."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock

    def known(self, claim: Claim, study: Key, made: Iterable[Key]) -> Known:
        """Return what is known of a claimed study whose ImagingStudy has the key `study`, and of what it makes."""
        with self._database.read() as db:
            return known(db, claim, study, made)

    def of_study(self, claim: Claim) -> list[Key]:
        """Return what a study wrote or referred to so far."""
        with self._database.read() as db:
            return sorted(own_keys(db, claim))

    def alone(self, claim: Claim, made: Iterable[Key]) -> list[Key]:
        """Return those that are not shared, and that no other study, nor the same of another source, makes too."""
        mine = [key for key in made if key[0] not in SHARED]
        if not mine:
            return []
        with self._database.read() as db:
            others = besides(db, mine, claim)
        return [key for key in mine if key not in others]

    def begin(self, claim: Claim, new: Iterable[Key], doubtful: Iterable[Key]) -> None:
        """Store what is about to be written: after a crash it may be on the server although nobody recorded it.

        What is `new` of this study can then still be retracted; what is shared, `doubtful`, is sent again.
        """
        new, doubtful = list(new), list(doubtful)
        if not new and not doubtful:
            return
        with self._deciding() as db:
            own.begin(self._database, db, claim, new)
            if doubtful:
                db.execute(BEGINNING, [{**about(key), **mine(claim)} for key in doubtful])

    def record(
        self,
        claim: Claim,
        made: Iterable[tuple[Resource, str]],
        versions: Mapping[Key, str],
        *,
        stale: Iterable[Key] = (),
        lost: Iterable[Key] = (),
        shared: Collection[Key] = (),
        study: Key | None = None,
    ) -> None:
        """Store what a study makes now, each with its rank, and mark whoever has to speak for that reason.

        `versions` are those that the sink answered; `shared` is what one of several studies speaks for, `stale` what
        the study makes no more, `lost` what the sink had lost although others sent it. `study`: an ImagingStudy that
        the same study of all other sources is to write anew.
        """
        with self._deciding() as db:
            summon_speakers(db, self._marking(db), lost)
            self._drop(db, claim, list(stale))
            ranked = {key_of(one): (one, rank) for one, rank in made}
            several = {key for key in ranked if key[0] in SHARED or key in shared}
            several |= of_others(db, claim, ranked.keys() - several)
            told = [key for key in ranked if key in several]
            others, before = besides(db, told, claim), rows_of(db, claim)
            now = own.record(self._database, db, claim, ranked.values(), versions, before)
            for key in told:
                this = Change(key, others.get(key), before.get(key), now[key])
                self._summons(db, claim).stored(this, now[key], shared=key in shared, sent=key in versions)
            if study is not None:
                self._summons(db, claim).others(study)

    def leave(self, claim: Claim, study: Key) -> None:
        """Forget all that a removed study wrote; whoever speaks next for what it shared is marked.

        So is the same study of all other sources, whose ImagingStudy has the key `study`.
        """
        with self._deciding() as db:
            self._drop(db, claim, sorted(own_keys(db, claim)))
            self._summons(db, claim).others(study)

    def ask_again(self, lost: Iterable[Key]) -> None:
        """Mark the winners of these resources: the server lost what they had sent."""
        with self._deciding() as db:
            summon_speakers(db, self._marking(db), lost)

    def lose(self, source: str, uids: Sequence[str]) -> None:
        """Have all that studies wrote sent again: the sink lost it, what they share with others perhaps as well."""
        if uids:
            theirs = written.c.source == source, written.c.study_uid == bindparam("uid")
            with self._database.write() as db:
                db.execute(update(written).where(*theirs).values(sha256=""), [{"uid": uid} for uid in uids])

    def forget(self) -> None:
        """Forget the content and version of all that was written: everything is sent again."""
        with self._database.write() as db:
            db.execute(update(written).values(sha256="", version=""))

    def _summons(self, db: Connection, claim: Claim) -> Summons:
        return Summons(db, self._marking(db), claim)

    def _marking(self, db: Connection) -> Mark:
        return lambda source, study_uid: mark(self._database, db, source, [study_uid], self._clock())

    @contextmanager
    def _deciding(self) -> Iterator[Connection]:
        """Open a transaction in which nobody else decides who speaks: two that leave and come at once must see it."""
        with self._database.write() as db:
            self._database.lock(db, STRIPES)
            yield db

    def _drop(self, db: Connection, claim: Claim, keys: Sequence[Key]) -> None:
        if not keys:
            return
        others, before = besides(db, keys, claim), rows_of(db, claim)
        db.execute(DROPPED, [{**about(key), **mine(claim)} for key in keys])
        for key in keys:
            self._summons(db, claim).dropped(Change(key, others.get(key), before.get(key), None))
