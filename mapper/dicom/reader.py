"""DICOM JSON bytes -> instances, decoding only the attributes that the tables name.

Most of a WADO-RS answer is of no interest to us. msgspec skips it without making objects; of each series one
instance is read in full, of the others only what the instance rows name, and of a document all that the tables of
documents name. An answer is read while it arrives.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from mapper.dicom.collector import Collector, identity
from mapper.dicom.data_sets import DEEPEST, ITEMS, NOT_METADATA, data_sets
from mapper.dicom.decoding import TOO_LARGE
from mapper.dicom.documents import FRAMES, LARGEST_CONTENT, is_document, is_segmentation
from mapper.dicom.item import Item, tag_of
from mapper.dicom.study import IDENTITY, ONLY
from mapper.errors import BadMetadata, Problem
from mapper.nesting import PIECE, cut

LARGEST = 1 << 20
"""Bytes of an attribute beyond which it is not read: FHIR R4 (datatypes.html) has no longer string."""
MANY = (
    "ContentSequence",
    "CurrentRequestedProcedureEvidenceSequence",
    "ReferencedSeriesSequence",
    "SegmentSequence",
)
LARGEST_OF = dict.fromkeys(map(tag_of, MANY), LARGEST_CONTENT)
"""Attributes that may be larger: they hold many texts or segments, or name every instance of a study."""
LARGEST_LOOSE = 1 << 24
"""Bytes of a data set beyond which it is read as strict JSON or not at all."""
CUT = Problem("ImagingStudy", "", f"items in more than {ITEMS} others: what lies deeper is left out")

Elements = dict[str, Any]
Mend = Callable[[Elements], Elements]
Pick = Callable[[bytes], Elements]
NO_SEQUENCE = {"vr": "SQ", "Value": [False]}


class Items(msgspec.Struct):
    """A sequence whose items are not decoded yet."""

    Value: list[msgspec.Raw]


class Picker:
    """Decodes one data set into the named attributes; the rest is skipped unread."""

    def __init__(self, keywords: Iterable[str]) -> None:
        self._tags = sorted({tag_of(keyword) for keyword in keywords})
        self._narrow = {tag_of(keyword): Picker(ONLY[keyword]) for keyword in ONLY.keys() & set(keywords)}
        self._decoder, self._slicer = self._reading(Any), self._reading(msgspec.Raw)
        self._value: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=number)

    def _reading(self, kind: Any) -> "msgspec.json.Decoder[Any]":
        kinds = {tag: msgspec.Raw if tag in self._narrow else kind for tag in self._tags}
        fields: list[tuple[str, Any, Any]] = [(f"t{tag}", kinds[tag], msgspec.UNSET) for tag in self._tags]
        rename = {f"t{tag}": tag for tag in self._tags}
        return msgspec.json.Decoder(msgspec.defstruct("DataSet", fields, rename=rename), float_hook=number)

    def __call__(self, raw: bytes) -> dict[str, Any]:
        """Return the named attributes by tag; raises BadMetadata when this is no data set."""
        try:
            if len(raw) > LARGEST:
                elements = self._sliced(raw)
            else:
                found = self._decoder.decode(raw)
                elements = {tag: getattr(found, f"t{tag}") for tag in self._tags}
        except (msgspec.DecodeError, UnicodeDecodeError):
            loose = loosely(raw)
            if not isinstance(loose, Mapping):
                raise BadMetadata(NOT_METADATA) from None
            elements = {tag: loose.get(tag) for tag in self._tags}
        for tag, pick in self._narrow.items():
            elements[tag] = pick.narrowed(elements.get(tag))
        return {tag: element for tag, element in elements.items() if element not in (None, msgspec.UNSET)}

    def _sliced(self, raw: bytes) -> dict[str, Any]:
        """Return the attributes of a large data set: one that is large itself is not decoded."""
        found = self._slicer.decode(raw)
        slices = ((tag, getattr(found, f"t{tag}")) for tag in self._tags)
        return {tag: self._value_of(tag, one) for tag, one in slices if one is not msgspec.UNSET}

    def _value_of(self, tag: str, raw: msgspec.Raw) -> Any:
        if tag in self._narrow:
            return raw
        return TOO_LARGE if memoryview(raw).nbytes > LARGEST_OF.get(tag, LARGEST) else self._value.decode(raw)

    def narrowed(self, element: Any) -> Any:
        """Return a sequence that may have thousands of items with only what is read of these."""
        if isinstance(element, msgspec.Raw):
            try:
                items: Any = msgspec.json.decode(element, type=Items).Value
            except msgspec.DecodeError:
                return odd(element)
        else:
            items = element.get("Value") if isinstance(element, Mapping) else None
        if not isinstance(items, list) or not all(isinstance(one, msgspec.Raw | Mapping) for one in items):
            return element
        try:
            return {"vr": "SQ", "Value": [self._item(one) for one in items]}
        except BadMetadata:
            return NO_SEQUENCE

    def _item(self, item: Any) -> dict[str, Any]:
        """Return the named attributes of an item, there though empty where they are absent."""
        found = self(bytes(item)) if isinstance(item, msgspec.Raw) else item
        return {tag: found.get(tag) or {"vr": "SQ"} for tag in self._tags}


class Reader:
    """Reads WADO-RS metadata into a Collector.

    `keywords` are read of the first instance of each series, `instance_keywords` of every instance,
    `document_keywords` of every instance that is a document.
    """

    def __init__(
        self, keywords: Iterable[str], instance_keywords: Iterable[str], document_keywords: Iterable[str] = ()
    ) -> None:
        self._full = Picker({*keywords, *IDENTITY})
        self._each = Picker({*instance_keywords, *IDENTITY})
        in_full = {*document_keywords, *IDENTITY} if document_keywords else set()
        self._document = Picker(in_full) if in_full else None
        self._segmentation = Picker(in_full.difference(FRAMES))

    def read(self, metadata: bytes | Iterable[bytes], collector: Collector, mend: Mend | None = None) -> None:
        """Take one answer of WADO-RS metadata, whole or as it arrives: a JSON list of data sets.

        `mend` puts right what the server is known to send wrong. Raises BadMetadata when this is no such list.
        """
        each, full = (mended(pick, mend) if mend else pick for pick in (self._each, self._full))
        for raw, deep in data_sets(in_pieces(metadata) if isinstance(metadata, bytes) else metadata):
            text = cut(raw, DEEPEST) if deep else raw
            head, doubts = each(text), [CUT] if deep else []
            document = None
            sop_class, size = identity(Item(head), "SOPClassUID"), len(text)
            if self._document and is_document(sop_class):
                segments = self._segmentation(text) if is_segmentation(sop_class) else None
                size = size if segments is None else size_of(segments)
                found = self._document(text) if segments is None else segments
                document = mend(found) if mend else found
            collector.add(head, later(full, text), doubts=doubts, document=document, size=size)
        collector.settle()


def size_of(elements: Elements) -> int:
    """Return how many bytes some attributes have as JSON: of a segmentation most are frames, which nobody keeps."""
    return len(json.dumps(elements, default=str))


def odd(element: msgspec.Raw) -> Any:
    """Return what is no sequence of items as it is, for whoever asks for it to be told."""
    if memoryview(element).nbytes > LARGEST:
        return TOO_LARGE
    try:
        return msgspec.json.decode(element)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NO_SEQUENCE


def in_pieces(text: bytes) -> Iterator[bytes]:
    """Yield a text in pieces."""
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


def number(text: str) -> Decimal | str:
    """Return a JSON number with all its digits, the text of one that is beyond all bounds."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return text


def loosely(raw: bytes) -> Any:
    """Return JSON that strict readers refuse: lone surrogates, control characters, NaN, bytes that are no UTF-8."""
    if len(raw) > LARGEST_LOOSE:
        raise BadMetadata(NOT_METADATA)
    text = raw.decode("utf-8", errors="replace")
    try:
        return json.loads(text, strict=False, parse_float=number, parse_int=number, parse_constant=str)
    except ValueError as error:
        raise BadMetadata(NOT_METADATA) from error


def mended(pick: Pick, mend: Mend) -> Pick:
    """Return a call that reads a data set and puts right what it holds."""
    return lambda raw: mend(pick(raw))


def later(pick: Pick, raw: bytes) -> Callable[[], Mapping[str, Any]]:
    """Return a call that reads one data set in full."""
    return lambda: pick(raw)
