"""dataset_description and submission: a row an element, its values side by side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mapper.records.sds.columns import FURTHER_VALUE, TEMPLATES, known_names, name_key, near
from mapper.records.sds.description import Elements, Values
from mapper.records.sds.finding import Findings, Where, letters
from mapper.sources.sds.cells import Cell, Cells, Flaw, Headed, free
from mapper.sources.sds.objects import Pairs, parse
from mapper.sources.sds.objects import said as json_cell
from mapper.sources.sds.sheet import Refused, bounded, open_sheet, read_text

T = TypeVar("T", bound=Elements)

UNUSED = frozenset(map(name_key, ("Description", "Example", "Definition")))
"""Columns in which the template explains itself."""
GROUPED_KEYS = {
    "relatedidentifier": "Identifier",
    "relatedidentifiertype": "Identifier type",
    "relatedidentifierdescription": "Identifier description",
    "fundingfreetext": "Funding",
    "datasettype": "Type",
}
"""What JSON calls elements of a group (sparcur/datasets.py), as name_key leaves it."""


def read_elements(kind: type[T], stem: str, path: Path, file: str, findings: Findings) -> T:
    """Return the elements of one sheet; raises SettingError when its format needs a library that is not there."""
    template = TEMPLATES[stem]
    if path.suffix.lower() == ".json":
        try:
            document = parse(read_text(path, file, findings))
            if isinstance(document, Pairs):
                return from_object(kind, stem, file, document, findings)
        except Refused:
            return kind(stem, file)
        except ValueError:
            findings.add("no-json", Where(file))
            return kind(stem, file)
    found = open_sheet(path, file, template, findings)
    return kind(stem, file) if found is None else from_rows(kind, stem, file, found, findings)


def from_rows(kind: type[T], stem: str, file: str, found: Headed, findings: Findings) -> T:
    """Return the elements of a sheet with an element a row."""
    layout = Layout.of(stem, found)
    if layout is None:
        findings.add("no-header", Where(file, found.number))
        return kind(stem, file)
    for column in layout.others:
        findings.add("unknown-column", Where(file, found.number, column, keyed=found.keyed))
    names = known_names(stem)
    values: dict[str, Values] = {}
    rows: dict[str, int] = {}
    extra: dict[str, Values] = {}
    for number, cells in bounded(found, file, findings):
        label = cells.pop(layout.element, "")
        label = label if isinstance(label, str) else label.text
        name = names.get(name_key(label))
        for column, cell in layout.used(cells):
            if isinstance(cell, Flaw):
                findings.add(cell.code, Where(file, number, column, name or "", keyed=found.keyed))
            if column in layout.others or (isinstance(cell, Flaw) and cell.text):
                beside = f"{label} [{layout.others.get(column, letters(column))}]"
                text = cell.text if isinstance(cell, Flaw) else cell
                extra.update({free(beside, f"{letters(column)}{number}", extra): (text,)} if text else {})
        row = layout.values(cells)
        if name is not None and name not in rows:
            rows[name] = number
            values.update({name: row} if row else {})
        elif row:
            known = name is not None
            extra[free(f"{name} [{number}]" if known else label, str(number), extra)] = row
            code = "second-element" if known else "unknown-element" if label else "no-element"
            where = Where(file, number, layout.element, keyed=found.keyed)
            asked = code == "unknown-element" and findings.keeps(code, where)
            findings.add(code, where, near=near(stem, label) if asked else "")
    return kind(stem, file, values, rows, layout.first, extra, found.keyed)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of such a sheet: the elements, the first of the values, and what is neither."""

    element: int
    first: int
    others: Mapping[int, str]
    unused: frozenset[int]

    @classmethod
    def of(cls, stem: str, found: Headed) -> "Layout | None":
        """Return the columns by their headers, None where none heads the values."""
        keys = set(map(name_key, TEMPLATES[stem].keys))
        headers = {column: name_key(text) for column, text in sorted(found.header.items())}
        element = next(column for column, header in headers.items() if header in keys)
        first = next((column for column, header in headers.items() if header == "value"), None)
        if first is None:
            return None
        unused = frozenset(column for column, header in headers.items() if header in UNUSED)
        further = {column for column, header in headers.items() if column > first and FURTHER_VALUE.fullmatch(header)}
        others = set(headers) - unused - further - {element, first}
        return cls(element, first, {column: found.header[column] for column in sorted(others)}, unused)

    def used(self, cells: Cells) -> list[tuple[int, Cell]]:
        """Return the cells that the template does not fill with its own words."""
        return [(column, cell) for column, cell in cells.items() if column not in self.unused]

    def values(self, cells: Cells) -> Values:
        """Return the values of one row at their places; columns without a header go on with them."""
        texts = {
            column - self.first: cell
            for column, cell in self.used(cells)
            if column >= self.first and column not in self.others and isinstance(cell, str)
        }
        return tuple(texts.get(place) for place in range(max(texts, default=-1) + 1))


def from_object(kind: type[T], stem: str, file: str, document: Pairs, findings: Findings) -> T:
    """Return the elements of a JSON object: values are texts or lists, a group is a list of objects."""
    names = known_names(stem)
    values: dict[str, dict[int, str]] = {}
    rows: dict[str, int] = {}
    extra: dict[str, dict[int, str]] = {}
    for number, (key, place, value) in enumerate(flat(document), 1):
        name = names.get(GROUPED.get(name_key(key), name_key(key)))
        cell = json_cell(key, value)
        where = Where(file, number, name=name or "", keyed=True)
        if isinstance(cell, Flaw):
            findings.add(cell.code, where)
        text = cell.text if isinstance(cell, Flaw) else cell
        if not text:
            continue
        if name is None or isinstance(cell, Flaw):
            beside = key if place not in extra.get(key, {}) else free(key, str(number), extra)
            extra.setdefault(beside, {})[place] = text
            if not isinstance(cell, Flaw):
                asked = findings.keeps("unknown-element", where)
                findings.add("unknown-element", where, near=near(stem, key) if asked else "")
        elif place in values.get(name, {}):
            extra[free(f"{name} [{number}]", str(number), extra)] = {place: text}
            findings.add("second-element", where)
        else:
            rows.setdefault(name, number)
            values.setdefault(name, {})[place] = text
    return kind(stem, file, row_values(values), rows, 0, row_values(extra), keyed=True)


GROUPED = {key: name_key(name) for key, name in GROUPED_KEYS.items()}


def flat(document: Pairs) -> Iterator[tuple[str, int, Any]]:
    """Yield (key, place, value) of everything that is an element or within a group of them."""
    for key, value in document:
        if isinstance(value, Pairs):
            yield from flat(value)
        elif isinstance(value, list) and value and all(isinstance(one, Pairs) for one in value):
            for place, one in enumerate(value):
                yield from ((inner, place, said) for inner, said in one)
        elif isinstance(value, list):
            yield from ((key, place, one) for place, one in enumerate(value))
        else:
            yield key, 0, value


def row_values(found: dict[str, dict[int, str]]) -> dict[str, tuple[str | None, ...]]:
    return {name: tuple(places.get(place) for place in range(max(places) + 1)) for name, places in found.items()}
