"""Rows that made nothing, where, and why: what `explain` says beside what was made."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mapper.maps.rule import Rule

SHOWN = 10
"""Series that are named; of the others the number is told."""


COUNTED = ("instances", "items")
"""How places begin of which there are many a series."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which data set spoke: its words and, where it is one series', the series' place in the study, from 1."""

    words: str
    series: int = 0


STUDY = Place("the first instance of any series")


def of_series(number: int) -> Place:
    """Return the data set that speaks for a series."""
    return Place("the first instance of series", number)


def of_instances(number: int) -> Place:
    """Return any data set of a series."""
    return Place("instances of series", number)


def of_documents(number: int) -> Place:
    """Return any content item of the documents of a series."""
    return Place("items of the documents of series", number)


@dataclass(frozen=True, slots=True)
class Silence:
    """One row that made nothing for one reason, in all places of one kind."""

    rule: Rule
    why: str
    words: str
    times: int
    series: tuple[int, ...]

    @property
    def where(self) -> str:
        """The places: of many series the first are named."""
        if not self.series:
            return self.words
        named = ", ".join(map(str, self.series[:SHOWN]))
        more = f" and {len(self.series) - SHOWN} more" if len(self.series) > SHOWN else ""
        counted = f"{self.times} {self.words}" if self.words.startswith(COUNTED) else self.words
        return f"{counted} {named}{more}"


@dataclass(slots=True)
class Silences:
    """Collects them; thousands of instances that are silent for one reason are one line."""

    _found: dict[tuple[Rule, str, str], dict[int, int]] = field(default_factory=dict)

    def add(self, rule: Rule, why: str, place: Place) -> None:
        """Take one row that made nothing of one data set."""
        times = self._found.setdefault((rule, why, place.words), {})
        times[place.series] = times.get(place.series, 0) + 1

    def take(self, others: "Silences") -> None:
        """Take all that another one has collected."""
        for (rule, why, words), counted in others._found.items():
            times = self._found.setdefault((rule, why, words), {})
            for series, number in counted.items():
                times[series] = times.get(series, 0) + number

    def __iter__(self) -> Iterator[Silence]:
        """Yield them in the order in which the rows were met first."""
        for (rule, why, words), times in self._found.items():
            series = tuple(sorted(number for number in times if number))
            yield Silence(rule, why, words, sum(times.values()), series)
