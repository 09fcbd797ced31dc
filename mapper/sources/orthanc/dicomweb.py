"""Orthanc's DICOMweb: the metadata of a series, and whether they are whole."""

import time
from contextlib import AbstractContextManager
from functools import cached_property

from mapper.dicom.study import Study
from mapper.errors import SourceBusy, SourceDown
from mapper.http.peer import Bound, Incoming
from mapper.http.target import Target
from mapper.log import logger
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.api import Api, parse_version
from mapper.sources.orthanc.client import NOT_ALLOWED

DICOM_JSON = "application/dicom+json"
CACHE, KEEPING = "/series/{series}/attachments/4301", (1, 15)
"""Where the plugin keeps the metadata of a series, and from which version on.

It takes them for those of the instances that have the same ids, whatever was stored over one of these since, and makes
them anew when the series is stable again; an Orthanc that is stopped before never does.
"""
PLUGIN = Target("/plugins/dicom-web")
A_WHILE, REMEMBERED = 300.0, 10_000
"""Seconds, beyond those that its metadata may take twice, for which one state of a series is not made anew again.

Of that many states it is remembered.
"""
log = logger(__name__)


class DicomWeb:
    """The DICOMweb plugin of one Orthanc, under its root."""

    def __init__(self, api: Api, root: str, bound: Bound) -> None:
        """Remember whom to ask; `bound` is what the metadata of one series may cost."""
        self.root = root
        self._api, self._bound = api, bound
        self._refused = False
        self._anew: dict[tuple[str, str], float] = {}
        self.suspect: str | None = None
        """The study of which attributes were left out, if that was seen."""

    def metadata(self, study_uid: str, series_uid: str) -> AbstractContextManager[Incoming | None]:
        """Hand out the metadata of a series while they are read, None for 404; raises as OrthancClient.answer."""
        target = Target(f"{self.root}/studies/{{study}}/series/{{series}}/metadata", study_uid, series_uid)
        return self._api.client.answer("GET", target, accept=DICOM_JSON, bound=self._bound)

    def instance(self, study_uid: str, series_uid: str, uid: str) -> AbstractContextManager[Incoming | None]:
        """Hand out the metadata of one instance as those of a series; raises as OrthancClient.answer."""
        template = f"{self.root}/studies/{{study}}/series/{{series}}/instances/{{instance}}/metadata"
        target = Target(template, study_uid, series_uid, uid)
        return self._api.client.answer("GET", target, accept=DICOM_JSON, bound=self._bound)

    def make_anew(self, series: answers.Series, *, settled: bool) -> None:
        """Have the metadata of a series be read from its instances when they are asked for next.

        Once in a while for each state of one that is `settled`: who could not wait for the answer finds it made then.
        Where it is not allowed they are what Orthanc has of them, which is logged once. Raises as OrthancClient.answer.
        """
        state = series.ID, series.LastUpdate
        if (settled and time.monotonic() < self._anew.get(state, 0.0)) or not self._keeps:
            return
        try:
            with self._api.client.answer("DELETE", Target(CACHE, series.ID)):
                pass
        except (SourceDown, SourceBusy) as error:
            if error.status not in NOT_ALLOWED:
                raise
            if not self._refused:
                log.warning("kept metadata", reason=str(error), do=f"let us DELETE {CACHE}")
            self._refused = True
            return
        if settled:
            if len(self._anew) >= REMEMBERED:
                self._anew.clear()
            self._anew[state] = time.monotonic() + 2 * self._bound.seconds + A_WHILE

    @cached_property
    def _keeps(self) -> bool:
        try:
            plugin = self._api.client.json("GET", PLUGIN, answers.Plugin)
        except (SourceDown, SourceBusy) as error:
            if error.status in NOT_ALLOWED:
                return True
            raise
        return plugin is None or parse_version(plugin.Version) >= KEEPING

    def probe(self) -> None:
        """Ask whether it is there; raises SourceDown."""
        with self._api.client.answer("GET", Target(f"{self.root}/studies"), accept=DICOM_JSON, limit=1) as answer:
            if answer is None:
                raise SourceDown(
                    f"{self._api.url} has no DICOMweb at {self.root}: enable it (DicomWeb.Enable in Orthanc), or set "
                    "dicomweb_root to its DicomWeb.Root"
                )

    def complete(self, study: Study) -> Study:
        """Return a study whose metadata are whole; raises SourceDown when DICOMweb leaves out what Orthanc has.

        With another SeriesMetadata than Full, SOPClassUID is missing, which no stored instance lacks (PS3.3 C.12.1).
        """
        bare = [one for one in study.series if not any("SOPClassUID" in each.item for each in one.instances)]
        for instance in (one.instances[0] for one in bare[:1]):
            for id in self._api.ids("Instance", instance.uid)[:1]:
                target = Target("/instances/{instance}/simplified-tags", id)
                tags = self._api.client.json("GET", target, answers.InstanceTags)
                if tags and tags.SOPClassUID:
                    self.suspect = study.uid
                    raise SourceDown(
                        f"{self._api.url}: DICOMweb leaves attributes out; set its DicomWeb.SeriesMetadata to Full"
                    )
        return study
