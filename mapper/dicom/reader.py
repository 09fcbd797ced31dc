"""DICOM JSON bytes -> instances, decoding only the attributes that the tables name.

Most of a WADO-RS answer is of no interest to us. msgspec skips it without making objects; of each series one
instance is read in full, of the others only what the instance rows name, and of a document all that the tables of
documents name. An answer is read while it arrives.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from mapper.dicom.collector import Collector
from mapper.dicom.data_sets import DEEPEST, ITEMS, data_sets
from mapper.dicom.documents import FRAMES, is_document, is_segmentation
from mapper.dicom.item import Item
from mapper.dicom.picker import Elements, Picker
from mapper.dicom.study import IDENTITY
from mapper.errors import Problem
from mapper.nesting import cut

AT_ONCE = 1 << 18
"""Bytes of an answer that are looked at together."""
CUT = Problem("ImagingStudy", "", f"items in more than {ITEMS} others: what lies deeper is left out")

Mend = Callable[[Elements], Elements]
Pick = Callable[[bytes], Elements]


class Reader:
    """Reads WADO-RS metadata into a Collector.

    `keywords` are read of the first instance of each series, `instance_keywords` of every instance,
    `document_keywords` of every instance that is a document.
    """

    def __init__(
        self, keywords: Iterable[str], instance_keywords: Iterable[str], document_keywords: Iterable[str] = ()
    ) -> None:
        self.instance_keywords = frozenset({*instance_keywords, *IDENTITY})
        """What is read of every instance."""
        self._full = Picker({*keywords, *IDENTITY})
        self._each = Picker(self.instance_keywords)
        in_full = {*document_keywords, *IDENTITY} if document_keywords else set()
        self._document = Picker(in_full) if in_full else None
        self._segmentation = Picker(in_full.difference(FRAMES))

    def read(self, metadata: bytes | Iterable[bytes], collector: Collector, mend: Mend | None = None) -> None:
        """Take one answer of WADO-RS metadata, whole or as it arrives: a JSON list of data sets.

        `mend` puts right what the server is known to send wrong. Raises BadMetadata when this is no such list.
        """
        alike = partial(self._each, before={})
        each, full = (mended(pick, mend) if mend else pick for pick in (alike, self._full))
        for raw, deep in data_sets(in_pieces(metadata) if isinstance(metadata, bytes) else together(metadata)):
            text = cut(raw, DEEPEST) if deep else raw
            head, doubts = each(text), [CUT] if deep else []
            document = None
            sop_class, size = collector.identity(Item(head), "SOPClassUID"), len(text)
            if self._document and is_document(sop_class):
                segments = self._segmentation(text) if is_segmentation(sop_class) else None
                size = size if segments is None else size_of(segments)
                found = self._document(text) if segments is None else segments
                document = mend(found) if mend else found
            collector.add(head, later(full, text), doubts=doubts, document=document, size=size)
        collector.settle()

    def heads(self, metadata: bytes, mend: Mend) -> list[Elements]:
        """Return what is read of every instance of such an answer, and take nothing; raises BadMetadata as `read`."""
        each = mended(self._each, mend)
        return [each(cut(raw, DEEPEST) if deep else raw) for raw, deep in data_sets(in_pieces(metadata))]


def size_of(elements: Elements) -> int:
    """Return how many bytes some attributes have as JSON: of a segmentation most are frames, which nobody keeps."""
    return len(json.dumps(elements, default=str))


def in_pieces(text: bytes) -> Iterator[bytes]:
    """Yield a text in pieces."""
    return (text[start : start + AT_ONCE] for start in range(0, len(text), AT_ONCE))


def together(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the parts of a text several at once: a data set that comes in two pieces is looked at twice."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        if len(waiting) >= AT_ONCE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def mended(pick: Pick, mend: Mend) -> Pick:
    """Return a call that reads a data set and puts right what it holds."""
    return lambda raw: mend(pick(raw))


def later(pick: Pick, raw: bytes) -> Callable[[], Mapping[str, Any]]:
    """Return a call that reads one data set in full."""
    return lambda: pick(raw)
