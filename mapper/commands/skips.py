"""Files that are skipped: the first of them by name, all of them by their number."""

from collections.abc import Callable

NAMED = 10
"""Files that are named one by one."""


class Skips:
    """Says which files are skipped, on one line each, and of many how many there were."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say, self._number = say, 0

    def one(self, skipped: str) -> None:
        """Say that a file is skipped, as long as there are few."""
        self._number += 1
        if self._number <= NAMED:
            self._say(f"skipped {skipped}")

    def all(self) -> None:
        """Say how many were skipped where not all were named."""
        if self._number > NAMED:
            self._say(f"skipped {self._number} files in all; the first {NAMED} are named above")
