"""Files and folders that nobody but their owner can read, whatever the umask of whoever starts the demo."""

import secrets
from pathlib import Path

UMASK = 0o077
"""What the servers are started with, so that the files they make are closed too."""


def private_file(path: Path) -> Path:
    """Make an empty file that its owner alone may read, or close the one that is there; return its path."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    return path


def private_folder(path: Path, *, passage: bool = False) -> Path:
    """Make a folder that its owner alone may enter, or close the one that is there; return its path.

    `passage`: others may pass to what they know and may read, as PostgreSQL's own user must; they see no names.
    """
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o711 if passage else 0o700)
    return path


def kept_password(path: Path) -> str:
    """Return the password that a file keeps; made up, with its file, at the first call."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        private_file(path).write_text(secrets.token_urlsafe(24))
    return path.read_text()
