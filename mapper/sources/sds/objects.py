"""Sheets as JSON: lists of objects, whose keys are the columns."""

import json
from collections import Counter
from typing import Any

from mapper.nesting import too_deep
from mapper.records.sds.columns import Template, name_key
from mapper.sources.sds.cells import Cell, Cells, Flaw, Headed, Rows, plain

IDS = frozenset(
    map(
        name_key,
        (
            *("was derived from", "participants", "member of", "pool id", "subject id", "specimen id"),
            *("entity", "specimen", "subject", "sample", "site", "performance"),
        ),
    )
)
"""Columns whose cells are ids, which stand apart by blanks."""
DEEPEST = 32
"""Brackets that are open at one time; SDS needs five."""
WRAPPERS = ("manifest_records", "manifest")


class Pairs(list[tuple[str, Any]]):
    """An object as its pairs of key and value: a key may be there twice."""


def parse(text: str) -> Any:
    """Return JSON with numbers as they are written; raises ValueError when it is none, or nests too deep."""
    if too_deep(text.encode("utf-8", "surrogatepass"), DEEPEST):
        raise ValueError("nested too deep")
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=refuse, object_pairs_hook=Pairs)


def refuse(word: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def open_objects(text: str, template: Template) -> Headed | None:
    """Return the objects of a sheet as rows, None when none has the key; raises ValueError."""
    objects = list_of(parse(text), template)
    columns: dict[tuple[str, int], int] = {}
    rows = [{columns.setdefault(key, len(columns) + 1): value for key, value in named(one)} for one in objects]
    header = {number: key for (key, _), number in columns.items()}
    keys = {name_key(name) for name in template.keys}
    if not any(name_key(name) in keys for name in header.values()):
        return None
    return Headed(0, header, numbered(rows, header), keyed=True)


def numbered(rows: list[dict[int, Any]], header: dict[int, str]) -> Rows:
    for number, row in enumerate(rows, 1):
        cells: Cells = {column: cell for column, value in row.items() if (cell := said(header[column], value))}
        if cells:
            yield number, cells


def named(pairs: Pairs) -> list[tuple[tuple[str, int], Any]]:
    """Return ((key, how many of it came before), value) of each pair."""
    seen: Counter[str] = Counter()
    found = []
    for key, value in pairs:
        found.append(((plain(key), seen[key]), value))
        seen[key] += 1
    return found


def list_of(document: Any, template: Template) -> list[Pairs]:
    """Return the objects of a sheet: the document is their list, or has it under the sheet's name."""
    if isinstance(document, Pairs):
        names = {name_key(template.stem), *(map(name_key, WRAPPERS) if template.stem == "manifest" else ())}
        document = next((value for key, value in document if name_key(key) in names), None)
    if not isinstance(document, list) or isinstance(document, Pairs):
        raise ValueError("no list of objects")
    if not all(isinstance(one, Pairs) for one in document):
        raise ValueError("no list of objects")
    return document


def said(name: str, value: Any) -> Cell:
    """Return a value as the text of a cell."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return plain(value)
        case Pairs():
            return Flaw("nested", json.dumps(unpaired(value), ensure_ascii=False))
        case list():
            parts = [said(name, one) for one in value]
            if not all(isinstance(one, str) for one in parts):
                return Flaw("nested", json.dumps(unpaired(value), ensure_ascii=False))
            return (" " if name_key(name) in IDS else "; ").join(str(one) for one in parts if one)
        case _:
            return Flaw("error-value")


def unpaired(value: Any) -> Any:
    """Return JSON with objects as such again."""
    if isinstance(value, Pairs):
        return {key: unpaired(one) for key, one in value}
    return [unpaired(one) for one in value] if isinstance(value, list) else value
