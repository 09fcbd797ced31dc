"""Where else a study can be seen: Orthanc's two pages, a viewer, FHIR."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from mapper.settings import OrthancSource, Settings
from mapper.words import Links

EXPLORER = "/app/explorer.html#study?uuid="
ORTHANC_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{8}){4}")
"""An id that Orthanc gave: the SHA-1 of what names a study, and no value of it."""


@dataclass(frozen=True, slots=True)
class Way:
    """One link: what it leads to, and its URL."""

    name: str
    url: str


class Ways:
    """Makes the links of one study."""

    def __init__(self, settings: Settings, links: Links, has_2: Callable[[str], bool]) -> None:
        self._sources: dict[str, OrthancSource] = {one.name: one for one in settings.all_sources}
        self._viewer, self._links, self._has_2 = settings.viewer_url, links, has_2

    def orthanc(self, source: str, study_uid: str, ids: Iterable[str]) -> list[Way]:
        """Return the ways into one Orthanc, by Orthanc's ids of the study as it was last seen."""
        if source not in self._sources:
            return []
        base = self._sources[source].public_url or self._sources[source].url
        there = [id for id in ids if ORTHANC_ID.fullmatch(id)]
        found = [
            Way(f"Orthanc Explorer ({id[:8]})" if len(there) > 1 else "Orthanc Explorer", f"{base}{EXPLORER}{id}")
            for id in there
        ]
        if not found or not self._has_2(source):
            return found
        uid = quote(study_uid, safe="")
        found.append(Way("Orthanc Explorer 2", f"{base}/ui/app/filtered-studies?StudyInstanceUID={uid}&expand=study"))
        return found

    def viewer(self, study_uid: str) -> list[Way]:
        """Return the way into the site's viewer, where one is set."""
        if not self._viewer:
            return []
        return [Way("Viewer", self._viewer.replace("{study}", quote(study_uid, safe="")))]

    def fhir(self, study_uid: str) -> Way:
        """Return the way to the study's ImagingStudy."""
        return Way("ImagingStudy", self._links.imaging_study(study_uid))
