"""Rows of the sheets: one record a row, its cells under the template's names, what the template lacks kept too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mapper.records.sds.columns import TEMPLATES, Template
from mapper.records.sds.finding import Where
from mapper.records.sds.missing import is_missing


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where rows come from: the file's path within the dataset, and the number of each column of the template.

    `keyed`: the file has keys instead of columns with letters (JSON).
    """

    file: str
    columns: Mapping[str, int]
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `cells` has only cells with something in them; numbers and dates are text, as the file has them.

    `extra` holds what stands under columns that the template does not have, under the file's own name of them.
    """

    sheet: Sheet
    number: int
    cells: Mapping[str, str]
    extra: Mapping[str, str]

    STEM: ClassVar[str] = ""

    @classmethod
    def template(cls) -> Template:
        """Return the columns that the template has for such rows."""
        return TEMPLATES[cls.STEM]

    @property
    def id(self) -> str:
        """What identifies the row in its sheet."""
        return next((self.cells[key] for key in self.template().keys if key in self.cells), "")

    def __getitem__(self, column: str) -> str | None:
        """Return what stands under a column of the template, or None where nothing does.

        Raises KeyError when the template has no such column.
        """
        if column not in self.template().columns:
            raise KeyError(column)
        return self.cells.get(column)

    def __contains__(self, column: str) -> bool:
        return column in self.cells

    def stated(self, column: str) -> str | None:
        """Return a cell, None also where it only says that the value is missing (`unknown`, `n/a`)."""
        text = self[column]
        return None if is_missing(text) else text

    def words(self, column: str) -> tuple[str, ...]:
        """Return the ids in a cell, which stand apart by blanks (docs/sds-3-changelog.org, participants)."""
        return tuple((self[column] or "").split())

    def at(self, column: str = "") -> Where:
        """Return the place of a cell, or of the row."""
        return Where(self.sheet.file, self.number, self.sheet.columns.get(column, 0), column, keyed=self.sheet.keyed)


@dataclass(frozen=True, slots=True)
class Subject(Row):
    """One subject, or a population of them."""

    STEM: ClassVar[str] = "subjects"


@dataclass(frozen=True, slots=True)
class Sample(Row):
    """One sample; in a dataset of images often a series, not a specimen."""

    STEM: ClassVar[str] = "samples"


@dataclass(frozen=True, slots=True)
class Site(Row):
    """A place on a subject or sample."""

    STEM: ClassVar[str] = "sites"


@dataclass(frozen=True, slots=True)
class Performance(Row):
    """One performance of a protocol, with its participants."""

    STEM: ClassVar[str] = "performances"


@dataclass(frozen=True, slots=True)
class Resource(Row):
    """A tool, an antibody, an organism that was used."""

    STEM: ClassVar[str] = "resources"


@dataclass(frozen=True, slots=True)
class ManifestEntry(Row):
    """What a manifest says of one file, of a folder, or of all files like a pattern."""

    STEM: ClassVar[str] = "manifest"

    ENTITIES: ClassVar[tuple[str, ...]] = ("entity", "specimen", "subject", "sample", "site", "performance")

    @property
    def entities(self) -> tuple[str, ...]:
        """The ids of what the file is about, each once."""
        return tuple(dict.fromkeys(word for column in self.ENTITIES for word in self.words(column)))
