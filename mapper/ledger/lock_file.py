"""The lock file beside a SQLite ledger: one process delivers, all others may only mark.

The kernel lets go of it when its process ends, however that ends (flock(2)): a crash keeps nobody waiting.
"""

import fcntl
import os
from pathlib import Path

from mapper.errors import SettingError

SUFFIX = "-deliverer"


class LockFile:
    """The right to deliver from a ledger; of a database without a file everybody has it."""

    def __init__(self, ledger: Path | None = None) -> None:
        file = ledger and ledger.resolve()  # whatever it is called by: one ledger, one lock
        self._path = file and file.with_name(file.name + SUFFIX)
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the right, or keep it; False when another process has it.

        Raises SettingError when the file cannot be made or locked.
        """
        if self._path is None or self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SettingError(f"ledger: no file can be made beside it ({error.strerror})") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError as error:
            os.close(descriptor)
            raise SettingError(
                f"ledger: the file beside it cannot be locked ({error.strerror}): keep the ledger on a local disk"
            ) from None
        self._descriptor = descriptor
        return True

    def give(self) -> None:
        """Give the right back; the file stays, as somebody may hold it open."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
