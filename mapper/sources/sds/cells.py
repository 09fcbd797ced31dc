"""What every sheet comes down to, whatever its format: rows of cells, and which of them is the header.

A row is its number and its cells by their column's number, both from 1, as a spreadsheet program counts them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from mapper.dicom.characters import clean
from mapper.records.sds.columns import Template, name_key

LARGEST = 64 * 2**20
"""Bytes of a file that is read."""
ROWS = 2**20
"""Rows of a sheet: what a spreadsheet program can hold."""
COLUMNS = 1000
CELLS = 3_000_000
LONGEST = 32_767
"""Characters of a cell: what a spreadsheet program can hold."""
LOOKED_AT = 20
"""Rows among which the header must be."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What stands in place of a cell that has no value to offer: the finding, and what can be kept all the same."""

    code: str
    text: str = ""


Cell = str | Flaw
Cells = dict[int, Cell]
Rows = Iterator[tuple[int, Cells]]


@dataclass(frozen=True, slots=True)
class Headed:
    """Rows under their header."""

    number: int
    header: dict[int, str]
    rows: Rows
    late: bool = False
    """Something stands above the header."""
    sheets: int = 1
    """Sheets of the file in which there is something."""
    keyed: bool = False
    """The file has keys instead of columns with letters."""


def plain(text: str) -> str:
    """Return a cell's text without controls, marks of the byte order and blanks around it."""
    return clean(text.replace("\ufeff", "")) or ""


def free(name: str, place: str, taken: Collection[str]) -> str:
    """Return a name that is not taken: the place of what it names is added where it is.

    >>> free("age", "C", ["age"])
    'age [C]'
    """
    while not name or name in taken:
        name = f"{name} [{place}]".lstrip()
    return name


def headed(rows: Rows, template: Template) -> Headed | None:
    """Return rows from their header on, or None when none of the first rows is one."""
    keys = {name_key(name) for name in template.keys}
    above = False
    for number, cells in islice(rows, LOOKED_AT):
        texts = {column: text for column, text in cells.items() if isinstance(text, str)}
        if any(name_key(text) in keys for text in texts.values()):
            return Headed(number, texts, rows, above)
        above = above or bool(cells)
    return None
