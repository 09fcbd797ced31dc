"""How a claimed study is read: as any study, or past what its source has kept of it since it was read last."""

from mapper.ledger.claim import BEHIND, BY_HAND, Claim
from mapper.ledger.ledger import Ledger
from mapper.sources.source import Reading, Source, read_since


def read(source: Source, claim: Claim, ledger: Ledger) -> Reading:
    """Return the study of a claim; raises as Source.read."""
    return read_since(source, claim.study_uid, ledger.seen.ids(claim.source, claim.study_uid), since(claim))


def since(claim: Claim) -> str | None:
    """Return the state after which nothing that was kept of a study is read, empty: nothing at all; None: new to us.

    Of one that was read before, and never synced, nobody knows what was kept of it then. What is only mapped anew did
    not move.
    """
    if claim.priority == BY_HAND:
        return ""
    if claim.fingerprint:
        return claim.fingerprint
    at_first = claim.generation == claim.done_generation + 1 and claim.attempts == 1 and not claim.failure
    return None if at_first and (claim.generation == 1 or claim.priority == BEHIND) else ""
