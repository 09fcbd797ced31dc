"""Where a page of a list ended, as a word of a URL: the next page begins behind it, whatever was added meanwhile."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec
from fastapi import HTTPException

LONGEST = 400
"""Characters of such a word."""


def word(place: tuple[Any, ...] | None) -> str:
    """Return a place as a word; an empty one where there is none."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=") if place else ""


def place(word: str, kind: Any) -> Any:
    """Return the place that a word of ours names, None for an empty one; raises HTTPException 422 for any other."""
    if not word:
        return None
    try:
        return msgspec.json.decode(urlsafe_b64decode(word + "=" * (-len(word) % 4)), type=kind)
    except (ValueError, msgspec.MsgspecError):
        raise HTTPException(422, "after: this is no place in this list: begin with its first page") from None
