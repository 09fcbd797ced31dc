"""The cells of one worksheet of a workbook that openpyxl has opened, as they are written.

openpyxl's own rows are numbers as floats, and as wide and long as the file claims to be; here a number keeps its
digits, and only cells that are there cost anything. Source of the format: ECMA-376 part 1, section 18.3.1.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree.ElementTree import Element, iterparse

from openpyxl.utils import coordinate_to_tuple
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.xml.constants import SHEET_MAIN_NS

from mapper.records.sds.finding import Findings, Where
from mapper.sources.sds.cells import Cell, Cells, Flaw, Rows, plain

DATA, ROW, CELL, VALUE, FORMULA, INLINE, TEXT, RUN, MERGED = (
    f"{{{SHEET_MAIN_NS}}}{name}" for name in ("sheetData", "row", "c", "v", "f", "is", "t", "r", "mergeCell")
)
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def rows_of(sheet: Any, file: str, findings: Findings) -> Rows:
    """Yield the rows of a worksheet that have cells; merged cells are found when the last one was read."""
    values = Values(sheet)
    number = column = 0
    cells: Cells = {}
    parents: list[Element] = []
    with sheet._get_source() as source:
        for event, element in iterparse(source, ("start", "end")):
            match event, element.tag:
                case "start", tag if tag in (DATA, ROW):
                    parents.append(element)
                    if tag == ROW:
                        number = int(element.get("r", number + 1))
                        column, cells = 0, {}
                case "end", tag if tag == CELL and parents:
                    coordinate = element.get("r")
                    column = coordinate_to_tuple(coordinate)[1] if coordinate else column + 1
                    if cell := values.cell(element):
                        cells[column] = cell
                    parents[-1].clear()  # what was read costs no memory
                case "end", tag if tag == ROW:
                    parents.pop()
                    parents[-1].clear()
                    if cells:
                        yield number, cells
                case "end", tag if tag == MERGED:
                    row, first = coordinate_to_tuple(element.get("ref", "").partition(":")[0])
                    findings.add("merged", Where(file, row, first))


class Values:
    """What the cells of a worksheet mean: the workbook holds its texts, and which styles show dates."""

    def __init__(self, sheet: Any) -> None:
        self._texts: list[str] = sheet._shared_strings
        self._epoch = sheet.parent.epoch
        self._dates: set[int] = sheet.parent._date_formats
        self._spans: set[int] = sheet.parent._timedelta_formats

    def cell(self, element: Element) -> Cell | None:
        """Return the value that is stored; of a formula, what the spreadsheet program made of it."""
        raw = element.findtext(VALUE)
        kind = element.get("t", "n")
        if not raw and kind != "str" and element.find(FORMULA) is not None:
            return Flaw("formula")
        if kind == "inlineStr":
            inline = element.find(INLINE)
            return text(said_in(inline)) if inline is not None else None
        if not raw:
            return None
        reader: Callable[[Values, str, int], Cell] | None = READERS.get(kind)
        try:
            return reader(self, raw, int(element.get("s", 0))) if reader else Flaw("error-value")
        except (ValueError, IndexError, OverflowError):
            return Flaw("error-value")

    def number(self, raw: str, style: int) -> Cell:
        """Return a number as it is written, a date as ISO 8601 where the cell is shown as one."""
        raw = raw.strip()
        if not NUMBER.fullmatch(raw):
            return Flaw("error-value")
        if style not in self._dates:
            return digits(raw)
        days = float(raw)
        return moment(from_excel(days, self._epoch, timedelta=style in self._spans), days.is_integer())

    def shared(self, raw: str, style: int) -> Cell:
        return text(self._texts[int(raw)])

    def said(self, raw: str, style: int) -> Cell:
        return text(raw)

    def truth(self, raw: str, style: int) -> Cell:
        """Return a truth value as spreadsheet programs show it."""
        return "TRUE" if int(raw) else "FALSE"

    def iso(self, raw: str, style: int) -> Cell:
        return moment(from_ISO8601(raw), whole=False)


READERS = {
    "n": Values.number,
    "s": Values.shared,
    "str": Values.said,
    "b": Values.truth,
    "d": Values.iso,
}
"""ST_CellType, ECMA-376 part 1, section 18.18.11; `e` is an error."""


def said_in(inline: Element) -> str:
    """Return a text that stands in its cell, in one piece or in runs; how it is pronounced is left out."""
    pieces = (piece if piece.tag == TEXT else piece.find(TEXT) for piece in inline if piece.tag in (TEXT, RUN))
    return "".join(piece.text or "" for piece in pieces if piece is not None)


def text(value: str) -> str:
    """Return a text; a carriage return is written `_x000D_` (ST_Xstring, ECMA-376 part 1, section 22.9.2.19)."""
    return plain(value.replace("_x000D_", "\r"))


def digits(raw: str) -> str:
    """Return a number to its last digit; 16 or 17 digits are the shadow of a shorter one (IEEE 754 binary64).

    >>> digits("1.10"), digits("1.1000000000000001"), digits("0.12345678901234567890")
    ('1.10', '1.1', '0.12345678901234567890')
    """
    mantissa = re.split("[eE]", raw)[0]
    significant = len(mantissa.replace(".", "").lstrip("+-0"))
    return repr(float(raw)) if "." in mantissa and significant in (16, 17) else raw


def moment(value: Any, whole: bool) -> Cell:
    """Return a date, a time or a span as text; a date without a time of day gets none, nobody a zone."""
    match value:
        case datetime() if whole:
            return value.date().isoformat()
        case datetime() | time():
            return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
        case date():
            return value.isoformat()
        case timedelta():
            seconds = int(value.total_seconds())
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case _:
            return Flaw("error-value")
