"""Who is whose: from a sample, a site, a performance, a pool or a population to the subjects."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

from mapper.records.sds.row import Performance, Row, Sample, Site, Subject

PREFIXES = ("sub", "sam", "site", "perf")
ENTITY_ID = re.compile(r"(?:pop-)?(?:sub|sam|site|perf)-[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
"""The form of an id in SDS 3 (sparcur/schemas.py)."""


class Lineage:
    """The ids of a dataset and how they hang together."""

    def __init__(
        self,
        subjects: Iterable[Subject] = (),
        samples: Iterable[Sample] = (),
        sites: Iterable[Site] = (),
        performances: Iterable[Performance] = (),
    ) -> None:
        self.subjects: Mapping[str, Subject] = {row.id: row for row in subjects}
        self.samples: Mapping[str, Sample] = {row.id: row for row in samples}
        self.sites: Mapping[str, Site] = {row.id: row for row in sites}
        self.performances: Mapping[str, Performance] = {row.id: row for row in performances}
        self.groups: Mapping[str, tuple[str, ...]] = groups((*self.subjects.values(), *self.samples.values()))
        """Pools and populations -> the ids of their members."""

    def knows(self, entity: str) -> bool:
        """Tell whether a sheet has this id, as a row or as a pool or population of rows."""
        return any(entity in sheet for sheet in (*self.sheets, self.groups))

    @property
    def sheets(self) -> tuple[Mapping[str, Row], ...]:
        """The rows by id, sheet by sheet."""
        return (self.subjects, self.samples, self.sites, self.performances)

    @cached_property
    def folded(self) -> Mapping[str, Row]:
        """The rows by their ids in one case."""
        return {id.casefold(): row for sheet in reversed(self.sheets) for id, row in sheet.items()}

    def row(self, entity: str) -> Row | None:
        """Return the row of an id."""
        return next((sheet[entity] for sheet in self.sheets if entity in sheet), None)

    def is_sample(self, entity: str) -> bool:
        """Tell whether an id is a sample's: the sheet says so, else its prefix."""
        return entity in self.samples or (not self.knows(entity) and entity.startswith(("sam-", "pop-sam-")))

    def parents(self, entity: str) -> tuple[str, ...]:
        """Return the ids that an id hangs on directly."""
        if sample := self.samples.get(entity):
            return (*sample.words("subject id"), *sample.words("was derived from"))
        if site := self.sites.get(entity):
            return site.words("specimen id")
        if performance := self.performances.get(entity):
            return performance.words("participants")
        return self.groups.get(entity, ())

    def subjects_of(self, entity: str) -> tuple[str, ...]:
        """Return the ids of the subjects that something belongs to, in order; an unknown `sub-` id is one itself."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [entity]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            above = self.parents(one) if one not in self.subjects or one in self.groups else ()
            if above:
                waiting.extend(reversed(above))
            elif one in self.subjects or (not self.knows(one) and one.startswith("sub-")):
                found[one] = None
        return tuple(found)

    def ancestors(self, entity: str) -> set[str]:
        """Return everything that an id hangs on, itself too where that goes in a circle."""
        seen: set[str] = set()
        waiting = list(self.parents(entity))
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting.extend(self.parents(one))
        return seen


def groups(rows: Iterable[Row]) -> dict[str, tuple[str, ...]]:
    """Return {pool or population: ids of its members} (SDS 2 `pool id`, SDS 3 `member of`)."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        for group in (*row.words("pool id"), *row.words("member of")):
            if group != row.id:
                found[group][row.id] = None
    return {group: tuple(members) for group, members in found.items()}
