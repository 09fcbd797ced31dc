"""A JSON list of data sets (PS3.18 Annex F), taken apart while it arrives: never more than one data set is held.

Only the ends of the data sets are looked for here. What is in them is read, or refused, by whoever gets them.
"""

import re
from collections.abc import Iterable, Iterator

from mapper.errors import BadMetadata
from mapper.nesting import Nesting

NOT_METADATA = "the answer is not a JSON list of DICOM data sets"
BLANKS = b" \t\r\n"
MOST_BLANKS = 1 << 16
LARGEST = 64 << 20
"""Bytes of one data set beyond which nothing of it is read: it is held whole, and once more while it is decoded."""
BETWEEN = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*(?=\{)")
NEAR = 64
"""Bytes by which a data set and the one before it mostly differ."""
UNFINISHED = re.compile(rb"\}[ \t\r\n]*,?[ \t\r\n]*")

ITEMS = 64
"""Items inside items beyond which nothing is read."""
DEEPEST = 1 + 3 * ITEMS + 3
"""Brackets of a data set: itself, three for each item (attribute, Value, item), an attribute with a person name."""


def data_sets(parts: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each data set of a list as it stands there, and whether it nests deeper than DEEPEST.

    Raises BadMetadata when the text is no list, or one of them larger than LARGEST; what is no object may come as the
    last data set.
    """
    text, opened = bytearray(), False
    nesting, followed, searched, size = Nesting(DEEPEST), 0, 0, 0
    for part in parts:
        text += part
        if not opened:
            text = text.lstrip(BLANKS)
            if text and not text.startswith(b"["):
                raise BadMetadata(NOT_METADATA)
            inside = text[1:].lstrip(BLANKS)
            if not inside:
                del text[1:]
                continue
            text, opened = inside, True
        while True:
            if size and not searched and (alike := as_long(text, size)):
                one, deep, following = alike
                yield one, deep
                size = len(one)
                del text[:following]
                continue
            if (between := BETWEEN.search(text, searched)) is None:
                break
            end = searched = between.start() + 1
            nesting.feed(text[followed:end])
            followed = end
            if nesting.outside:
                yield taken(text, end), nesting.too_deep
                del text[: between.end()]
                nesting, followed, searched, size = Nesting(DEEPEST), 0, 0, end
        searched = unfinished(text, searched)
        bounded(len(text) - MOST_BLANKS)  # what may stand behind it
        nesting.feed(text[followed:searched])
        followed = searched
        if nesting.outside and followed:  # neither in a data set, nor at its end
            raise BadMetadata(NOT_METADATA)
        if nesting.depth < 0:
            text = text.rstrip(BLANKS)
            followed = searched = len(text)
            if nesting.depth < -1 or not text.endswith(b"]"):
                raise BadMetadata(NOT_METADATA)
    if nesting.depth != -1:
        raise BadMetadata(NOT_METADATA)
    if last := taken(text, len(text) - 1).strip(BLANKS):
        yield last, nesting.too_deep


def as_long(text: bytearray, size: int) -> tuple[bytes, bool, int] | None:
    """Return the data set that a text begins with, whether it nests too deep, and where the next one begins.

    None unless it is about as long as the one before, of which this is the length: its brackets, and not the search for
    each place that might be its end, tell that it is one data set.
    """
    between = BETWEEN.search(text, max(0, size - NEAR), size + NEAR)
    if between is None:
        return None
    one, nesting = taken(text, between.start() + 1), Nesting(DEEPEST)
    nesting.feed(one)
    return (one, nesting.too_deep, between.end()) if nesting.alone else None


def bounded(size: int) -> None:
    """Raise BadMetadata for a data set of this size."""
    if size > LARGEST:
        raise BadMetadata(f"a data set of the metadata is larger than {LARGEST >> 20} MB: it is not read")


def taken(text: bytearray, end: int) -> bytes:
    """Return the beginning of a text, copied once; raises BadMetadata when that is too large."""
    bounded(end)
    with memoryview(text) as view:
        return bytes(view[:end])


def unfinished(text: bytearray, searched: int) -> int:
    """Return from where to look on when more has come: what may be the end of a data set is looked at again."""
    last = text.rfind(b"}", searched)
    if last < 0 or UNFINISHED.fullmatch(text, last) is None:
        return len(text)
    if len(text) - last > MOST_BLANKS:
        raise BadMetadata(NOT_METADATA)
    return last
