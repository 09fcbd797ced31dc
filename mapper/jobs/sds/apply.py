"""The transactions of a dataset go to a sink: what its job wrote is kept as it should be, of all else only what is new.

A Patient or ImagingStudy that stands there is compared and reported; on wish what the dataset's own run wrote of it is
brought in line, and what somebody else wrote last is never overwritten.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mapper.errors import StaleVersion
from mapper.fhir.resource import Key, Resource, key_of
from mapper.jobs.sds.plan import Part
from mapper.jobs.sds.standing import Standing, Whose, standings, version
from mapper.jobs.sds.writer import Writer
from mapper.maps.research.patient import cells_of
from mapper.records.sds.finding import Where
from mapper.sinks.sink import Sink

TRIES = 3


class Named(Sink, Protocol):
    """A sink of datasets: it is asked for what has identifiers of a system."""

    def named(self, kind: str, system: str) -> Iterator[Resource]:
        """Yield every resource of a type that has an identifier of this system; raises as `put`."""


@dataclass(frozen=True, slots=True)
class Differing:
    """A resource that was left alone: in which elements, whose it is, and what the dataset says it by."""

    elements: tuple[str, ...]
    whose: Whose
    cells: Sequence[Where] = ()
    study_uid: str = ""


@dataclass
class Applied:
    """What became of resources: how many are new, changed or as they were, and in which elements others differ."""

    made: int = 0
    changed: int = 0
    same: int = 0
    differ: dict[Key, Differing] = field(default_factory=dict)
    said: set[Key] = field(default_factory=set)
    """All that the dataset says."""


def apply(
    parts: Iterable[Part],
    sink: Sink,
    check: Callable[[list[Resource]], None],
    mine: Writer,
    progress: Callable[[Part], None] = lambda part: None,
) -> Applied:
    """Write parts one after the other; raises BundleRejected by `check`, and as Sink.put.

    What was written before a failure stays: the next run goes on from there.
    """
    applied = Applied()
    for part in parts:
        for attempt in range(TRIES):
            held = {key_of(one): sink.read(key_of(one)) for one in part.resources}
            found = standings(part.resources, held, mine)
            written = [one.write for one in found if one.write is not None]
            if not written:
                break
            check(written)
            keys = [key_of(one) for one in written]
            try:
                expected = {key: (version(held[key]) or sink.version(key)) if held[key] else "" for key in keys}
                sink.put(written, expected)
                break
            except StaleVersion:  # somebody wrote between our look and our word
                if attempt == TRIES - 1:
                    raise
        for one in found:
            count(applied, part, one, new=held[one.key] is None)
        progress(part)
    sink.flush()
    return applied


def count(applied: Applied, part: Part, one: Standing, *, new: bool) -> None:
    """Add what became of one resource."""
    applied.said.add(one.key)
    applied.made += new
    applied.changed += one.write is not None and not new
    applied.same += one.write is None and not one.differ
    if one.differ:
        row = part.rows.get(one.key)
        cells = cells_of(row, one.differ) if row else ()
        applied.differ[one.key] = Differing(one.differ, one.whose, cells, part.study_uid)
