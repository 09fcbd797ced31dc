"""One data set of DICOM JSON -> its named attributes; the rest is skipped unread (msgspec makes no objects of it)."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from mapper.dicom.data_sets import NOT_METADATA
from mapper.dicom.decoding import TOO_LARGE
from mapper.dicom.documents import LARGEST_CONTENT
from mapper.dicom.item import tag_of
from mapper.dicom.study import ONLY
from mapper.errors import BadMetadata

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

Elements = dict[str, Any]
Before = dict[str, tuple[bytes, Any]]
"""The attributes of the data set before, by tag: as they stood there, and decoded."""
NO_SEQUENCE = {"vr": "SQ", "Value": [False]}


class Items(msgspec.Struct):
    """A sequence whose items are not decoded yet."""

    Value: list[msgspec.Raw]


class Picker:
    """Decodes one data set into the named attributes; the rest is skipped unread."""

    def __init__(self, keywords: Iterable[str]) -> None:
        self._tags = sorted({tag_of(keyword) for keyword in keywords})
        self._fields = [(tag, f"t{tag}") for tag in self._tags]
        self._narrow = {tag_of(keyword): Picker(ONLY[keyword]) for keyword in ONLY.keys() & set(keywords)}
        self._decoder, self._slicer = self._reading(Any), self._reading(msgspec.Raw)
        self._value: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=number)

    def _reading(self, kind: Any) -> "msgspec.json.Decoder[Any]":
        kinds = {tag: msgspec.Raw if tag in self._narrow else kind for tag in self._tags}
        fields: list[tuple[str, Any, Any]] = [(field, kinds[tag], msgspec.UNSET) for tag, field in self._fields]
        rename = {field: tag for tag, field in self._fields}
        return msgspec.json.Decoder(msgspec.defstruct("DataSet", fields, rename=rename), float_hook=number)

    def __call__(self, raw: bytes, before: "Before | None" = None) -> dict[str, Any]:
        """Return the named attributes by tag; raises BadMetadata when this is no data set.

        With `before`, kept from data set to data set, what stands there as it stood in the last is that very object.
        """
        try:
            if before is not None:
                elements = self._sliced(raw, before)
            elif len(raw) > LARGEST:
                elements = self._sliced(raw)
            else:
                found = self._decoder.decode(raw)
                elements = {tag: getattr(found, field) for tag, field in self._fields}
        except (msgspec.DecodeError, UnicodeDecodeError):
            loose = loosely(raw)
            if not isinstance(loose, Mapping):
                raise BadMetadata(NOT_METADATA) from None
            elements = {tag: loose.get(tag) for tag in self._tags}
        for tag, pick in self._narrow.items():
            elements[tag] = pick.narrowed(elements.get(tag))
        return {tag: one for tag, one in elements.items() if one is not None and one is not msgspec.UNSET}

    def _sliced(self, raw: bytes, before: "Before | None" = None) -> dict[str, Any]:
        """Return the attributes one by one: one that is too large is not decoded, one that repeats not again."""
        found = self._slicer.decode(raw)
        elements = {}
        for tag, field in self._fields:
            if (one := getattr(found, field)) is msgspec.UNSET:
                continue
            if before is None:
                elements[tag] = self._value_of(tag, one)
                continue
            text = bytes(one)
            last = before.get(tag)
            if last is None or last[0] != text:
                last = before[tag] = text, self._value_of(tag, one)
            elements[tag] = last[1]
        return elements

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


def odd(element: msgspec.Raw) -> Any:
    """Return what is no sequence of items as it is, for whoever asks for it to be told."""
    if memoryview(element).nbytes > LARGEST:
        return TOO_LARGE
    try:
        return msgspec.json.decode(element)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NO_SEQUENCE


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
