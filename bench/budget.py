"""How long a bench may take: it ends in time on a machine that does other things too, and says how far it got."""

import time


class Budget:
    """Seconds that are spent from now on."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left, none at the least."""
        return max(0.0, self._end - time.monotonic())

    @property
    def is_spent(self) -> bool:
        """Whether nothing more is begun."""
        return self.left == 0.0

    def __str__(self) -> str:
        return f"{self._seconds:.0f} s"
