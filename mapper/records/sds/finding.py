"""What is said of a dataset: a code, a place, never a value."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mapper.records.sds.sentences import FINDINGS, LEVELS, Level

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
