"""A row of a mapping table: "this FHIR element <- these DICOM attributes, by that converter".

A converter is called `by(cx, *values)` and returns the FHIR value, a list of them, or None; ValueError drops the
element and is recorded; `cx.note(reason)` keeps it, but records why one may doubt it. A row without keywords is a
constant.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, wraps
from typing import Any, NamedTuple

from mapper.dicom.item import Item, tag_of

MUST = True

Converter = Callable[..., Any]

TOGETHER = (frozenset({"location", "locationQualifier"}),)
"""Elements that say one thing together: a side belongs to the place that it was said of (BodyStructure)."""


@cache
def many(by: Converter) -> Converter:
    """Return the converter of an element that FHIR repeats: what another one makes, as the only one of a list."""

    @wraps(by)
    def listed(cx: Any, *values: Any) -> list[Any]:
        made = by(cx, *values)
        return [made] if made else []

    return listed


class Read(NamedTuple):
    """One word of a row's `dicom`, taken apart."""

    keyword: str
    of_all: bool
    """Every value of every series."""
    several: bool
    """Every value."""
    completes: bool
    """Unreadable, it counts as absent."""


@dataclass(frozen=True)
class Rule:
    """One row of a mapping table.

    `element` is a FHIR path, `dicom` the PS3.6 keywords it comes from, `by` the converter. After a keyword, `*`
    hands on every value and `**` every value of every series; `?` marks what only completes the rest: unreadable,
    it is recorded and counts as absent. A `required` element that is absent drops the element that encloses it.
    A row with an `option` works only where the site names it; one with `otherwise` only where no row before made
    its element.
    """

    element: str
    dicom: str
    by: Converter
    required: bool = False
    option: str = ""
    otherwise: bool = False

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """The DICOM keywords of this row."""
        return tuple(one.keyword for one in self.reads)

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """The words of this row, taken apart once."""
        words = self.dicom.split()
        return tuple(Read(word.rstrip("*?"), "**" in word, "*" in word, "?" in word) for word in words)

    @cached_property
    def raw_tags(self) -> tuple[str, ...]:
        """The tags of the keywords as DICOM JSON writes them."""
        return tuple(map(tag_of, self.keywords))

    @cached_property
    def elements(self) -> frozenset[str]:
        """The same, whatever their order."""
        return frozenset(self.raw_tags)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of the keywords as `(gggg,eeee)`, from the dictionary."""
        return tuple(f"({tag[:4]},{tag[4:]})" for tag in map(tag_of, self.keywords))

    @property
    def asked(self) -> tuple[str, ...]:
        """What is looked for, in words: the keywords."""
        return self.keywords

    @property
    def request(self) -> str:
        """The same in one text."""
        return " ".join(self.keywords) or "no attribute"

    @property
    def origin(self) -> str:
        """The attributes behind it as `Keyword (gggg,eeee)`, or that there is none."""
        named = [f"{keyword} {tag}" for keyword, tag in zip(self.keywords, self.tags, strict=True)]
        return ", ".join(named) or "no attribute"

    @property
    def bare_origin(self) -> str:
        """The same without any value, for those who may not see one."""
        return self.origin

    def attribute_of(self, item: Item) -> str:
        """Return what a problem of this row is a problem of: its keywords."""
        return " ".join(self.keywords)

    def seen(self, item: Item) -> "Rule":
        """Return this row as it is remembered beside what it made of a data set."""
        return self

    @property
    def words(self) -> str:
        """The rule in words: the first sentence of its converter."""
        return (self.by.__doc__ or self.by.__name__).strip().partition("\n")[0]

    def read(self, item: Item, note: Callable[[str], None]) -> Iterator[Any]:
        """Yield the values this row is made from; raises ValueError when one is unreadable that counts.

        All of them come from the data set that speaks for the first: an offset belongs to its own date. Who the
        patient is, is settled for the whole study.
        """
        whole = item
        if type(item) is not Item and self.keywords and self.keywords[0] in item:
            item = item.layer(self.keywords[0])
        for keyword, of_all, several, completes in self.reads:
            try:
                if of_all:
                    yield whole.values_of_all(keyword)
                else:
                    one = whole if whole.is_settled(keyword) else item
                    yield one.values(keyword) if several else one[keyword]
            except ValueError as error:
                if not completes:
                    raise
                note(f"{keyword} is {error or 'not readable'}: counts as absent")
                yield [] if several else None


class MissingElement(ValueError):
    """A required element cannot be made: what encloses it is dropped."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule.element)
        self.rule = rule


class Made(dict[str, Any]):
    """A FHIR element that remembers which row made which part of it."""

    __slots__ = ("rules",)

    def __init__(self) -> None:
        super().__init__()
        self.rules: dict[str, list[Rule]] = {}

    def fill(self, other: "Made") -> None:
        """Take over what another element of the same thing has and this one lacks; what is one statement stays one."""
        lacking = other.keys() - self.keys()
        for names in TOGETHER:
            if not names.isdisjoint(self):
                lacking -= names
        for name in lacking:
            self[name] = other[name]
            self.rules[name] = other.rules.get(name, [])
