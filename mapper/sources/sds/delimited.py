"""Sheets as csv: whatever the separator and the encoding."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress

from mapper.records.sds.columns import Template, known_headers, name_key
from mapper.sources.sds.cells import Cells, Headed, Rows, headed, plain

SEPARATORS = ",;\t|"
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it begins alike
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE = 400


def decode(raw: bytes) -> tuple[str, str]:
    """Return a file's text and its encoding; raises ValueError when it has none that we know."""
    for mark, codec in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return raw.decode(codec), codec
    sample = raw[:SAMPLE]
    if sample.count(0) > len(sample) // 4:  # UTF-16 without its mark: every other byte of plain letters is zero
        codec = "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
        return raw.decode(codec), codec
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return raw.decode("cp1252"), "cp1252"


def open_delimited(text: str, template: Template) -> Headed | None:
    """Return the rows under the header, by the separator under which most of its names are known."""
    known = known_headers(template.stem)
    best: tuple[int, str] | None = None
    for separator in SEPARATORS:
        found = None
        with suppress(csv.Error):  # a field too long for csv, before any header
            found = headed(rows_of(text, separator), template)
        names = sum(name_key(name) in known for name in found.header.values()) if found else 0
        if names > (best[0] if best else 0):
            best = (names, separator)
    return headed(rows_of(text, best[1]), template) if best else None


def rows_of(text: str, separator: str) -> Rows:
    """Yield the rows that have cells; a row within quotes over several lines is one. Raises csv.Error."""
    for number, row in enumerate(csv.reader(lines(text), delimiter=separator), 1):
        cells: Cells = {column: said for column, cell in enumerate(row, 1) if (said := plain(cell))}
        if cells and not (number == 1 and is_separator_line(row)):
            yield number, cells


def lines(text: str) -> Iterator[str]:
    return io.StringIO(text, newline="")


def is_separator_line(row: list[str]) -> bool:
    """Tell whether a first line says `sep=;`, which is for Excel alone."""
    return "".join(row).strip().lower() in ("sep=", *(f"sep={one}" for one in SEPARATORS))
