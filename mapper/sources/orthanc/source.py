"""One Orthanc as a source of studies.

"Gone" is only Orthanc's own 404 with no other id for that StudyInstanceUID; a DICOMweb 404 proves nothing (one UID
under two PatientIDs answers 404 although both studies exist).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice

import msgspec
from msgspec.structs import replace

from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.dicom.uid import is_askable
from mapper.errors import BadMetadata, BadUID, NotOneStudy, SourceBusy, SourceChanged, StudyGone, TwoPatients
from mapper.finding import Finding, ok
from mapper.http.peer import Bound
from mapper.sources.orthanc import answers, checkup
from mapper.sources.orthanc.api import FIND, STATISTICS, Api
from mapper.sources.orthanc.catalogue import OrthancCatalogue
from mapper.sources.orthanc.client import OrthancClient
from mapper.sources.orthanc.database import Database
from mapper.sources.orthanc.dicomweb import DicomWeb
from mapper.sources.orthanc.feed import OrthancFeed
from mapper.sources.orthanc.kept import identified, is_named_otherwise, kept_in, moved_in
from mapper.sources.orthanc.series import SeriesReader
from mapper.sources.orthanc.sighting import moved_since, name_of, remembering, sighting, state_of
from mapper.sources.orthanc.unread import gone, unreadable
from mapper.sources.source import Feed, Reading, Sighting

MOVES_ON_DELETION = (1, 12, 1)
"""The Orthanc from which on LastUpdate moves when a child is deleted."""
ANSWER, METADATA = Bound(64, 60.0), Bound(512, 600.0)


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
        from_database: int | None = None,
        tell: Callable[[str], object] = lambda how: None,
    ) -> None:
        """Remember whom to ask; `metadata` bounds that of one series, `answer` all else; `root` is its DICOMweb's.

        A study of `from_database` or more instances is read from Orthanc's database where it can be; `tell` is told of
        each series how it was read then.
        """
        self.name = name
        self._api = Api(OrthancClient(url, (STATISTICS, answers.Statistics), answer, user, password, ca))
        self._client = self._api.client
        self._dicomweb = DicomWeb(self._api, root, metadata)
        self._database = Database(self._api, self._dicomweb, reader, from_database, tell) if from_database else None
        self._instances = SeriesReader(self._client, self._dicomweb, reader, self._database)
        self.feed: Feed | None = OrthancFeed(self._api)
        self.catalogue = OrthancCatalogue(self._api)

    def read(self, study_uid: str, known_ids: list[str], since: str | None = None) -> Reading:
        """Return one whole study, read series by series; see Source.read, and Rereadable for `since`."""
        if answers.is_id(study_uid) or not is_askable(study_uid):
            raise unreadable(study_uid, self._api.study(study_uid) if answers.is_id(study_uid) else None)
        study = self._api.study(self._only_id(study_uid, known_ids))
        if study is None:
            raise SourceChanged(f"study {study_uid} went while it was read")
        if name_of(study) != study_uid:  # Orthanc's lookup takes a and A for the same
            raise gone(study_uid, known_ids)
        counting, now = self._counts_needed(), self._api.time_after(study.LastUpdate)
        listed = self._api.series(study.ID)
        before = sighting(study, now, sum(len(one.Instances) for one in listed) if counting else None)
        collector = Collector()
        moved = moved_since(study, listed, since, now)
        self._instances.take(study, study_uid, listed, collector, moved, settled=not before.young)
        metadata = self._api.metadata(study.ID)
        if metadata is None or not self._stayed(study, before, moved_in(metadata), now):
            raise SourceChanged(f"study {study_uid} changed while it was read")
        kept = self._api.kept(study.ID) if is_named_otherwise(metadata) else kept_in(metadata)
        whole = identified(self._dicomweb.complete(collector.study(study_uid)), kept)
        return Reading(whole, remembering(before, kept) if self._api.tells_metadata else before)

    read_again = read

    def _stayed(self, study: answers.Study, before: Sighting, moved: str, now: datetime) -> bool:
        """Tell whether a study is as it was before it was read, by when it moved last.

        Where a deletion moves no date, by its series and the number of its instances as well.
        """
        after, instances = replace(study, LastUpdate=moved), None
        if self._counts_needed():
            listed = self._api.series(study.ID)
            after.Series, instances = [one.ID for one in listed], sum(len(one.Instances) for one in listed)
        return state_of(sighting(after, now, instances)) == state_of(before)

    def _only_id(self, study_uid: str, known_ids: list[str]) -> str:
        ids = sorted(set(self._api.ids("Study", study_uid)))
        if len(ids) > 1:
            ids = [id for id in ids if (study := self._api.study(id)) is not None and name_of(study) == study_uid]
        if len(ids) > 1:
            where = f"study {study_uid} stands under {len(ids)} PatientIDs: see {', '.join(ids)}"
            seen = self._fingerprints(ids)
            if len(seen) < len(ids):
                raise SourceChanged(f"study {study_uid} changed while it was read")
            raise TwoPatients(where, seen)
        if ids:
            return ids[0]
        for orthanc_id in filter(answers.is_id, known_ids):
            if self._api.study(orthanc_id) is not None:
                return orthanc_id
        raise gone(study_uid, known_ids)

    def _fingerprints(self, ids: Sequence[str]) -> dict[str, str]:
        """Return what a listing tells of studies now, so that the sweep tells when one of them changes."""
        now = self._api.now()
        found = (one for id in ids if (one := self._sighting(id, now)))
        return {one.id: one.fingerprint for one in found}

    def _sighting(self, id: str, now: datetime) -> Sighting | None:
        """Return what a listing would tell of one study, None where it is gone."""
        study, counted = self._api.study(id), self._counts_needed()
        instances = self._api.instances(id) if study and counted else None
        if study is None or (counted and instances is None):
            return None
        seen = sighting(study, now, instances)
        return remembering(seen, self._api.kept(id)) if self._api.tells_metadata else seen

    def holds(self, study_uid: str) -> bool:
        """Tell whether Orthanc holds a study that is known by this name; see Source.holds.

        /tools/lookup would find AccessionNumbers as well; either finds a UID in capitals, so the answer is compared.
        """
        if answers.is_id(study_uid):
            return (study := self._api.study(study_uid)) is not None and name_of(study) == study_uid
        if not is_askable(study_uid):
            return False
        query = {"Level": "Study", "Query": {"StudyInstanceUID": study_uid}, "Expand": True}
        found = self._client.must("POST", FIND, list[answers.Study], data=msgspec.json.encode(query))
        return any(name_of(study) == study_uid for study in found)

    def listing(self) -> Iterator[Sighting]:
        """Yield every study Orthanc holds, in pages; see Source.listing."""
        now = self._api.now()
        counts = self._api.instance_counts() if self._counts_needed() else None
        for study in self._api.studies():
            yield sighting(study, now, counts.get(study.ID, 0) if counts is not None else None)

    def count(self) -> int:
        """Return Orthanc's own count of studies."""
        return self._api.must(STATISTICS, answers.Statistics).CountStudies

    def _counts_needed(self) -> bool:
        return self._api.version < MOVES_ON_DELETION

    def probe(self) -> None:
        """Ask whether studies can be listed and read; see Source.probe."""
        self.count()
        self._dicomweb.probe()
        suspect, self._dicomweb.suspect = self._dicomweb.suspect, None
        if suspect:
            with suppress(SourceBusy, SourceChanged, StudyGone, TwoPatients, BadUID, BadMetadata, NotOneStudy):
                self.read(suspect, [])

    def check(self) -> Iterator[Finding]:
        """Yield what `doctor` should say of this Orthanc; see Source.check."""
        yield ok(f"Orthanc {'.'.join(map(str, self._api.version))} answers at {self._client.url}")
        lacking = list(checkup.plugins(self._client))
        yield from lacking
        studies = list(islice(self._api.studies(), checkup.LOOKED_AT))
        if not any(one.level == "problem" for one in lacking):
            self._dicomweb.probe()
            for study in studies[:1]:
                yield from checkup.metadata(self._client, self._dicomweb.root, study)
        yield from checkup.stability(studies)
        yield from checkup.our_plugin(self._client, studies)
        yield from checkup.sop_classes(self._client, self._api.version)
        yield from checkup.deletions(self._counts_needed())
        if self._database:
            yield from checkup.kept(self._database.is_extended, self._database.lacking)
