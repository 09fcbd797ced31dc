"""Who has to write a resource again because of what one study did, inside a transaction that decides who speaks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, update

from mapper.fhir.resource import Key
from mapper.ledger.claim import Claim
from mapper.ledger.schema import written
from mapper.ledger.speaker import ABOUT, MINE, SHARED, Writer, about, mine, newest, speaker, writers

Mark = Callable[[str, str], None]
"""Source, StudyInstanceUID: marks a study dirty in the same transaction."""
FORGOTTEN = update(written).where(ABOUT, MINE).values(sha256="")
BEGUN = "begun"
"""Instead of a hash: this study was about to send it, and what became of that is not known."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one study did about a resource: what it said of it before, and what it says now, if anything."""

    key: Key
    other: Writer | None
    """Who would speak if this study did not make it."""
    mine: Writer | None
    now: Writer | None

    @property
    def before(self) -> Writer | None:
        """Return who spoke until now."""
        return newest(self.other, self.mine)

    @property
    def after(self) -> Writer | None:
        """Return who speaks from now on."""
        return newest(self.other, self.now)


@dataclass(frozen=True, slots=True)
class Summons:
    """Marks studies whose turn it is to speak; `claim` is the study that was just recorded or left."""

    db: Connection
    mark: Mark
    claim: Claim

    def stored(self, change: Change, now: Writer, *, shared: bool, sent: bool) -> None:
        """Summon whoever has to write a resource because this study makes it; `sent`: it was written just now."""
        self.hand_over(change)
        if shared and not sent:
            self.speak_up(change, now.sha256)
        if not shared and sent:
            self.give_back(change, now.sha256)
        if change.key[0] not in SHARED and change.mine and change.mine.sha256 != now.sha256:
            self.free(change.key)

    def dropped(self, change: Change) -> None:
        """Summon whoever has to write a resource because this study no longer makes it."""
        self.hand_over(change)
        self.leave_to_source(change)

    def hand_over(self, change: Change) -> None:
        """Summon a study that speaks because this one no longer does, when the server holds other content."""
        before, after = change.before, change.after
        if before is None or after is None or after.is_of(self.claim):
            return
        if change.key[0] not in SHARED and after.study_uid == self.claim.study_uid:
            return
        unfinished = change.mine is not None and change.mine.sha256 == BEGUN
        if unfinished or (before.is_of(self.claim) and before.sha256 != after.sha256):
            self.summon(change.key, after)

    def leave_to_source(self, change: Change) -> None:
        """Summon the same study of another source that has a resource which this source gives up."""
        after = change.after
        if change.key[0] not in SHARED and after and after.study_uid == self.claim.study_uid:
            self.summon(change.key, after)

    def speak_up(self, change: Change, digest: str) -> None:
        """Summon this very study when it speaks now and did not when that was decided: the speaker left meanwhile."""
        before, after = change.before, change.after
        held = before.sha256 if before else ""
        if after and after.is_of(self.claim) and held != digest:
            self.summon(change.key, after)

    def give_back(self, change: Change, digest: str) -> None:
        """Summon who speaks for what this study sent as its own and another one as well: neither knew of the other.

        Which of them the server took last is not known, so it may be this very study that has to send once more.
        """
        others = [one for one in self.of_other_studies(change.key) if one.sha256 != digest]
        if others and (after := change.after):
            self.summon(change.key, after)

    def free(self, key: Key) -> None:
        """Summon studies that make this too and never wrote it: parked, perhaps, for whose patient it was."""
        for one in self.of_other_studies(key):
            if not (one.rank or one.sha256 or one.version):
                self.summon(key, one)

    def of_other_studies(self, key: Key) -> list[Writer]:
        """Return the other studies that make a resource."""
        return [one for one in writers(self.db, key) if one.study_uid != self.claim.study_uid]

    def others(self, study: Key) -> None:
        """Summon the same study of all other sources to write its ImagingStudy."""
        for one in writers(self.db, study):
            if not one.is_of(self.claim):
                self.summon(study, one)

    def summon(self, key: Key, one: Writer) -> None:
        """Have a study send its version of a resource again."""
        summon(self.db, self.mark, key, one)


def summon_speakers(db: Connection, mark: Mark, lost: Iterable[Key]) -> None:
    """Have whoever speaks for these send them again: the server lost them."""
    for key in lost:
        if newest := speaker(db, key):
            summon(db, mark, key, newest)


def summon(db: Connection, mark: Mark, key: Key, one: Writer) -> None:
    """Mark a study, and forget what it wrote of a resource."""
    db.execute(FORGOTTEN, {**about(key), **mine(one)})
    mark(one.source, one.study_uid)
