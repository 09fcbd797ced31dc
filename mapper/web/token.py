"""Which tokens protect anything."""

import re

from mapper.errors import SettingError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SHORTEST = 16
"""Characters of a token that may be asked for over a network."""
MADE = "set ORTHANC_FHIR_TOKEN to what `openssl rand -hex 32` prints"


def usable(token: str | None, host: str) -> None:
    """Raise SettingError, without repeating it, when this token cannot protect a service that listens on `host`."""
    beyond = host not in LOOPBACK
    if token is None:
        if beyond:
            raise SettingError(f"token: needed to listen on {host}; {MADE}, or host to 127.0.0.1")
        return
    if not re.fullmatch(r"[!-~]+", token):  # RFC 6750 section 2.1 allows fewer still; the plugin sends no others
        raise SettingError(f"token: visible ASCII characters only; {MADE}")
    if beyond and len(token) < SHORTEST:
        raise SettingError(f"token: at least {SHORTEST} characters to listen on {host}; {MADE}, or host to 127.0.0.1")
