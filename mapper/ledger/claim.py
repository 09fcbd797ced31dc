"""The right to sync one study until the lease is over."""

from dataclasses import dataclass

BEHIND = -2
"""Priority of a study that is only mapped anew."""
WITH_ALL = -1
"""Priority of a study asked for with all others: behind what moved, and everything of it is sent again."""
BY_HAND = 1
"""Priority of a study that a person asked for: first in line, and everything of it is sent again."""
PRIORITIES = (BY_HAND, 0, WITH_ALL, BEHIND)
"""All there are, the first in line first; 0 is that of a study that moved."""
SENT_AGAIN = frozenset({BY_HAND, WITH_ALL})
"""Priorities of a study of which everything is sent, whatever the sink is known to hold."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to sync one study until the lease is over."""

    source: str
    study_uid: str
    generation: int
    attempts: int
    priority: int
    owner: str
    began: float = 0.0
    """When it was taken, in seconds since 1970 UTC."""
    fingerprint: str = ""
    """In which state the study was read when it was synced last; empty: never, or by an earlier release."""
    done_generation: int = 0
    """The generation of the study that was finished last."""
    failure: str = ""
    """The kind of its last failure, empty when it did not fail since."""
