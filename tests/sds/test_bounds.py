"""Sheets that are too large, in every way: what is read, what is told, and how much memory it takes."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from xlsxwriter import Workbook

from mapper.sources.sds import cells, sheet
from tests.sds.written import WRITERS, delimited, read

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_rows_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    path = WRITERS[form](tmp_path / f"s.{form}", [("subject id",), *((f"sub-{number}",) for number in range(5))])
    for limit, ids, expected in ((5, 5, {}), (4, 4, {"too-many-rows": 1}), (1, 1, {"too-many-rows": 1})):
        monkeypatch.setattr(sheet, "ROWS", limit)
        rows, found = read(path)
        assert (len(rows), {code: len(places) for code, places in found.items()}) == (ids, expected)


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_cells_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    grid = [("subject id", "age"), *((f"sub-{number}", number) for number in range(5))]
    path = WRITERS[form](tmp_path / f"s.{form}", grid)
    for limit, ids, expected in ((10, 5, {}), (9, 4, {"too-many-cells": 1}), (1, 0, {"too-many-cells": 1})):
        monkeypatch.setattr(sheet, "CELLS", limit)
        rows, found = read(path)
        assert (len(rows), {code: len(places) for code, places in found.items()}) == (ids, expected)


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_columns_are_bounded(tmp_path: Path, form: str) -> None:
    width = cells.COLUMNS + 1
    header = ["subject id", *(f"column {number}" for number in range(2, width + 1))]
    path = WRITERS[form](tmp_path / f"s.{form}", [header, [f"v{number}" for number in range(width)]])
    (row,), found = read(path)
    assert len(row.extra) == cells.COLUMNS - 1
    assert found["too-many-columns"] == ["s.json #1" if form == "json" else f"s.{form} row 2"]


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_texts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(sheet, "LONGEST", 10)
    grid = [("subject id", "age", "sex"), ("sub-1", "x" * 10, "F"), ("sub-2", "x" * 11, "M")]
    rows, found = read(WRITERS[form](tmp_path / f"s.{form}", grid))
    assert [(row["age"], row["sex"]) for row in rows] == [("x" * 10, "F"), (None, "M")]
    assert found == {"too-long": ["s.json #2 key 2" if form == "json" else f"s.{form} B3"]}


def test_a_text_longer_than_a_spreadsheet_holds(tmp_path: Path) -> None:
    path = delimited(tmp_path / "s.csv", [("subject id", "age"), ("sub-1", "x" * (cells.LONGEST + 1))])
    assert read(path)[1] == {"too-long": ["s.csv B2"]}


MANY = 20_000
HEADER = ["filename", "entity", "shoes"]


def row(number: int) -> list[str]:
    return [f"primary/sub-{number % 50}/sam-{number}/{number}.dcm", f"sam-{number}", "x"]


def as_xlsx(path: Path) -> None:
    book = Workbook(path)
    written = book.add_worksheet()
    written.write_row(0, 0, HEADER)
    for number in range(1, MANY + 1):
        written.write_row(number, 0, row(number))
    book.close()


def as_csv(path: Path) -> None:
    delimited(path, [HEADER, *map(row, range(1, MANY + 1))])


def as_json(path: Path) -> None:
    path.write_text(json.dumps([dict(zip(HEADER, row(number), strict=True)) for number in range(1, MANY + 1)]))


READING = """
import resource, sys
from pathlib import Path
from mapper.records.sds.finding import Findings
from mapper.records.sds.row import ManifestEntry
from mapper.sources.sds import workbook
from mapper.sources.sds.table import read_table
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = read_table(ManifestEntry, Path(sys.argv[1]), "s", Findings())
print(len(rows), rows[-1].entities[0], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
FORMS: dict[str, tuple[Callable[[Path], None], str, int]] = {
    # how it is written, its suffix, megabytes that reading it may take, the records included
    "xlsx": (as_xlsx, "xlsx", 40),
    "csv": (as_csv, "csv", 40),
    "JSON": (as_json, "json", 40),
}


@pytest.mark.parametrize(("write", "suffix", "megabytes"), FORMS.values(), ids=FORMS)
def test_many_rows_in_bounded_memory(
    tmp_path: Path, write: Callable[[Path], None], suffix: str, megabytes: int
) -> None:
    write(tmp_path / f"s.{suffix}")
    command = [sys.executable, "-c", READING, str(tmp_path / f"s.{suffix}")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=300).stdout.split()
    assert said[:2] == [str(MANY), f"sam-{MANY}"]
    assert int(said[2]) < megabytes
