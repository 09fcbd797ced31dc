"""Studies of an Orthanc: its own REST API says what there is, DICOMweb says what is in it.

Orthanc 1.10.1 and later. "Gone" is only Orthanc's own 404 with no other id for that StudyInstanceUID; a
DICOMweb 404 proves nothing (one UID under two PatientIDs answers 404 although both studies exist).
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import msgspec

from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.dicom.study import Study
from mapper.dicom.uid import is_askable
from mapper.errors import (
    AnswerTooLarge,
    BadMetadata,
    BadUID,
    NotOneStudy,
    Problem,
    SourceBusy,
    SourceChanged,
    SourceDown,
    StudyGone,
    TwoPatients,
)
from mapper.finding import Finding, limit, ok
from mapper.http.peer import Bound
from mapper.http.target import Target
from mapper.sources import checkup, rest
from mapper.sources.raw_texts import RawTexts
from mapper.sources.sightings import name_of, parse_time, sighting, state_of
from mapper.sources.source import Changes, Reading, Sighting
from mapper.sources.web import Web

PAGE = 500
PAGES = 100_000
CHANGES_PAGE = 1000
MOVES_ON_DELETION = (1, 12, 1)
"""The Orthanc from which on LastUpdate moves when a child is deleted."""
SORTS = (1, 12, 5)
"""The Orthanc from which on tools/find sorts by LastUpdate."""
NEWEST_FIRST = [{"Type": "Metadata", "Key": "LastUpdate", "Direction": "DESC"}]
STAMP = len("20240517T093105")
DICOM_JSON = "application/dicom+json"
ANSWER, METADATA = Bound(64, 60.0), Bound(512, 600.0)
UNASKABLE = Problem(
    "ImagingStudy.series.uid", "SeriesInstanceUID", "no URL can be made of it: the series is counted, not listed"
)

CHANGES, FIND, LOOKUP = Target("/changes"), Target("/tools/find"), Target("/tools/lookup")
NOW = Target("/tools/now")
SERIES, STATISTICS, STUDIES = Target("/series"), Target("/statistics"), Target("/studies")
SYSTEM = Target("/system")
T = TypeVar("T")


class Orthanc:
    """One Orthanc server as a source of studies.

    A study whose StudyInstanceUID cannot become part of a URL is known by Orthanc's own id of it, and not read.
    """

    def __init__(
        self,
        url: str,
        reader: Reader,
        user: str | None = None,
        password: str | None = None,
        name: str = "orthanc",
        ca: str | None = None,
        answer: Bound = ANSWER,
        metadata: Bound = METADATA,
        root: str = "/dicom-web",
    ) -> None:
        """Remember whom to ask; `metadata` is what the metadata of one series may cost, `answer` all else.

        `root` is where its DICOMweb is.
        """
        self.name = name
        self._web = Web(url, (STATISTICS, rest.Statistics), answer, user, password, ca)
        self._reader, self._metadata, self._root = reader, metadata, root
        self._version: tuple[int, ...] | None = None
        self._sorted: bool | None = None
        self._suspect: str | None = None

    # -- one study ------------------------------------------------------------------------------

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        """Return one whole study, read series by series; see Source.read."""
        if rest.is_id(study_uid) or not is_askable(study_uid):
            raise self._unread(study_uid)
        before = self._sighting(self._only_id(study_uid, known_ids))
        if before is None:
            raise SourceChanged(f"study {study_uid} went while it was read")
        if before.study_uid != study_uid:  # Orthanc's lookup takes a and A for the same
            raise StudyGone(f"study {study_uid} is no longer in Orthanc")
        collector, texts = Collector(), RawTexts(self._web)
        for series in self._series(before.id):
            self._read_series(study_uid, series, collector, texts)
        after = self._sighting(before.id)
        if after is None or state_of(after) != state_of(before):
            raise SourceChanged(f"study {study_uid} changed while it was read")
        return Reading(self._complete(collector.study(study_uid)), before)

    def _read_series(self, study_uid: str, series: rest.Series, collector: Collector, texts: RawTexts) -> None:
        series_uid = series.MainDicomTags.SeriesInstanceUID or ""
        if not is_askable(series_uid):
            collector.count(study_uid, len(series.Instances), UNASKABLE)
            return
        target = Target(f"{self._root}/studies/{{study}}/series/{{series}}/metadata", study_uid, series_uid)
        with self._web.answer("GET", target, accept=DICOM_JSON, bound=self._metadata) as metadata:
            if metadata is None:
                self._dicomweb()
                raise SourceChanged(f"a series of study {study_uid} is not to be had over DICOMweb now")
            self._reader.read(metadata.parts(), collector, texts.of_series(series))

    def _unread(self, name: str) -> BadUID | StudyGone:
        """Return why there is nothing to read of a study that is known by Orthanc's id, or by no name of ours."""
        if not rest.is_id(name):
            return StudyGone("Orthanc knows no study by this name: it is no UID")
        study = self._study(name)
        if study is None:
            return StudyGone(f"study {name} is no longer in Orthanc")
        if name_of(study) != name:
            return StudyGone(f"Orthanc's study {name} is known by its StudyInstanceUID")
        return BadUID(
            f"the StudyInstanceUID of Orthanc's study {name} is none: no URL can be made of it; correct it in Orthanc"
        )

    def _only_id(self, study_uid: str, known_ids: list[str]) -> str:
        found = self._web.must("POST", LOOKUP, list[rest.Hit], data=study_uid.encode())
        ids = sorted({hit.ID for hit in found if hit.Type == "Study"})
        if len(ids) > 1:
            ids = [id for id in ids if (study := self._study(id)) is not None and name_of(study) == study_uid]
        if len(ids) > 1:
            said = f"study {study_uid} stands under {len(ids)} PatientIDs in Orthanc: see {', '.join(ids)}"
            raise TwoPatients(said, ids)
        if ids:
            return ids[0]
        for orthanc_id in filter(rest.is_id, known_ids):
            if self._study(orthanc_id) is not None:
                return orthanc_id
        raise StudyGone(f"study {study_uid} is no longer in Orthanc")

    def _series(self, orthanc_id: str) -> list[rest.Series]:
        series = self._web.json("GET", Target("/studies/{study}/series", orthanc_id), list[rest.Series], expand="")
        return sorted(series or [], key=lambda one: (one.MainDicomTags.SeriesInstanceUID or "", one.ID))

    def _study(self, orthanc_id: str) -> rest.Study | None:
        return self._web.json("GET", Target("/studies/{study}", orthanc_id), rest.Study)

    def _sighting(self, orthanc_id: str) -> Sighting | None:
        study = self._study(orthanc_id)
        if study is None:
            return None
        instances = None
        if self._counts_needed():
            target = Target("/studies/{study}/statistics", orthanc_id)
            statistics = self._web.json("GET", target, rest.StudyStatistics)
            if statistics is None:
                return None
            instances = statistics.CountInstances
        return sighting(study, self._now(), instances)

    def holds(self, study_uid: str) -> bool:
        """Tell whether Orthanc holds a study that is known by this name; see Source.holds.

        /tools/lookup would find AccessionNumbers as well; either finds a UID in capitals, so the answer is compared.
        """
        if rest.is_id(study_uid):
            study = self._study(study_uid)
            return study is not None and name_of(study) == study_uid
        if not is_askable(study_uid):
            return False
        query = {"Level": "Study", "Query": {"StudyInstanceUID": study_uid}, "Expand": True}
        found = self._web.must("POST", FIND, list[rest.Study], data=msgspec.json.encode(query))
        return any(name_of(study) == study_uid for study in found)

    # -- all studies ----------------------------------------------------------------------------

    def listing(self) -> Iterator[Sighting]:
        """Yield every study Orthanc holds, in pages; see Source.listing."""
        now = self._now()
        counts = self._instance_counts() if self._counts_needed() else None
        for study in self._pages(STUDIES, rest.Study):
            yield sighting(study, now, counts.get(study.ID, 0) if counts is not None else None)

    def recent(self, fingerprint: str) -> list[Sighting] | None:
        """Return the studies whose LastUpdate is not older than a fingerprint's; see Source.recent."""
        if not fingerprint or not self._sorts():
            return None
        now, since = self._now(), str(fingerprint)[:STAMP]
        query: dict[str, Any] = {"Level": "Study", "Query": {}, "Expand": True, "Limit": PAGE, "OrderBy": NEWEST_FIRST}
        found: list[Sighting] = []
        for _ in range(PAGES):
            body = msgspec.json.encode(query | {"Since": len(found)})
            page = self._web.must("POST", FIND, list[rest.Study], data=body)
            found += [sighting(study, now) for study in page]
            if not page or found[-1].fingerprint[:STAMP] < since:
                return [one for one in found if one.fingerprint[:STAMP] >= since]
        raise self._endless(FIND)

    def _sorts(self) -> bool:
        """Tell whether tools/find can sort by LastUpdate: from 1.12.5, with a database that says so."""
        if self._sorted is None:
            system = self._must(SYSTEM, rest.System)
            capable = system.Capabilities is not None and system.Capabilities.HasExtendedFind
            self._sorted = capable and parse_version(system.Version) >= SORTS
        return self._sorted

    def count(self) -> int:
        """Return Orthanc's own count of studies."""
        return self._must(STATISTICS, rest.Statistics).CountStudies

    def _pages(self, target: Target, kind: type[T]) -> Iterator[T]:
        """Yield what is there in pages; of a page that is larger than an answer may be, half as much is asked for."""
        since, limit = 0, PAGE
        for _ in range(PAGES):
            try:
                page = self._web.must("GET", target, list[kind], expand="", since=since, limit=limit)  # type: ignore[valid-type]
            except AnswerTooLarge:
                if limit == 1:
                    raise
                limit //= 2
                continue
            if not page:
                return
            yield from page
            since += len(page)
        raise self._endless(target)

    def _endless(self, target: Target) -> SourceBusy:
        return SourceBusy(f"{self._web.url}: the pages of {target.template} do not come to an end")

    def _instance_counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for series in self._pages(SERIES, rest.Series):
            counts[series.ParentStudy] = counts.get(series.ParentStudy, 0) + len(series.Instances)
        return counts

    def _counts_needed(self) -> bool:
        return self.version < MOVES_ON_DELETION

    # -- what happened --------------------------------------------------------------------------

    def changes(self, cursor: int | None) -> Changes:
        """Return the studies that became stable after `cursor`; see Source.changes.

        A log that ends before the cursor belongs to a new database: everything is looked at again.
        """
        if cursor is None:
            return Changes((), self._must(CHANGES, rest.Changes, last="").Last)
        page = self._must(CHANGES, rest.Changes, since=cursor, limit=CHANGES_PAGE)
        if page.Last < cursor:
            return Changes((), page.Last, sweep=True)
        stable = {change.ID for change in page.Changes if change.ChangeType == "StableStudy"}
        studies = map(self._study, sorted(stable))
        names = {name_of(study) for study in studies if study is not None}
        return Changes(tuple(sorted(names)), page.Last, more=not page.Done and page.Last > cursor)

    # -- the server itself ----------------------------------------------------------------------

    @property
    def version(self) -> tuple[int, ...]:
        """Orthanc's version, `(1, 12, 7)`; a development version counts as newest."""
        if self._version is None:
            self._version = parse_version(self._must(SYSTEM, rest.System).Version)
        return self._version

    def _must(self, target: Target, kind: type[T], **query: Any) -> T:
        """Return what every Orthanc answers; raises SourceDown when this is none."""
        return self._web.must("GET", target, kind, **query)

    def _now(self) -> datetime:
        return self._web.text(NOW, lambda text: parse_time(text.strip().strip('"')))

    def probe(self) -> None:
        """Ask whether studies can be listed and read; see Source.probe."""
        self.count()
        self._dicomweb()
        suspect, self._suspect = self._suspect, None
        if suspect:
            with suppress(SourceBusy, SourceChanged, StudyGone, TwoPatients, BadUID, BadMetadata, NotOneStudy):
                self.read(suspect, [])

    def _dicomweb(self) -> None:
        with self._web.answer("GET", Target(f"{self._root}/studies"), accept=DICOM_JSON, limit=1) as answer:
            if answer is None:
                raise SourceDown(
                    f"{self._web.url} has no DICOMweb at {self._root}: enable it (DicomWeb.Enable in Orthanc), or set "
                    "dicomweb_root to its DicomWeb.Root"
                )

    def _complete(self, study: Study) -> Study:
        """Return a study whose metadata are whole; raises SourceDown when DICOMweb leaves out what Orthanc has.

        With another SeriesMetadata than Full, SOPClassUID is missing, which no stored instance lacks (PS3.3 C.12.1).
        """
        bare = [one for one in study.series if not any("SOPClassUID" in each.item for each in one.instances)]
        for instance in (one.instances[0] for one in bare[:1]):
            hits = self._web.must("POST", LOOKUP, list[rest.Hit], data=instance.uid.encode())
            for id in [hit.ID for hit in hits if hit.Type == "Instance"][:1]:
                tags = self._web.json("GET", Target("/instances/{instance}/simplified-tags", id), rest.InstanceTags)
                if tags and tags.SOPClassUID:
                    self._suspect = study.uid
                    raise SourceDown(
                        f"{self._web.url}: DICOMweb leaves attributes out; set its DicomWeb.SeriesMetadata to Full"
                    )
        return study

    def check(self) -> Iterator[Finding]:
        """Yield what `doctor` should say of this Orthanc; see Source.check."""
        yield ok(f"Orthanc {'.'.join(map(str, self.version))} answers at {self._web.url}")
        lacking = list(checkup.plugins(self._web))
        yield from lacking
        studies = list(islice(self._pages(STUDIES, rest.Study), checkup.LOOKED_AT))
        if not any(one.level == "problem" for one in lacking):
            self._dicomweb()
            for study in studies[:1]:
                yield from checkup.metadata(self._web, self._root, study)
        yield from checkup.stability(studies)
        yield from checkup.our_plugin(self._web, studies)
        if self._counts_needed():
            yield limit("Orthanc before 1.12.1 does not date deletions, so instances are counted instead")


def parse_version(text: str) -> tuple[int, ...]:
    """Return `1.12.7` as (1, 12, 7)."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(map(int, numbers.groups())) if numbers else (999, 0, 0)
