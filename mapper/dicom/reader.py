"""DICOM JSON bytes -> instances, decoding only the attributes that the tables name.

Most of a WADO-RS answer is of no interest to us. msgspec skips it without making objects; of each series one
instance is read in full, of the others only what the instance rows name.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from mapper.dicom.item import tag_of
from mapper.dicom.study import IDENTITY, Collector
from mapper.errors import BadMetadata

NOT_METADATA = "the answer is not a JSON list of DICOM data sets"


class Picker:
    """Decodes one data set into the named attributes; the rest is skipped unread."""

    def __init__(self, keywords: Iterable[str]) -> None:
        self._tags = sorted({tag_of(keyword) for keyword in keywords})
        fields: list[tuple[str, Any, Any]] = [(f"t{tag}", Any, msgspec.UNSET) for tag in self._tags]
        rename = {f"t{tag}": tag for tag in self._tags}
        struct = msgspec.defstruct("DataSet", fields, rename=rename)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(struct, float_hook=number)

    def __call__(self, raw: Any) -> dict[str, Any]:
        if isinstance(raw, bytes | msgspec.Raw):
            try:
                found = self._decoder.decode(raw)
                elements = {tag: getattr(found, f"t{tag}") for tag in self._tags}
            except (msgspec.DecodeError, UnicodeDecodeError):
                return self(loosely(bytes(raw)))
        elif isinstance(raw, Mapping):
            elements = {tag: raw.get(tag) for tag in self._tags}
        else:
            raise BadMetadata(NOT_METADATA)
        return {tag: element for tag, element in elements.items() if element not in (None, msgspec.UNSET)}


class Reader:
    """Reads WADO-RS metadata into a Collector.

    `keywords` are read of the first instance of each series, `instance_keywords` of every instance.
    """

    def __init__(self, keywords: Iterable[str], instance_keywords: Iterable[str]) -> None:
        self._full = Picker({*keywords, *IDENTITY})
        self._each = Picker({*instance_keywords, *IDENTITY})
        self._list = msgspec.json.Decoder(list[msgspec.Raw])

    def read(self, metadata: bytes, collector: Collector) -> None:
        """Take one answer of WADO-RS metadata: a JSON list of data sets.

        Raises BadMetadata when it is not one.
        """
        try:
            for raw in self.datasets(metadata):
                collector.add(self._each(raw), later(self._full, raw))
            collector.settle()
        except RecursionError as error:
            raise BadMetadata(NOT_METADATA) from error

    def datasets(self, metadata: bytes) -> list[Any]:
        """Return the data sets of an answer, not decoded yet where the answer is strict JSON."""
        try:
            return self._list.decode(metadata)
        except (msgspec.DecodeError, UnicodeDecodeError):
            found = loosely(metadata)
            if not isinstance(found, list):
                raise BadMetadata(NOT_METADATA) from None
            return found


def number(text: str) -> Decimal | str:
    """Return a JSON number with all its digits, the text of one that is beyond all bounds."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return text


def loosely(raw: bytes) -> Any:
    """Return JSON that strict readers refuse: lone surrogates, control characters, NaN, bytes that are no UTF-8."""
    text = raw.decode("utf-8", errors="replace")
    try:
        return json.loads(text, strict=False, parse_float=number, parse_int=number, parse_constant=str)
    except ValueError as error:
        raise BadMetadata(NOT_METADATA) from error


def later(pick: Picker, raw: Any) -> Callable[[], Mapping[str, Any]]:
    """Return a call that reads one data set in full."""
    return lambda: pick(raw)
