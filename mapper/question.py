"""What is asked of an explanation: a FHIR element with what stands in it, or a DICOM attribute; in any case."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from mapper.maps import OF_DOCUMENTS, TABLES
from mapper.maps.rule import Rule

POSITION = re.compile(r"\[\d+\]")
NEAR = 3
"""Names that are offered instead of one that is none."""


@dataclass(frozen=True, slots=True)
class Question:
    """One text that somebody typed; an empty one asks for everything."""

    text: str

    @property
    def name(self) -> str:
        """The same as names are compared."""
        return POSITION.sub("", self.text.strip()).casefold()

    def takes(self, path: str, attributes: Iterable[str] = ()) -> bool:
        """Tell whether it means a FHIR path, whatever the positions in lists, or one of the attributes behind it."""
        path, name = POSITION.sub("", path).casefold(), self.name
        return not name or path == name or path.startswith(f"{name}.") or name in map(str.casefold, attributes)

    @property
    def is_known(self) -> bool:
        """Tell whether the tables have such an element or attribute, or one that encloses it."""
        return not self.name or self.name in (known := names()) or self.name.rpartition(".")[0] in rows() & known.keys()

    @property
    def near(self) -> list[str]:
        """Return the names of elements and attributes that are most like it."""
        known, last = names(), self.name.rpartition(".")[2]
        ending = [full for name, full in known.items() if last and name.rpartition(".")[2].startswith(last)]
        close = [known[name] for name in get_close_matches(self.name, known, NEAR, 0.6)]
        return list(dict.fromkeys([*close, *sorted(ending, key=len)]))[:NEAR]

    @property
    def unknown(self) -> str:
        """Say that there is no such name, and which are near; what was typed is not repeated."""
        near = f"; near it: {', '.join(self.near)}" if self.near else "; the mapping is in docs/mapping.md"
        return f"no FHIR element and no DICOM attribute of the mapping is called so{near}"


@cache
def rows() -> frozenset[str]:
    """Return every element that a row makes, as names are compared."""
    return frozenset(rule.element.casefold() for table in all_tables() for rule in table)


@cache
def names() -> dict[str, str]:
    """Return every element, what encloses it, and every attribute: as names are compared, and as they are written."""
    found: dict[str, str] = {}
    for table in all_tables():
        for rule in table:
            parts = rule.element.split(".")
            for name in (*(".".join(parts[: end + 1]) for end in range(len(parts))), *rule.keywords):
                found.setdefault(name.casefold(), name)
    return found


def all_tables() -> tuple[tuple[Rule, ...], ...]:
    """Return the tables of attributes and those of documents."""
    return (*TABLES.values(), *OF_DOCUMENTS.values())
