"""DICOM JSON bytes -> instances, decoding only the attributes that the tables name.

Most of a WADO-RS answer is of no interest to us. msgspec skips it without making objects; of each series one
instance is read in full, of the others only what the instance rows name.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from mapper.dicom.item import tag_of
from mapper.dicom.study import IDENTITY, Collector
from mapper.errors import BadMetadata


class Picker:
    """Decodes one data set into the named attributes; the rest is skipped unread."""

    def __init__(self, keywords: Iterable[str]) -> None:
        self._tags = sorted({tag_of(keyword) for keyword in keywords})
        fields: list[tuple[str, Any, Any]] = [(f"t{tag}", Any, msgspec.UNSET) for tag in self._tags]
        rename = {f"t{tag}": tag for tag in self._tags}
        struct = msgspec.defstruct("DataSet", fields, rename=rename)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(struct, float_hook=Decimal)

    def __call__(self, raw: bytes | msgspec.Raw) -> dict[str, Any]:
        found = self._decoder.decode(raw)
        picked = {}
        for tag in self._tags:
            element = getattr(found, f"t{tag}")
            if element is not msgspec.UNSET and element is not None:
                picked[tag] = element
        return picked


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
            for raw in self._list.decode(metadata):
                collector.add(self._each(raw), later(self._full, raw))
            collector.settle()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadMetadata("the answer is not a JSON list of DICOM data sets") from error


def later(pick: Picker, raw: msgspec.Raw) -> Callable[[], Mapping[str, Any]]:
    """Return a call that reads one data set in full."""
    return lambda: pick(raw)
