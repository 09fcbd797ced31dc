"""The rows of a sheet as records: columns found by their names, unknown ones kept, what is no data left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import TypeVar

from mapper.records.sds.columns import is_old, known_names, name_key, near
from mapper.records.sds.finding import Findings, Where, letters
from mapper.records.sds.row import ManifestEntry, Resource, Row, Sheet
from mapper.sources.sds.cells import Cells, Flaw, Headed, free
from mapper.sources.sds.sheet import bounded, open_sheet

T = TypeVar("T", bound=Row)

NAMED_BY_NOTHING = (Resource,)
"""Rows that need no id."""
REPEATED = (ManifestEntry, Resource)
"""Rows whose id may come twice: a file of two manifests, a resource used twice."""
HINT = name_key("Lab-based schema for identifying each")
EXAMPLES = (
    ({"sub-1", "sub-1_sam-2"}, {"pool id": "pool-1", "reference atlas": "Paxinos Rat V3", "handedness": "right"}),
)
"""What the template 1.2.3 had under its headers, and what people left there; later ones have empty sheets."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one sheet: by number, those of the template and the others."""

    known: Mapping[int, str]
    extra: Mapping[int, str]


def read_table(kind: type[T], path: Path, file: str, findings: Findings) -> tuple[T, ...]:
    """Return the records of one sheet; raises SettingError when its format needs a library that is not there."""
    found = open_sheet(path, file, kind.template(), findings)
    if found is None:
        return ()
    columns = columns_of(found, kind.STEM, file, findings)
    sheet = Sheet(file, {name: number for number, name in columns.known.items()}, found.keyed)
    unnamed: dict[int, str] = {}
    records: list[T] = []
    first: dict[str, int] = {}
    for number, cells in bounded(found, file, findings):
        row = record(kind, sheet, number, cells, columns, unnamed, findings)
        if row is None:
            continue
        if is_hint(row):
            findings.add("hint", row.at())
        elif not row.id and kind not in NAMED_BY_NOTHING:
            findings.add("no-id", row.at())
        elif row.id in first and kind not in REPEATED:
            key = kind.template().keys[0]
            findings.add("same-id", row.at(key), other=Where(file, first[row.id], row.at(key).column, key, found.keyed))
        else:
            first[row.id] = number
            records.append(row)
    return tuple(records)


def columns_of(found: Headed, stem: str, file: str, findings: Findings) -> Columns:
    """Return what stands under which header; a second column of a name stays apart from the first."""
    names = known_names(stem)
    known: dict[int, str] = {}
    extra: dict[int, str] = {}
    for number, header in sorted(found.header.items(), key=lambda one: (is_old(stem, name_key(one[1])), one[0])):
        where = Where(file, found.number, number, keyed=found.keyed)
        name = names.get(name_key(header))
        if name is not None and name not in known.values():
            known[number] = name
            if is_old(stem, name_key(header)):
                findings.add("old-column", where, near=name)
        else:
            second = name is not None or header in extra.values()
            taken = (*extra.values(), header) if second else ()
            extra[number] = free(header, letters(number), taken)
            meant = "" if second else near(stem, header)
            findings.add("second-column" if second else "unknown-column", where, near=meant)
    return Columns(known, extra)


def record(
    kind: type[T],
    sheet: Sheet,
    number: int,
    cells: Cells,
    columns: Columns,
    unnamed: dict[int, str],
    findings: Findings,
) -> T | None:
    """Return one row as a record, or None when nothing is left of it."""
    known: dict[str, str] = {}
    extra: dict[str, str] = {}
    for column, cell in cells.items():
        name = columns.known.get(column)
        other = columns.extra.get(column)
        if name is None and other is None:
            taken = (*columns.extra.values(), *unnamed.values())
            other = unnamed.get(column) or free("", letters(column), taken)
            unnamed[column] = other
            findings.add("no-column-name", Where(sheet.file, number, column, keyed=sheet.keyed))
        if isinstance(cell, Flaw):
            findings.add(cell.code, Where(sheet.file, number, column, name or "", keyed=sheet.keyed))
            if cell.text:
                extra[other or name or ""] = cell.text
        elif name is not None:
            known[name] = intern(cell) if len(cell) < 20 else cell
        elif other is not None:
            extra[other] = cell
    return kind(sheet, number, known, extra) if known or extra else None


def is_hint(row: Row) -> bool:
    """Tell whether a row is the template's own."""
    if name_key(row.id).startswith(HINT):
        return True
    return any(row.id in ids and cells.items() <= {**row.cells, **row.extra}.items() for ids, cells in EXAMPLES)
