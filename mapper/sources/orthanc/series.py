"""The instances of a study of Orthanc, series by series: from the database where that may be, else by metadata."""

from collections.abc import Collection, Sequence

from mapper.dicom.collector import Collector
from mapper.dicom.reader import Mend, Reader
from mapper.dicom.uid import is_askable
from mapper.errors import Problem, SourceChanged
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.client import OrthancClient
from mapper.sources.orthanc.database import Database
from mapper.sources.orthanc.dicomweb import DicomWeb
from mapper.sources.orthanc.exact_numbers import ExactNumbers

UNASKABLE = Problem(
    "ImagingStudy.series.uid", "SeriesInstanceUID", "no URL can be made of it: the series is counted, not listed"
)


class SeriesReader:
    """Reads the series of one Orthanc into a Collector."""

    def __init__(self, client: OrthancClient, dicomweb: DicomWeb, reader: Reader, database: Database | None) -> None:
        """Remember whom to ask; without `database` all is read by metadata."""
        self._client, self._dicomweb, self._reader, self._database = client, dicomweb, reader, database

    def take(
        self,
        study: answers.Study,
        study_uid: str,
        listed: Sequence[answers.Series],
        into: Collector,
        moved: Collection[answers.Series] = (),
        *,
        settled: bool = True,
    ) -> None:
        """Take all series of a study; the metadata of those that `moved` are made anew.

        The study is `settled` when no other change can hide behind when it moved.

        Raises SourceChanged where one is not to be had, BadMetadata, and as OrthancClient.answer.
        """
        exact = ExactNumbers(self._client, study_uid, into)
        rows = self._database.rows(study.ID, listed) if self._database else {}
        for series in listed:
            series_uid = series.MainDicomTags.SeriesInstanceUID or ""
            if not is_askable(series_uid):
                into.count(study_uid, len(series.Instances), UNASKABLE)
                continue
            mend, stored = exact.of_series(series), rows.get(series.ID)
            if not (stored and self._database and self._database.take(study_uid, series_uid, stored, into, mend)):
                if series in moved:
                    self._dicomweb.make_anew(series, settled=settled and series.LastUpdate <= study.moved)
                self._by_metadata(study_uid, series_uid, into, mend)

    def _by_metadata(self, study_uid: str, series_uid: str, into: Collector, mend: Mend) -> None:
        with self._dicomweb.metadata(study_uid, series_uid) as metadata:
            if metadata is None:
                self._dicomweb.probe()
                raise SourceChanged(f"a series of study {study_uid} is not to be had over DICOMweb now")
            self._reader.read(metadata.parts(), into, mend)
