"""What people ask one Orthanc: which study has this number, and how a study is called there."""

import msgspec

from mapper.http.target import Target
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.api import FIND, Api
from mapper.sources.orthanc.checkup import PLUGINS
from mapper.sources.orthanc.sighting import name_of

SHOWN = 10
"""Patients under whom one study is shown."""
MOST = 100
"""Studies that one question finds."""
OF_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
OF_STUDY = (
    *("AccessionNumber", "StudyDate", "StudyTime", "StudyDescription", "StudyID", "InstitutionName"),
    "ReferringPhysicianName",
)


class Header(msgspec.Struct):
    """A study of `/studies/{id}` as people see it."""

    MainDicomTags: dict[str, str] = {}
    PatientMainDicomTags: dict[str, str] = {}


class OfSeries(msgspec.Struct):
    """A series of `/studies/{id}/series?expand` as people see it."""

    MainDicomTags: dict[str, str] = {}
    Instances: list[msgspec.Raw] = []


class OrthancCatalogue:
    """Asks Orthanc at the moment it is asked, and keeps nothing; see Catalogue."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @property
    def about(self) -> str:
        """What it is, with its version; empty as long as it was not asked."""
        return self._api.about

    def find(self, keyword: str, value: str) -> list[str]:
        """Return by which names studies are known that have this value; see Catalogue.find."""
        query = {"Level": "Study", "Query": {keyword: value}, "Expand": True, "Limit": MOST, "CaseSensitive": True}
        found = self._api.client.must("POST", FIND, list[answers.Study], data=msgspec.json.encode(query))
        return sorted({name_of(one) for one in found})

    def plugins(self) -> frozenset[str]:
        """Return the names of its plugins; see Catalogue.plugins."""
        return frozenset(self._api.must(PLUGINS, list[str]))

    def headers(self, study_uid: str) -> dict[str, dict[str, str]]:
        """Return what Orthanc shows of a study by its own id; see Catalogue.headers."""
        ids = [study_uid] if answers.is_id(study_uid) else sorted(set(self._api.ids("Study", study_uid)))
        found = {}
        for id in ids[:SHOWN]:
            study = self._api.client.json("GET", Target("/studies/{study}", id), Header)
            target = Target("/studies/{study}/series", id)
            series = self._api.client.json("GET", target, list[OfSeries], expand="") or []
            if study is not None:
                shown = {name: study.PatientMainDicomTags.get(name, "") for name in OF_PATIENT}
                shown |= {name: study.MainDicomTags.get(name, "") for name in OF_STUDY}
                modalities = {one.MainDicomTags.get("Modality", "") for one in series} - {""}
                shown["ModalitiesInStudy"] = ", ".join(sorted(modalities))
                shown["NumberOfStudyRelatedSeries"] = str(len(series))
                shown["NumberOfStudyRelatedInstances"] = str(sum(len(one.Instances) for one in series))
                found[id] = {name: value for name, value in shown.items() if value}
        return found
