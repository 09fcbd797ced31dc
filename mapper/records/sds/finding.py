"""What is said of a dataset: a code, a place, never a value.

Every sentence stands in one table and can hold numbers and places alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""error: something cannot be used, or contradicts itself; warning: one may doubt it; note: good to know."""

FINDINGS: dict[str, tuple[Level, str]] = {
    # files
    "no-description": ("error", "no dataset_description lies here: name the folder in which it lies"),
    "no-version": ("error", "no metadata version: is it a dataset of SDS 2.x or 3.x?"),
    "other-version": ("warning", "neither SDS 2.x nor 3.x: read as far as its columns have the names of those"),
    "no-subjects": ("warning", "has studies and no sheet of subjects, or none with rows in it"),
    "two-forms": ("warning", "there a second time, as {other}: only this one is read"),
    "other-format": ("error", "not read in this format: save it as xlsx or csv"),
    "outside": ("warning", "a link that leaves the dataset: not followed"),
    "no-file": ("warning", "neither a file nor a folder: left alone"),
    "other-standard": ("warning", "names another standard than SDS: read as far as it is one all the same"),
    "other-structure": ("note", "a .dss file marks another structure: the folder is left alone"),
    "too-large": ("error", "larger than {count} bytes, or unpacks to more: not read"),
    "no-workbook": ("error", "not readable as a workbook: open it in a spreadsheet program and save it anew"),
    "no-json": ("error", "not readable as JSON, or not of the shape that SDS gives it"),
    "no-text": ("error", "not readable as text: save it as UTF-8"),
    "windows-1252": ("warning", "not UTF-8, read as Windows-1252: look at letters with accents, or save it as UTF-8"),
    "no-measurements": ("warning", "not of the shape that fhir-cda gives it: left alone"),
    # tables
    "no-header": ("error", "no row holds the header of the column that identifies its rows: not read"),
    "late-header": ("warning", "the header is not in the first row: what stands above it is left out"),
    "other-sheets": ("note", "there are {count} more sheets: only the first with the header is read"),
    "too-many-rows": ("error", "more than {count} rows: the rest is not read"),
    "too-many-cells": ("error", "more than {count} cells: the rest is not read"),
    "too-many-columns": ("error", "more than {count} columns: the cells beyond are not read"),
    "too-long": ("error", "longer than {count} characters, which no spreadsheet holds: the cell is left out"),
    "broken-off": ("error", "what follows is not readable: only the rows before it are read"),
    "unknown-column": ("note", "not a column of the template: kept as it is"),
    "no-column-name": ("warning", "a value under no header: kept under the column's letter"),
    "second-column": ("warning", "a second column of this name: kept under its letter, the first one counts"),
    "unknown-element": ("note", "not an element of the template: kept as it is"),
    "no-element": ("warning", "values without an element: kept under the row's number"),
    "second-element": ("warning", "a second row of this element: the first one counts"),
    "no-id": ("error", "a row without its id: left out"),
    "same-id": ("error", "an id that {other} has already: the row is left out"),
    "hint": ("note", "the template's own example or explanation: not taken as data"),
    # cells
    "formula": ("warning", "a formula whose value was never stored: open it in a spreadsheet program and save it"),
    "error-value": ("warning", "the spreadsheet says that there is an error: the cell is left out"),
    "merged": ("warning", "merged cells: only the first one has a value, write it into each"),
    "nested": ("warning", "an object within a cell: kept as JSON beside the columns of the template"),
    "no-contributor-name": ("warning", "a contributor without a name: left out"),
    # relations
    "count-differs": ("warning", "the sheet has {count} of them"),
    "no-count": ("warning", "not a number"),
    "derived-count-differs": ("warning", "the sheet has {count} samples that are directly derived"),
    "unknown-entity": ("error", "no sheet has this id"),
    "circle": ("error", "derived from itself over others"),
    "id-twice": ("error", "an id that {other} has in another sheet: SDS 3 wants each once"),
    "id-form": ("warning", "not the form of such an id in SDS 3: prefix, `-`, then letters, digits and inner `-`"),
    "id-prefix": ("warning", "an id without its prefix (`sub-`, `sam-`, `site-`, `perf-`)"),
    "path-form": ("warning", "a name with characters other than SDS 3 allows in paths: [A-Za-z0-9.,-_ ]"),
    "no-title": ("warning", "has no title"),
    "no-doi": ("note", "names no DOI of its own"),
    "orcid": ("warning", "not an ORCID iD: its form or check digit is wrong"),
    "no-such-file": ("warning", "the dataset has no such file"),
    "too-many-patterns": ("error", "more than {count} patterns: this one is not looked at"),
    "file-outside": ("warning", "a path that leaves the dataset: left alone"),
    "not-listed": ("note", "in no manifest: {count} files"),
    # DICOM
    "no-dicom": ("note", "holds no DICOM file"),
    "image-no-dicom": ("note", "images that are no DICOM, counted only: {count}"),
    "not-dicom": ("warning", "not readable as DICOM: left out"),
    "dicomdir": ("note", "a DICOMDIR: its files are found by themselves"),
    "no-study-uid": ("warning", "a DICOM file without StudyInstanceUID: left out"),
    "two-patients": ("error", "stands under several PatientIDs: left out"),
    "no-instances": ("error", "has no instance with the UIDs that DICOM demands: left out"),
    "no-subject": ("warning", "belongs to no subject: neither a manifest nor a folder names one"),
    "two-subjects": ("error", "belongs to several subjects: {count}"),
    "two-samples": ("warning", "a series that lies in several samples: {count}"),
    "folder-differs": ("error", "the manifest names another subject than the folder: the manifest counts"),
    "sample-of-other": ("error", "its folders or manifest entries name a sample of another subject"),
    "no-such-study": ("warning", "the dataset holds no study and no series of this UID"),
    "sex-differs": ("warning", "PatientSex says another thing than {other}"),
    "age-differs": ("warning", "PatientAge says another thing than {other}"),
    "birth-date-differs": ("warning", "PatientBirthDate says another thing than {other}"),
    "other-patient-id": ("error", "PatientID is the id of another subject: {other}"),
    "patient-id": ("note", "PatientID is neither the subject's id nor its laboratory internal id"),
    "several-patient-ids": ("warning", "the subject's studies name {count} PatientIDs"),
    "animal": ("note", "a species other than man"),
    "no-images": ("note", "a subject without DICOM files"),
}
"""Code of a finding -> how grave it is, and the sentence."""

NEVER_PRINTED = "\ufffd"


@dataclass(frozen=True, slots=True)
class Where:
    """A place: a file's path within the dataset (or `study <StudyInstanceUID>`), a row, a column's number.

    `name` is the column's name in the template, "" where the template has none: a header may be data gone astray.
    """

    file: str
    row: int = 0
    column: int = 0
    name: str = ""
    keyed: bool = False

    def __str__(self) -> str:
        """Return it as a spreadsheet program would: `subjects.xlsx B7`."""
        if not self.row and not self.column:
            return printable(self.file)
        if self.keyed:
            key = self.name or (f"key {self.column}" if self.column else "")
            record = f"#{self.row}" if self.row else ""
            return " ".join(filter(None, (printable(self.file), record, key)))
        if not self.column:
            return f"{printable(self.file)} row {self.row}"
        if not self.row:
            return f"{printable(self.file)} column {letters(self.column)}"
        return f"{printable(self.file)} {letters(self.column)}{self.row}"


WHOLE = Where("the dataset")
"""The place of what is said of all of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found; `count` and `other` fill its sentence, `more` like it were met after this one."""

    code: str
    where: Where
    count: int | None = None
    other: Where | None = None
    more: int = 0

    @property
    def level(self) -> Level:
        """How grave it is."""
        return FINDINGS[self.code][0]

    @property
    def reason(self) -> str:
        """The sentence, without the place."""
        return FINDINGS[self.code][1].format(count=self.count, other=self.other)

    def __str__(self) -> str:
        more = f" (and {self.more} more like it)" if self.more else ""
        return f"{self.where}: {self.reason}{more}"


class Findings:
    """Findings while they come: of one kind in one column of a file the first few are kept, the rest is counted."""

    KEPT = 10

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int], list[Finding]] = {}
        self._more: dict[tuple[str, str, int], int] = {}

    def add(self, code: str, where: Where, count: int | None = None, other: Where | None = None) -> None:
        """Take one finding; raises KeyError when its code is not in the table."""
        assert code in FINDINGS, code
        key = (code, where.file if where.row else "", where.column)
        kept = self._found.setdefault(key, [])
        if len(kept) < self.KEPT:
            kept.append(Finding(code, where, count, other))
        else:
            self._more[key] = self._more.get(key, 0) + 1

    def __iter__(self) -> Iterator[Finding]:
        for key, kept in self._found.items():
            yield from kept[:-1]
            yield replace(kept[-1], more=self._more.get(key, 0))


def graded(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings, the gravest first, then by place."""
    return tuple(
        sorted(
            findings,
            key=lambda one: (LEVELS.index(one.level), one.where.file, one.where.row, one.where.column, one.code),
        )
    )


def printable(text: str) -> str:
    """Return a path so that it can neither move a cursor nor fail to be written."""
    return "".join(one if one.isprintable() else NEVER_PRINTED for one in text)


def letters(column: int) -> str:
    """Return a column's letters.

    >>> letters(1), letters(28)
    ('A', 'AB')
    """
    found = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found
