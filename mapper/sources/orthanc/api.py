"""Orthanc's REST API, as far as it is asked: one study, all of them in pages, the server itself."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from mapper.errors import AnswerTooLarge, SourceBusy
from mapper.http.target import Target
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.client import OrthancClient
from mapper.sources.orthanc.instance_row import InstanceRow
from mapper.sources.orthanc.kept import kept_at
from mapper.sources.orthanc.metadata import metadata_of, text_of
from mapper.sources.orthanc.sighting import parse_time

PAGE, ROWS = 500, 1000
EXTENDED = (1, 12, 5)
CONTENT = ("MainDicomTags", "Metadata", "Children", "IsStable")
"""What of a study a listing tells, where it can tell metadata."""
SIGNATURE, SEQUENCES = "MainDicomTagsSignature", "MainDicomSequences"
"""Metadata in which Orthanc notes which attributes of an instance it kept, and keeps those that are sequences."""
PAGES = 100_000
SURE = timedelta(minutes=1)
"""How far a change lies back that is not young by any time that Orthanc told, not the one of this moment alone."""
FIND, LOOKUP, NOW = Target("/tools/find"), Target("/tools/lookup"), Target("/tools/now")
SERIES, STATISTICS = Target("/series"), Target("/statistics")
STUDIES, SYSTEM = Target("/studies"), Target("/system")
T = TypeVar("T")


class Api:
    """Asks one Orthanc in its own words; raises as OrthancClient.answer."""

    def __init__(self, client: OrthancClient) -> None:
        """Remember through whom to ask."""
        self.client = client
        self._system: answers.System | None = None
        self._told: datetime | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return self.client.url

    @property
    def system(self) -> answers.System:
        """What it says of itself; asked once."""
        if self._system is None:
            self._system = self.must(SYSTEM, answers.System)
        return self._system

    @property
    def about(self) -> str:
        """What it is, as far as it was asked already: `Orthanc 1.12.7`."""
        return f"Orthanc {self._system.Version[:40]}" if self._system else ""

    @property
    def version(self) -> tuple[int, ...]:
        """Orthanc's version, `(1, 12, 7)`; a development version counts as newest."""
        return parse_version(self.system.Version)

    def must(self, target: Target, kind: type[T], **query: Any) -> T:
        """Return what every Orthanc answers; raises SourceDown when this is none."""
        return self.client.must("GET", target, kind, **query)

    def now(self) -> datetime:
        """Return Orthanc's own time."""
        self._told = self.client.text(NOW, lambda text: parse_time(text.strip().strip('"')))
        return self._told

    def time_after(self, moved: str) -> datetime:
        """Return a time at which a study of this LastUpdate is old enough, or else Orthanc's own time.

        What was old when Orthanc last told its time, as it does for every look at all studies, is older now. It is
        asked again of what was not old by far: a clock that is set back a little must not make a young study old.
        """
        told = self._told
        return told if told and moved and told - parse_time(moved) > SURE else self.now()

    def study(self, id: str) -> answers.Study | None:
        """Return a study by Orthanc's own id, None where there is none."""
        return self.client.json("GET", Target("/studies/{study}", id), answers.Study)

    def metadata(self, id: str) -> dict[str, str] | None:
        """Return the metadata of a study, None where there is none; see mapper.sources.orthanc.metadata."""
        return metadata_of(self.client, id)

    def kept(self, id: str) -> str | None:
        """Return what is kept for us at a study as user metadata, None where there is nothing."""
        return text_of(self.client, kept_at(id))

    @property
    def tells_metadata(self) -> bool:
        """Whether listings tell metadata and can be sorted by them: from 1.12.5, with a database that says so."""
        features = self.system.Capabilities
        return features is not None and features.HasExtendedFind and self.version >= EXTENDED

    def series(self, id: str) -> list[answers.Series]:
        """Return the series of a study, by SeriesInstanceUID."""
        found = self.client.json("GET", Target("/studies/{study}/series", id), list[answers.Series], expand="")
        return sorted(found or [], key=lambda one: (one.MainDicomTags.SeriesInstanceUID or "", one.ID))

    @property
    def kept_of_instances(self) -> str:
        """Which attributes it keeps of every instance that it takes in now: `0008,0018;0020,0013`, empty if unknown."""
        return self.system.MainDicomTags.get("Instance", "")

    def instance_rows(self, study: str, expected: int) -> list[InstanceRow]:
        """Return what the database has of the instances of a study, in pages until there are as many as expected.

        Those are left out of which other attributes were kept than now. Sequences it does not tell: see
        `instances_with_sequences`.
        """
        return self._instances(study, SIGNATURE, self.kept_of_instances, ("MainDicomTags",), expected)

    def instances_with_sequences(self, study: str) -> set[str]:
        """Return Orthanc's ids of the instances of a study of which the database keeps a sequence."""
        return {one.ID for one in self._instances(study, SEQUENCES, "*", ())}

    def _instances(
        self, study: str, metadata: str, value: str, content: Sequence[str], expected: int | None = None
    ) -> list[InstanceRow]:
        """Return the instances of a study with this metadata, all of them or as many as expected.

        Orthanc cuts a page to LimitFindInstances or LimitFindResults without a word.
        """
        asked = {"Level": "Instance", "Query": {}, "ParentStudy": study, "MetadataQuery": {metadata: value}}

        def page(since: int, limit: int) -> list[InstanceRow]:
            page_of = {**asked, "ResponseContent": content, "Since": since, "Limit": limit}
            return self.client.must("POST", FIND, list[InstanceRow], data=msgspec.json.encode(page_of))

        found: list[InstanceRow] = []
        rows = self._paged(FIND, page, ROWS)
        while (expected is None or len(found) < expected) and (some := next(rows, None)):
            found += some
        return found

    def instances(self, id: str) -> int | None:
        """Return the number of instances of a study, None where there is no such study."""
        target = Target("/studies/{study}/statistics", id)
        statistics = self.client.json("GET", target, answers.StudyStatistics)
        return statistics.CountInstances if statistics else None

    def instance_counts(self) -> dict[str, int]:
        """Return the number of instances of every study, by Orthanc's id; of one without a series nothing."""
        counts: dict[str, int] = {}
        for series in self.pages(SERIES, answers.Series):
            counts[series.ParentStudy] = counts.get(series.ParentStudy, 0) + len(series.Instances)
        return counts

    def ids(self, level: str, uid: str) -> list[str]:
        """Return Orthanc's ids of what has this UID on a level: `Study`, `Instance`; it takes a and A for the same."""
        hits = self.client.must("POST", LOOKUP, list[answers.Hit], data=uid.encode())
        return [hit.ID for hit in hits if hit.Type == level]

    def studies(self) -> Iterator[answers.Study]:
        """Yield every study, with its metadata where a listing can tell them."""
        content = {"response-content": ";".join(CONTENT)} if self.tells_metadata else {}
        return self.pages(STUDIES, answers.Study, **content)

    def pages(self, target: Target, kind: type[T], **query: Any) -> Iterator[T]:
        """Yield everything of one level, in pages; raises SourceBusy when they do not end."""

        def page(since: int, limit: int) -> list[T]:
            return self.client.must("GET", target, list[kind], expand="", since=since, limit=limit, **query)  # type: ignore[valid-type]

        for some in self._paged(target, page, PAGE):
            yield from some

    def _paged(self, target: Target, ask: Callable[[int, int], list[T]], limit: int) -> Iterator[list[T]]:
        """Yield page after page; of one that is larger than an answer may be, half as much is asked for."""
        since = 0
        for _ in range(PAGES):
            try:
                page = ask(since, limit)
            except AnswerTooLarge:
                if limit == 1:
                    raise
                limit //= 2
                continue
            if not page:
                return
            yield page
            since += len(page)
        raise self.endless(target)

    def endless(self, target: Target) -> SourceBusy:
        """Return that pages do not come to an end."""
        return SourceBusy(f"{self.url}: the pages of {target.template} do not come to an end")


def parse_version(text: str) -> tuple[int, ...]:
    """Return `1.12.7` as (1, 12, 7), and a plugin's `1.7` as (1, 7, 0)."""
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(map(int, numbers.groups(default="0"))) if numbers else (999, 0, 0)
