"""The secret under which sessions are signed: one for all replicas (docs/decisions/0014-sessions.md)."""

import os
import re
import secrets
from pathlib import Path

from mapper.errors import SettingError
from mapper.namespace import write

KEY = re.compile(r"[0-9a-f]{64}")


def key_of(path: Path | None) -> bytes:
    """Return the key of the file, which is made where it is absent; without a file one for the life of this process.

    Raises SettingError when the file can be read by others or holds no key.
    """
    if path is None:
        return secrets.token_bytes(32)
    try:
        if not path.exists():
            write(path, secrets.token_hex(32))
        with path.open("rb") as file:
            mode, raw = os.fstat(file.fileno()).st_mode, file.read(1000)
    except OSError as error:
        raise SettingError(f"session_key_file: {path} cannot be read or made ({type(error).__name__})") from None
    if mode & 0o027:
        raise SettingError(f"session_key_file: {path} can be read or written by others: chmod 600 it")
    text = raw.decode("ascii", errors="replace").strip()
    if not KEY.fullmatch(text):
        raise SettingError(f"session_key_file: {path} holds no key; put there what `openssl rand -hex 32` prints")
    return bytes.fromhex(text)
