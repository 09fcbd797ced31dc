"""The name of a header in which a reverse proxy says something of its own (RFC 9110 section 5.1)."""

import re

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
TAKEN = frozenset({"authorization", "cookie", "host", "origin", "content-type", "content-length", "accept", "via"})


def own_header(text: str) -> str:
    """Return the name of a header; raises ValueError for one that means something already."""
    if not NAME.fullmatch(text):
        raise ValueError("must be the name of a header, such as X-Remote-User")
    if text.lower() in TAKEN or text.lower().startswith("x-forwarded-"):
        raise ValueError("must be a header that means nothing else, such as X-Remote-User")
    return text
