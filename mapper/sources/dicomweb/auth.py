"""Who asks a DICOMweb archive: a callable that returns the headers of one request."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mapper.errors import SourceDown
from mapper.http.peer import basic

Auth = Callable[[], Mapping[str, str]]


def nobody() -> Mapping[str, str]:
    """Return no header."""
    return {}


def by_password(user: str, password: str) -> Auth:
    """Return Basic authentication (RFC 7617)."""
    header = basic(user, password)
    return lambda: header


def by_token_file(path: Path) -> Auth:
    """Return a bearer token (RFC 6750) that a file holds: read anew each time, as somebody else renews it."""

    def auth() -> Mapping[str, str]:
        try:
            token = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise SourceDown(f"the file of the archive's token cannot be read ({type(error).__name__})") from None
        if not token.isprintable() or " " in token:
            raise SourceDown("the file of the archive's token holds what no header can carry")
        return {"Authorization": f"Bearer {token}"}

    return auth
