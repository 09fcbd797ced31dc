"""One sheet of a dataset: its file, opened by its format, and its rows as far as they are bounded."""

import os
from collections.abc import Callable
from pathlib import Path

from mapper.errors import SettingError
from mapper.records.sds.columns import Template
from mapper.records.sds.finding import Findings, Where
from mapper.sources.sds.cells import CELLS, COLUMNS, LARGEST, LONGEST, ROWS, Cells, Flaw, Headed, Rows
from mapper.sources.sds.delimited import decode, open_delimited
from mapper.sources.sds.objects import open_objects

Opener = Callable[[Path, str, Template, Findings], Headed | None]


class Refused(Exception):
    """The file is not read; the finding is recorded already."""


def open_sheet(path: Path, file: str, template: Template, findings: Findings) -> Headed | None:
    """Return a sheet's rows under its header; None, and a finding, where there is nothing to read.

    Raises SettingError when the format needs a library that is not there.
    """
    try:
        found = FORMATS[path.suffix.lower()](path, file, template, findings)
    except Refused:
        return None
    if found is None:
        findings.add("no-header", Where(file))
        return None
    if found.late:
        findings.add("late-header", Where(file, found.number))
    if found.sheets > 1:
        findings.add("other-sheets", Where(file), count=found.sheets - 1)
    return found


def read_bounded(path: Path, file: str, findings: Findings) -> bytes:
    """Return a file's bytes; raises Refused when it is too large or cannot be read."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError:
        findings.add("no-file", Where(file))
        raise Refused from None
    if len(raw) > LARGEST:
        findings.add("too-large", Where(file), count=LARGEST)
        raise Refused
    return raw


def read_text(path: Path, file: str, findings: Findings) -> str:
    """Return a file's text; raises Refused when it is none."""
    try:
        text, codec = decode(read_bounded(path, file, findings))
    except ValueError:
        findings.add("no-text", Where(file))
        raise Refused from None
    if codec == "cp1252":
        findings.add("windows-1252", Where(file))
    return text


def as_workbook(path: Path, file: str, template: Template, findings: Findings) -> Headed | None:
    try:
        from mapper.sources.sds.workbook import UNPACKED, NoWorkbook, open_workbook
    except ImportError as error:
        raise SettingError("xlsx needs openpyxl, which is not installed: install orthanc-fhir[sds]") from error
    if os.path.getsize(path) > LARGEST:
        findings.add("too-large", Where(file), count=LARGEST)
        raise Refused
    try:
        return open_workbook(path, file, template, findings)
    except NoWorkbook as why:
        findings.add(why.code, Where(file), count=UNPACKED)
        raise Refused from why


def as_delimited(path: Path, file: str, template: Template, findings: Findings) -> Headed | None:
    return open_delimited(read_text(path, file, findings), template)


def as_objects(path: Path, file: str, template: Template, findings: Findings) -> Headed | None:
    try:
        return open_objects(read_text(path, file, findings), template)
    except ValueError:
        findings.add("no-json", Where(file))
        raise Refused from None


FORMATS: dict[str, Opener] = {
    ".xlsx": as_workbook,
    ".csv": as_delimited,
    ".tsv": as_delimited,
    ".json": as_objects,
}
"""Suffix -> how it is opened; where a sheet is there in several forms, the first counts."""
OTHER_FORMATS = frozenset({".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".xml", ".sav", ".txt"})
"""Formats that a sheet may come in and that are not read."""


def bounded(sheet: Headed, file: str, findings: Findings) -> Rows:
    """Yield a sheet's rows until they are too many or break off; cells too long or too far right are left out."""
    number = sheet.number
    total = 0
    try:
        for count, (number, cells) in enumerate(sheet.rows):
            total += len(cells)
            if count >= ROWS:
                findings.add("too-many-rows", Where(file, number, keyed=sheet.keyed), count=ROWS)
                return
            if total > CELLS:
                findings.add("too-many-cells", Where(file, number, keyed=sheet.keyed), count=CELLS)
                return
            yield number, kept(cells, file, number, sheet.keyed, findings)
    except GeneratorExit:
        raise
    except Exception:  # a part that breaks off in the middle: csv, zlib, zipfile, expat, each has its own
        findings.add("broken-off", Where(file, number + 1))


def kept(cells: Cells, file: str, number: int, keyed: bool, findings: Findings) -> Cells:
    """Return a row's cells as far as a spreadsheet could hold them."""
    found: Cells = {}
    for column, cell in cells.items():
        where = Where(file, number, column, keyed=keyed)
        if column > COLUMNS:
            findings.add("too-many-columns", Where(file, number, keyed=keyed), count=COLUMNS)
            break
        if len(cell.text if isinstance(cell, Flaw) else cell) > LONGEST:
            findings.add("too-long", where, count=LONGEST)
        else:
            found[column] = cell
    return found
