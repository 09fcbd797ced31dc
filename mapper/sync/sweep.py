"""The sweep: compare what a source lists with what was seen, mark what differs, with one brake on vanishing.

Events only make things quick; the sweep alone brings FHIR and the source in line. It marks, it retracts nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mapper.ledger.ledger import Ledger
from mapper.sources.fingerprint import YOUNG
from mapper.sources.source import Sighting, Source
from mapper.sync.brake import BRAKE, brake_on


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
    newest, young = ledger.seen.span(source.name, f"/{YOUNG}")
    recent = source.feed.recent(min(filter(None, (newest, floor, young))) if newest else "") if source.feed else None
    if recent is None:
        return None
    number = len({*ledger.seen.ids(source.name), *(sighting.id for sighting in recent)})
    if source.count() != number:
        return None
    changed = ledger.seen.take_in(source.name, [one for one in recent if one.stable and one.study_uid])
    return Sweep(number, changed, floor=floor_of(recent))


def record(
    ledger: Ledger, source: str, listed: Iterable[Sighting], complete: bool, vanishing_allowed: bool = False
) -> Sweep:
    """Bring what was seen in line with a listing and mark what differs.

    `complete` is False when the source's own count contradicts the listing: then nothing counts as vanished.
    """
    now = {sighting.id: sighting for sighting in listed}.values()
    settled = [one for one in now if one.stable and one.study_uid]

    def brake(vanished: int, known: int) -> str:
        return "" if vanishing_allowed else brake_on(vanished, known, complete)

    found = ledger.seen.line_up(source, now, settled, complete, brake)
    ledger.meta.put(f"{BRAKE}:{source}", found.brake)
    return Sweep(len(now), found.changed, found.vanished, found.brake, floor_of(now))


def floor_of(listed: Iterable[Sighting]) -> str:
    """Return the oldest fingerprint of a study that still receives instances, or has just done so."""
    moving = (one.fingerprint for one in listed if not one.stable or one.young)
    return min(moving, default="")


def brakes(ledger: Ledger, source: str) -> list[str]:
    """Return why nothing of a source is retracted now: the sweep's reason, and that of the comparison with FHIR."""
    return [reason for key in (f"{BRAKE}:{source}", f"{BRAKE}:{source}:fhir") if (reason := ledger.meta.get(key))]
