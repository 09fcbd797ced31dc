"""The lock of a folder: one process at a time has it, until it ends in whatever way."""

import fcntl
import os
from pathlib import Path

from mapper.errors import SettingError

NAME = ".lock"


class Lock:
    """The lock of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: int | None = None

    def take(self) -> None:
        """Take it, or have it already; raises OSError, and SettingError where another process has it."""
        if self._held is not None:
            return
        held = os.open(self._folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            raise SettingError(f"{self._folder}: another process writes or reads it already") from None
        self._held = held

    def give(self) -> None:
        """Give it back."""
        if self._held is not None:
            os.close(self._held)
            self._held = None
