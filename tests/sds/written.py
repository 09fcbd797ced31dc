"""Sheets for tests: written as people's programs write them, read by our reader."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from openpyxl import Workbook

from mapper.records.sds.finding import Finding, Findings
from mapper.records.sds.row import Row, Subject
from mapper.sources.sds.table import read_table

R = TypeVar("R", bound=Row)
Grid = Sequence[Sequence[Any]]


def xlsx(path: Path, grid: Grid) -> Path:
    """Write a grid as a workbook; None is a cell that is not there."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate(grid, 1):
        for column, value in enumerate(row, 1):
            if value is not None:
                sheet.cell(number, column, value)
    book.save(path)
    return path


def delimited(path: Path, grid: Grid, separator: str = ",", codec: str = "utf-8") -> Path:
    """Write a grid as text."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=separator).writerows([["" if cell is None else cell for cell in row] for row in grid])
    path.write_bytes(stream.getvalue().encode(codec))
    return path


def keyed(path: Path, grid: Grid) -> Path:
    """Write a grid as a list of objects."""
    header, *rows = grid
    pairs = [{key: cell for key, cell in zip(header, row, strict=False) if cell is not None} for row in rows]
    path.write_text(json.dumps(pairs))
    return path


WRITERS = {"xlsx": xlsx, "csv": delimited, "json": keyed}


def read(path: Path, kind: type[R] = Subject) -> tuple[tuple[R, ...], dict[str, list[str]]]:  # type: ignore[assignment]
    """Return the records of a sheet, and what was found: code -> places."""
    findings = Findings()
    rows = read_table(kind, path, path.name, findings)
    return rows, places(findings)


def places(findings: Any) -> dict[str, list[str]]:
    """Return the places of findings by their codes."""
    found: dict[str, list[str]] = {}
    for one in findings:
        assert isinstance(one, Finding)
        found.setdefault(one.code, []).append(str(one.where))
    return found


def cells(rows: Sequence[Row]) -> list[Mapping[str, str]]:
    """Return what the records hold."""
    return [row.cells for row in rows]
