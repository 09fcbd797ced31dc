"""What is said of a dataset: a code, a place, names of the template and of files, never a value."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mapper.records.sds.sentences import FINDINGS, LEVELS, Level

NEVER_PRINTED = "\ufffd"
NAMED = 8
"""Names of several that a person is shown; a program gets all."""


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
    """Something that was found; `count` and `other` fill its sentence, `more` like it were met after this one.

    `near` is the template's name that a header may mean, `listed` names what there is several of: files of the
    dataset, columns of the template.
    """

    code: str
    where: Where
    count: int | None = None
    other: Where | None = None
    more: int = 0
    near: str = ""
    listed: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """How grave it is."""
        return FINDINGS[self.code].level

    @property
    def left_out(self) -> bool:
        """Whether something of the dataset does not reach FHIR because of it."""
        return FINDINGS[self.code].left_out

    @property
    def reason(self) -> str:
        """The sentence, without the place."""
        return self._said(FINDINGS[self.code].text, self.near)

    @property
    def remedy(self) -> str:
        """What to do about it."""
        meant = f"did you mean `{self.near}`?" if self.near else "nothing; or rename it to one of the template"
        return self._said(FINDINGS[self.code].remedy, self.near if self.code == "old-column" else meant)

    def _said(self, sentence: str, near: str) -> str:
        return sentence.format(count=self.count, other=self.other, near=near, listed=few(self.listed))

    def __str__(self) -> str:
        more = f" (and {self.more} more like it)" if self.more else ""
        return f"{self.where}: {self.reason}{more}; {self.remedy}"


def few(names: tuple[str, ...]) -> str:
    """Return the first of several names behind a colon, and how many there are beside them.

    >>> few(("a", "b")), few(())
    (': a, b', '')
    """
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f": {', '.join(map(printable, names[:NAMED]))}{more}" if names else ""


class Findings:
    """Findings while they come: of one kind in one column of a file the first few are kept, the rest is counted."""

    KEPT = 10

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int], list[Finding]] = {}
        self._more: dict[tuple[str, str, int], int] = {}

    def add(
        self,
        code: str,
        where: Where,
        count: int | None = None,
        other: Where | None = None,
        near: str = "",
        listed: tuple[str, ...] = (),
    ) -> None:
        """Take one finding; raises KeyError when its code is not in the table."""
        assert code in FINDINGS, code
        key = self._key(code, where)
        kept = self._found.setdefault(key, [])
        if len(kept) < self.KEPT:
            kept.append(Finding(code, where, count, other, near=near, listed=listed))
        else:
            self._more[key] = self._more.get(key, 0) + 1

    def keeps(self, code: str, where: Where) -> bool:
        """Tell whether one more is kept, or only counted: what costs time need not be found out of that."""
        return len(self._found.get(self._key(code, where), ())) < self.KEPT

    @staticmethod
    def _key(code: str, where: Where) -> tuple[str, str, int]:
        return code, where.file if where.row else "", where.column

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
