"""The sweep: compare what a source lists with what was seen, mark what differs, with one brake on vanishing.

Events only make things quick; the sweep alone brings FHIR and the source in line. It marks, it retracts nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select

from mapper.ledger.dirty import mark
from mapper.ledger.ledger import Ledger
from mapper.ledger.schema import seen, study
from mapper.sources.fingerprint import YOUNG
from mapper.sources.source import Sighting, Source

BRAKE_SHARE, BRAKE_STUDIES = 0.20, 50
"""More than both vanished at once: nothing is retracted until a person says so."""
BRAKE = "brake"


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep found: numbers of studies, and why the brake is on if it is."""

    listed: int = 0
    changed: int = 0
    vanished: int = 0
    brake: str = ""
    floor: str = ""
    """The oldest fingerprint of a study that was still moving: the next glance looks back as far."""


def sweep(ledger: Ledger, source: Source, *, vanishing_allowed: bool = False) -> Sweep:
    """Mark every study of a source that came, changed or went since it was last seen.

    Raises SourceDown, and then nothing was marked.
    """
    before = source.count()
    listed = {sighting.id: sighting for sighting in source.listing()}
    after = source.count()
    complete = min(before, after) <= len(listed) <= max(before, after)
    return record(ledger, source.name, listed.values(), complete, vanishing_allowed)


def glance(ledger: Ledger, source: Source, floor: str = "") -> Sweep | None:
    """Mark what moved since the newest study that was seen; None when only a whole sweep can tell.

    Cheap: studies come newest first, and the source's own count tells whether any are gone. Raises SourceDown.
    """
    with ledger.database.read() as db:
        newest = db.execute(select(func.max(seen.c.fingerprint)).where(seen.c.source == source.name)).scalar()
        doubtful = seen.c.fingerprint.like(f"%/{YOUNG}"), seen.c.source == source.name
        young = db.execute(select(func.min(seen.c.fingerprint)).where(*doubtful)).scalar()
    recent = source.feed.recent(min(filter(None, (newest, floor, young))) if newest else "") if source.feed else None
    if recent is None:
        return None
    with ledger.database.read() as db:
        ids = set(db.execute(select(seen.c.orthanc_id).where(seen.c.source == source.name)).scalars())
    number = len(ids | {sighting.id for sighting in recent})
    if source.count() != number:
        return None
    with ledger.database.write() as db:
        changed = [one for one in recent if one.stable and one.study_uid and moved(db, source.name, one)]
        see(ledger, db, source.name, changed)
        mark(ledger.database, db, source.name, sorted({one.study_uid for one in changed}), ledger.clock())
    return Sweep(number, len(changed), floor=floor_of(recent))


def moved(db: Connection, source: str, sighting: Sighting) -> bool:
    """Tell whether a study was never seen, or not in this state."""
    known = select(seen.c.fingerprint).where(seen.c.source == source, seen.c.orthanc_id == sighting.id)
    return db.execute(known).scalar() != sighting.fingerprint


def record(
    ledger: Ledger, source: str, listed: Iterable[Sighting], complete: bool, vanishing_allowed: bool = False
) -> Sweep:
    """Bring `seen` in line with a listing and mark what differs, in one transaction.

    `complete` is False when the source's own count contradicts the listing: then nothing counts as vanished.
    """
    now = {sighting.id: sighting for sighting in listed}
    with ledger.database.write() as db:
        known = {
            row.orthanc_id: row
            for row in db.execute(
                select(seen.c.orthanc_id, seen.c.study_uid, seen.c.fingerprint).where(seen.c.source == source)
            )
        }
        changed = [
            sighting
            for sighting in now.values()
            if sighting.stable
            and sighting.study_uid
            and (sighting.id not in known or seen_as(known[sighting.id]) != (sighting.study_uid, sighting.fingerprint))
        ]
        renamed = {known[one.id].study_uid for one in changed if one.id in known} - {one.study_uid for one in changed}
        vanished = [row for orthanc_id, row in known.items() if orthanc_id not in now]
        brake = ""
        if vanished and not vanishing_allowed:
            brake = brake_on(len(vanished), len(known), complete)
        if brake:
            vanished = []
        for row in vanished:
            db.execute(delete(seen).where(seen.c.source == source, seen.c.orthanc_id == row.orthanc_id))
        see(ledger, db, source, changed)
        uids = {sighting.study_uid for sighting in changed} | {row.study_uid for row in vanished} | renamed
        if complete and not brake:
            uids |= parked(db, source) - {sighting.study_uid for sighting in now.values()}
        mark(ledger.database, db, source, sorted(uids), ledger.clock())
    ledger.put(f"{BRAKE}:{source}", brake)
    return Sweep(len(now), len(changed), len(vanished), brake, floor_of(now.values()))


def seen_as(row: Any) -> tuple[str, str]:
    """Return by which name, and in which state, a study was last seen."""
    return row.study_uid, row.fingerprint


def parked(db: Connection, source: str) -> set[str]:
    """Return the studies that are parked: one that went before any sweep saw it is parked no longer."""
    return set(
        db.execute(select(study.c.study_uid).where(study.c.source == source, study.c.state == "parked")).scalars()
    )


def floor_of(listed: Iterable[Sighting]) -> str:
    """Return the oldest fingerprint of a study that still receives instances, or has just done so."""
    moving = (one.fingerprint for one in listed if not one.stable or one.young)
    return min(moving, default="")


def brake_on(vanished: int, known: int, complete: bool) -> str:
    """Return why nothing may be retracted now, or an empty text."""
    if not complete:
        return "the listing and the source's own count of studies disagree"
    if vanished > BRAKE_STUDIES and vanished > BRAKE_SHARE * known:
        return f"{vanished} of {known} studies vanished at once"
    return ""


def brakes(ledger: Ledger, source: str) -> list[str]:
    """Return why nothing of a source is retracted now: the sweep's reason, and that of the comparison with FHIR."""
    return [reason for key in (f"{BRAKE}:{source}", f"{BRAKE}:{source}:fhir") if (reason := ledger.get(key))]


def see(ledger: Ledger, db: Connection, source: str, sightings: Iterable[Sighting]) -> None:
    """Remember in which state studies were seen, inside a transaction that is open already."""
    rows = [
        {"source": source, "orthanc_id": one.id, "study_uid": one.study_uid, "fingerprint": one.fingerprint}
        for one in sightings
    ]
    new = ledger.database.insert(seen)
    facts = {"study_uid": new.excluded.study_uid, "fingerprint": new.excluded.fingerprint}
    if rows:
        db.execute(new.on_conflict_do_update(index_elements=["source", "orthanc_id"], set_=facts), rows)


def notice(ledger: Ledger, source: str, study_uid: str, ids: Iterable[str]) -> None:
    """Remember under which ids of the source a study stands, in whatever state: the sweep tells when one goes."""
    with ledger.database.write() as db:
        for id in ids:
            values = {"source": source, "orthanc_id": id, "study_uid": study_uid, "fingerprint": ""}
            db.execute(ledger.database.insert(seen).values(values).on_conflict_do_nothing())


def forget(ledger: Ledger, source: str, study_uid: str) -> None:
    """Forget that a study was seen: the source says it is gone."""
    with ledger.database.write() as db:
        db.execute(delete(seen).where(seen.c.source == source, seen.c.study_uid == study_uid))


def remember(ledger: Ledger, source: str, sighting: Sighting) -> None:
    """Remember the state of a study that was just synced: the next sweep need not mark it again."""
    with ledger.database.write() as db:
        see(ledger, db, source, [sighting])
