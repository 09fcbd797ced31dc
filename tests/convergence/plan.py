"""What one batch of walks is to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """One batch: everything that chance decides follows from its seed."""

    seed: int
    walks: int = 12
    steps: int = 20
    newer: bool = True
    """Orthanc 1.12.7, else Debian's 1.10.1."""
    faults: tuple[str, ...] | None = None
    """Which may happen, by name; None: all."""
    stored: str = "objects"
    """What studies get (tests.convergence.actions.STORED): a seed goes the steps that it went when it was chosen."""
    from_database: bool = False
    """Whether the mapper reads instances from the database of this Orthanc."""
