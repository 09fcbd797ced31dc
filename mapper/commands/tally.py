"""What became of the studies that were converted, in numbers."""

from dataclasses import dataclass


@dataclass
class Tally:
    """What became of the studies."""

    converted: int = 0
    there: int = 0
    """Written before, of exactly these files."""
    left_out: int = 0

    @property
    def all(self) -> int:
        """How many studies there were."""
        return self.converted + self.there + self.left_out
