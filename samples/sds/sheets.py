"""Write a sheet of a dataset: a grid of cells as xlsx or csv, or objects as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from openpyxl import Workbook

FORMS = ("xlsx", "csv", "json")
Grid = Sequence[Sequence[str]]


def write_rows(folder: Path, stem: str, form: str, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """Write a sheet with a header and a row a record."""
    if form == "json":
        objects = [{key(column): row[column] for column in columns if row.get(column)} for row in rows]
        named = objects if stem == "manifest" else {stem: objects}
        (folder / f"{stem}.json").write_text(json.dumps(named, indent=2))
    else:
        write_grid(folder / f"{stem}.{form}", [columns, *([row.get(column, "") for column in columns] for row in rows)])


def write_elements(
    folder: Path, stem: str, form: str, header: Sequence[str], elements: Mapping[str, Sequence[str]]
) -> None:
    """Write a sheet with an element a row; what the template explains stands between the element and its values."""
    if form == "json":
        values = {key(name): list(said) if len(said) > 1 else said[0] for name, said in elements.items() if said}
        (folder / f"{stem}.json").write_text(json.dumps(values, indent=2))
        return
    width = max(map(len, elements.values()))
    further = [f"Value {number}" for number in range(2, width + 1)]
    explained = ["The template's words."] * (len(header) - 2)
    rows = [[name, *explained, *said] for name, said in elements.items()]
    write_grid(folder / f"{stem}.{form}", [[*header, *further], *rows])


def write_grid(path: Path, grid: Grid) -> None:
    """Write cells as they are: every one is a text."""
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(grid)
        return
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in grid:
        sheet.append([cell or None for cell in row])
    book.save(path)


def key(column: str) -> str:
    """Return a column's name as JSON has it."""
    return "_".join("".join(one if one.isalnum() else " " for one in column).casefold().split())
