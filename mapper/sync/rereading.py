"""How a claimed study is read: as any study, or past what its source has kept of it since it was read last."""

from math import inf

from mapper.ledger.claim import BY_HAND, Claim
from mapper.ledger.ledger import Ledger
from mapper.sources.source import Reading, Source, read_within

LONGEST_SYNC = 300.0
"""Seconds that lie at the most between the reading of a study and the end of its sync, as far as this relies on it."""


def read(source: Source, claim: Claim, ledger: Ledger) -> Reading:
    """Return the study of a claim; raises as Source.read.

    What moved since it was read last is read past what the source keeps; asked for by hand, everything is.
    """
    known_ids = ledger.seen.ids(claim.source, claim.study_uid)
    seconds = inf if claim.priority == BY_HAND else unread(claim, ledger.clock())
    return read_within(source, claim.study_uid, known_ids, seconds)


def unread(claim: Claim, now: float) -> float | None:
    """Return for how many seconds a study was not read, rather too many than too few; None: it never was."""
    return None if claim.synced_at is None else max(0.0, now - claim.synced_at) + LONGEST_SYNC
