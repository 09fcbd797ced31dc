"""Any DICOMweb archive as a source of studies: it is listed again and again, as it has no feed.

"Gone" is an empty QIDO-RS answer. What moved nobody tells: a study's fingerprint is how many series and instances it
has, so that an instance that took the place of another one is noticed by a full sync alone.
"""

from collections.abc import Iterator
from hashlib import sha256

from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.dicom.uid import is_askable
from mapper.errors import BadUID, SourceBusy, SourceChanged, SourceDown, StudyGone, TwoPatients
from mapper.finding import Finding, limit, ok
from mapper.http.target import Target
from mapper.sources.dicomweb.client import DicomwebClient
from mapper.sources.dicomweb.search import STUDIES, Found, Search, text
from mapper.sources.fingerprint import fingerprint
from mapper.sources.source import Feed, Reading, Sighting

UNNAMED = "dicomweb-"
"""What a study is known by whose UID cannot stand in a URL: this, and the beginning of the UID's SHA-256."""


class Dicomweb:
    """One DICOMweb archive; QIDO-RS and WADO-RS may be at different addresses."""

    feed: Feed | None = None

    def __init__(self, search: Search, wado: DicomwebClient, reader: Reader, name: str = "dicomweb") -> None:
        """Remember whom to ask."""
        self.name = name
        self.search = search
        """What the archive holds, as it says itself."""
        self._wado, self._reader = wado, reader

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        """Return one whole study, series by series; see Source.read."""
        before = self._sighting(study_uid)
        collector = Collector()
        for series_uid in self.search.series(study_uid):
            self._read_series(study_uid, series_uid, collector)
        try:
            after = self._sighting(study_uid)
        except StudyGone:
            after = None
        if after != before:
            raise SourceChanged(f"study {study_uid} changed while it was read")
        return Reading(collector.study(study_uid), before)

    def _read_series(self, study_uid: str, series_uid: str, collector: Collector) -> None:
        if not is_askable(series_uid):
            raise BadUID(f"a SeriesInstanceUID of study {study_uid} is none: no URL can be made of it")
        target = Target("/studies/{study}/series/{series}/metadata", study_uid, series_uid)
        with self._wado.answer(target) as metadata:
            if metadata is None:
                raise SourceChanged(f"a series of study {study_uid} is not to be had over WADO-RS now")
            self._reader.read(metadata.parts(), collector)

    def _sighting(self, study_uid: str) -> Sighting:
        if not is_askable(study_uid) or study_uid.startswith(UNNAMED):
            raise self._unread(study_uid)
        found = self.search.study(study_uid)
        if not found:
            raise StudyGone(f"study {study_uid} is no longer in the archive")
        if len(found) > 1:
            raise TwoPatients(
                f"study {study_uid} is found {len(found)} times: under several PatientIDs?", {study_uid: ""}
            )
        return sighting(found[0])

    def _unread(self, name: str) -> BadUID | StudyGone:
        """Return why there is nothing to read of a study whose UID cannot stand in a URL."""
        if self.holds(name):
            return BadUID(f"the StudyInstanceUID of the study known as {name} is none: correct it in the archive")
        return StudyGone("the archive knows no study by this name: it is no UID")

    def holds(self, study_uid: str) -> bool:
        """Tell whether the archive holds a study that is known by this name; see Source.holds."""
        if study_uid.startswith(UNNAMED):
            return any(one.study_uid == study_uid for one in self.listing())
        return is_askable(study_uid) and bool(self.search.study(study_uid))

    def listing(self) -> Iterator[Sighting]:
        """Yield every study of the archive; see Source.listing."""
        return map(sighting, self.search.studies())

    def count(self) -> int:
        """Return the number of studies: DICOMweb has no count of its own, so they are listed."""
        return sum(1 for _ in self.search.studies())

    def probe(self) -> None:
        """Ask whether studies can be searched; see Source.probe."""
        try:
            self.search.client.found(STUDIES, {**self.search.always, "limit": 1})
        except SourceBusy as busy:
            raise SourceDown(str(busy)) from None

    def check(self) -> Iterator[Finding]:
        """Yield what `doctor` should say of this archive; see Source.check."""
        self.probe()
        yield ok(f"a DICOMweb archive answers at {self.search.client.url}")
        one = next(self.search.studies(), None)
        if one is not None and not text(one, "NumberOfStudyRelatedInstances"):
            yield limit("the archive does not say how many instances a study has, so changes are not noticed")


def sighting(found: Found) -> Sighting:
    """Return the sighting of one study of a QIDO-RS answer."""
    uid = text(found, "StudyInstanceUID")
    name = uid if is_askable(uid) and not uid.startswith(UNNAMED) else UNNAMED + sha256(uid.encode()).hexdigest()[:32]
    numbers = (text(found, f"NumberOfStudyRelated{what}") or "-" for what in ("Instances", "Series"))
    return Sighting(name, name, fingerprint(*(f"{number:0>10}" for number in numbers)))
