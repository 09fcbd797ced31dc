"""Files of certificates by which a server is believed."""

import ssl
from pathlib import Path


def certificates(value: Path | None) -> Path | None:
    """Return a file of certificates; raises ValueError when it cannot be read as such."""
    if value is None:
        return None  # the system's own: nothing of ours to be wrong
    try:
        ssl.create_default_context(cafile=value)
    except OSError as error:
        raise ValueError(f"cannot be read as certificates ({type(error).__name__})") from error
    return value
