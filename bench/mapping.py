"""One run of the mapper, or of the floor below it: metadata in a file -> Bundle, what it took as JSON.

python -m bench.mapping FILE (mapper|floor|arriving)
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson

from bench.peer import measured
from mapper import bundle_from_metadata
from mapper.convert import convert
from mapper.dicom.collector import Collector
from mapper.dicom.item import tag_of
from mapper.dicom.reader import Reader
from mapper.dicom.study import IDENTITY
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.site import Site

PIECE = 1 << 16


class Element(msgspec.Struct, gc=False):
    """An attribute of which only the values are decoded."""

    Value: list[Any] = []


def floor(raw: bytes) -> Callable[[], bytes]:
    """Return a call that decodes the attributes that are read of each instance, and writes the mapper's Bundle.

    No mapping of these bytes can be quicker with these two libraries: nothing is looked at between them.
    """
    made = orjson.loads(bundle_from_metadata(raw))
    tags = {f"t{tag}": tag for tag in sorted({tag_of(keyword) for keyword in {*INSTANCE_KEYWORDS, *IDENTITY}})}
    fields = [(name, Element | None, None) for name in tags]
    decoder = msgspec.json.Decoder(list[msgspec.defstruct("DataSet", fields, rename=tags, gc=False)])  # type: ignore[misc]

    def do() -> bytes:
        decoder.decode(raw)
        return orjson.dumps(made)

    return do


def arriving(path: Path) -> bytes:
    """Return the Bundle of metadata that are never held whole, as a PACS sends them."""

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    collector = Collector()
    Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read(pieces(), collector)
    return convert(collector.only_study(), Site()).json


def run(path: Path, what: str) -> dict[str, float]:
    """Return what one of the three costs."""
    if what == "arriving":
        return measured(lambda: arriving(path))
    raw = path.read_bytes()
    return measured(floor(raw) if what == "floor" else lambda: bundle_from_metadata(raw))


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), sys.argv[2])))
