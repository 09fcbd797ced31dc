"""A row of a sheet, or its elements, read as a data set; and rows of mapping tables that read cells."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from mapper.dicom.item import Item
from mapper.maps.rule import Converter, Rule
from mapper.maps.values.context import Context
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.description import Description
from mapper.records.sds.finding import Where
from mapper.records.sds.row import Row


class Cells(Item):
    """What one sheet says of one thing, by the template's names of its columns or elements."""

    __slots__ = ("_said", "at", "sheet")

    def __init__(self, sheet: str, said: Callable[[str], Sequence[str]], at: Callable[[str], Where]) -> None:
        """Take the sheet's name, what returns the values under a name, and what returns their place."""
        super().__init__()
        self.sheet, self._said, self.at = sheet, said, at

    def said(self, cell: str) -> list[str]:
        """Return the values under a name."""
        return list(self._said(cell))


def of_row(row: Row) -> Cells:
    """Return a row of a sheet; what only says that a value is missing is none."""
    return Cells(row.STEM, lambda column: [text] if (text := row.stated(column)) else [], row.at)


def of_description(description: Description) -> Cells:
    """Return the elements of dataset_description."""
    return Cells("dataset_description", description.all, description.at)


@dataclass
class Research(Context):
    """What a converter may know of a dataset beside its values."""

    dataset: Dataset | None = None
    uuid: UUID | None = None

    @property
    def known(self) -> tuple[Dataset, UUID]:
        """The dataset and its UUID."""
        assert self.dataset is not None
        assert self.uuid is not None
        return self.dataset, self.uuid


@dataclass(frozen=True)
class CellRule(Rule):
    """A row that reads cells: the converter is given the first value of each, of one with `*` all of them."""

    cells: str = ""
    """Names of columns or elements as the template has them, apart by `; `."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the cells."""
        return tuple(name.rstrip("*") for name in self.cells.split("; ") if name)

    def read(self, item: Item, note: Callable[[str], None]) -> Iterator[Any]:
        """Yield what stands in the cells."""
        assert isinstance(item, Cells)
        for word, name in zip(self.cells.split("; ") if self.cells else (), self.names, strict=True):
            values = item.said(name)
            yield values if word.endswith("*") else next(iter(values), None)

    @property
    def asked(self) -> tuple[str, ...]:
        """What is looked for, in words: the cells."""
        return self.names

    @property
    def request(self) -> str:
        """The same in one text."""
        return "; ".join(self.names) or "no cell"

    @property
    def origin(self) -> str:
        """The cells behind it."""
        return self.request

    def attribute_of(self, item: Item) -> str:
        """Return the cells that are filled, each with its place: `subjects.xlsx G2: date of birth`; no value."""
        assert isinstance(item, Cells)
        filled = [f"{item.at(name)}: {name}" for name in self.names if item.said(name)]
        return "; ".join(filled) or f"{item.sheet}: {self.request}"


def cell(element: str, cells: str, by: Converter, required: bool = False, otherwise: bool = False) -> CellRule:
    """Return a row of a mapping table: this FHIR element <- these cells, by that converter."""
    return CellRule(element, "", by, required, otherwise=otherwise, cells=cells)
