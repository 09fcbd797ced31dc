"""The right to sync one study until the lease is over."""

from dataclasses import dataclass

BEHIND = -1
"""Priority of a study that is only mapped anew."""
BY_HAND = 1
"""Priority of a study that a person asked for: first in line, and everything of it is sent again."""
PRIORITIES = (BY_HAND, 0, BEHIND)
"""All there are, the first in line first."""


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
