"""Where a page of a list ended, as a word of a URL: the next page begins behind it, whatever was added meanwhile."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any

import msgspec
from fastapi import HTTPException
from msgspec import Meta

LONGEST = 400
"""Characters of such a word."""
SOURCE = r"[^\x00-\x1f]{1,48}"
"""What may be the name of a source, as a database takes it."""
LAST_SECOND = 2**33
"""The last second since 1970 UTC that may be asked for: in every zone it has a date."""
AFTER_STUDY = tuple[
    float,
    Annotated[str, Meta(pattern=r"^[ -~]*$", max_length=64)],
    Annotated[str, Meta(pattern=r"^[^\x00\ud800-\udfff]*$", max_length=48)],
]
"""What a place in a list of studies may be: since when, UID, source."""
AFTER_SYNC = tuple[float, Annotated[int, Meta(ge=0, le=2**62)]]
"""What a place in the history may be: when a sync ended, and a number that every database can count."""


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
