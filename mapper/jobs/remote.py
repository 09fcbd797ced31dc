"""A source whose studies are read and mapped by a crew; all else it is asked itself."""

from collections.abc import Iterator
from typing import Any

from mapper.errors import SourceDown
from mapper.finding import Finding
from mapper.jobs.executors import Crew
from mapper.jobs.reading import MappedReading, Recipe, as_reading, read
from mapper.maps import Mapped
from mapper.sources.source import Feed, Reading, Sighting, Source


class Remote:
    """Reads by a crew what a source holds; see Source."""

    feed: Feed | None = None

    def __init__(self, source: Source, recipe: Recipe, crew: Crew) -> None:
        self.name = source.name
        self._source, self._recipe, self._crew = source, recipe, crew

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        """Return one study, read and mapped elsewhere; raises as Source.read and `read` of mapper.jobs.reading."""
        return self._read(study_uid, known_ids)

    def read_again(self, study_uid: str, known_ids: list[str], since: str) -> Reading:
        """See Rereadable."""
        return self._read(study_uid, known_ids, since)

    def _read(self, *asked: Any) -> Reading:
        if self._crew.lost:
            raise SourceDown(self._crew.lost)
        return as_reading(self._crew.result(self._crew.submit(read, self._recipe, *asked)))

    def holds(self, study_uid: str) -> bool:
        """See Source.holds."""
        return self._source.holds(study_uid)

    def listing(self) -> Iterator[Sighting]:
        """See Source.listing."""
        return self._source.listing()

    def count(self) -> int:
        """See Source.count."""
        return self._source.count()

    def probe(self) -> None:
        """See Source.probe."""
        self._source.probe()

    def check(self) -> Iterator[Finding]:
        """See Source.check."""
        return self._source.check()


def mapped_there(reading: Reading, source: Source) -> Mapped:
    """Return what a study was mapped to where it was read."""
    assert isinstance(reading, MappedReading)
    return reading.mapped
