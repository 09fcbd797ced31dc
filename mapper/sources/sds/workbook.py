"""Sheets as xlsx: openpyxl opens the workbook, its cells are read by `worksheet`."""

import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

from openpyxl import load_workbook

from mapper.records.sds.columns import Template
from mapper.records.sds.finding import Findings
from mapper.sources.sds.cells import Cells, Headed, Rows, headed
from mapper.sources.sds.worksheet import rows_of

UNPACKED = 192 * 2**20
"""Bytes of all parts of a workbook."""
ELEMENTS = {"spreadsheetml.worksheet+xml": 10_000_000, "spreadsheetml.sharedStrings+xml": 3_000_000}
"""Elements of XML in all parts of a content type: those of a sheet are dropped as they are read, a text is kept."""
OTHER_ELEMENTS = 200_000
"""Elements in all other parts: openpyxl makes objects of half a kilobyte of them."""
TYPES = "[Content_Types].xml"
PARTS = 10_000
CHUNK = 2**20
TYPE_DECLARATIONS = tuple("<!DOCTYPE".encode(codec) for codec in ("ascii", "utf-16-le", "utf-16-be"))


class NoWorkbook(Exception):
    """The file is no workbook; the code says how."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def open_workbook(path: Path, file: str, template: Template, findings: Findings) -> Headed | None:
    """Return the rows of the first sheet that has the header, None when none has; raises NoWorkbook."""
    found: Headed | None = None
    sheets = 0
    try:
        vet(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what openpyxl leaves out; they quote the file
            book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            if not hasattr(sheet, "_get_source"):
                continue  # a chart
            rows = rows_of(sheet, file, findings)
            first = next(rows, None)
            if first is not None:
                sheets += 1
                found = found or headed(prepend(first, rows), template)
    except NoWorkbook:
        raise
    except Exception as error:  # openpyxl raises many kinds on broken files
        raise NoWorkbook("no-workbook") from error
    if found is None:
        return None
    return Headed(found.number, found.header, found.rows, found.late, sheets)


def prepend(first: tuple[int, Cells], rows: Rows) -> Rows:
    yield first
    yield from rows


def vet(path: Path) -> None:
    """Look through the packed parts before anything is built of them; raises NoWorkbook."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED:
            raise NoWorkbook("too-large")
        if counted(archive, TYPES) > OTHER_ELEMENTS:
            raise NoWorkbook("too-large")
        kinds = content_types(archive.read(TYPES))
        elements: Counter[str] = Counter()
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels")):
                kind = kinds.get(part.filename, "")
                elements[kind] += counted(archive, part.filename)
                if elements[kind] > ELEMENTS.get(kind, OTHER_ELEMENTS):
                    raise NoWorkbook("too-large")


def content_types(raw: bytes) -> dict[str, str]:
    """Return {part: content type of a part that may be large}; a part that is also something else is none of them."""
    found: dict[str, set[str]] = {}
    for element in fromstring(raw):
        kind = next((kind for kind in ELEMENTS if element.get("ContentType", "").endswith(kind)), "")
        found.setdefault(element.get("PartName", "").removeprefix("/"), set()).add(kind)
    return {part: kinds.pop() for part, kinds in found.items() if len(kinds) == 1}


def counted(archive: zipfile.ZipFile, part: str) -> int:
    """Return the number of elements in a part; raises NoWorkbook when it declares a document type."""
    count = 0
    for chunk, overlapping in chunks(archive, part):
        count += chunk.count(b"<") - chunk.count(b"</")
        if any(declaration in overlapping for declaration in TYPE_DECLARATIONS):
            raise NoWorkbook("no-workbook")  # ECMA-376 part 2, 8.1.4: no document type, so no entities
    return count


def chunks(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield a part chunk by chunk, each also with the end of the one before."""
    longest = max(map(len, TYPE_DECLARATIONS))
    before = b""
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk, before + chunk
            before = chunk[-longest:]
