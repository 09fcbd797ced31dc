"""The rows of the mapping as a page shows them: what docs/mapping.md has, cell by cell."""

from dataclasses import dataclass
from functools import cache

from mapper.maps import OF_DOCUMENTS, TABLES
from mapper.maps.printed import MODULES, anchor, concepts_of, source
from mapper.maps.rule import Rule


@dataclass(frozen=True, slots=True)
class Shown:
    """One rule: what it makes, of what, how, and where that is written."""

    element: str
    asked: tuple[tuple[str, str], ...]
    """Keyword and tag of attributes, meaning and code of concepts."""
    words: str
    source: str
    marks: tuple[str, ...]

    @property
    def text(self) -> str:
        """Everything a person may look for."""
        asked = " ".join(f"{name} {tag} {tag.strip('()').replace(',', '')}" for name, tag in self.asked)
        return " ".join((self.element, asked, self.words, self.source, *self.marks))


@dataclass(frozen=True, slots=True)
class Section:
    """One table: its name, what it is about, its rules."""

    name: str
    about: str
    rows: tuple[Shown, ...]

    @property
    def anchor(self) -> str:
        """Where on the page it stands."""
        return anchor(self.name)


@cache
def sections() -> tuple[Section, ...]:
    """Return every table of the mapping; rows that stand in several tables of a resource are told once."""
    found = []
    for name, rules in {**TABLES, **OF_DOCUMENTS}.items():
        rows = tuple(dict.fromkeys(shown(name, rule) for rule in rules))
        found.append(Section(name, (MODULES[name].__doc__ or "").strip().partition("\n\n")[0], rows))
    return tuple(found)


def shown(name: str, rule: Rule) -> Shown:
    """Return one rule as it is shown."""
    attributes = zip(rule.keywords, rule.tags, strict=True)
    concepts = ((one.meaning, f"({one.code}, {one.scheme})") for one in concepts_of(rule))
    marks = [f"option {rule.option}"] * bool(rule.option) + ["else"] * rule.otherwise + ["required"] * rule.required
    cited = source(name, rule)
    return Shown(rule.element, (*attributes, *concepts), rule.words, cited if cited != "-" else "", tuple(marks))
