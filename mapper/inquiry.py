"""What people ask of a study at this moment: how the PACS shows it, and where each element of its FHIR comes from.

Nothing of it is kept. Whoever may not look at values gets none.
"""

from dataclasses import dataclass
from typing import Any

from mapper.errors import MapperError, StudyGone
from mapper.explain import objects
from mapper.maps import study_to_fhir
from mapper.maps.silence import Silences
from mapper.service import Service
from mapper.sources.source import Catalogue
from mapper.wiring import site_of

ASKED = ("AccessionNumber", "PatientID")
"""By what else than its UID a study is looked for."""
WILD = frozenset("*?\\")
"""What would find other studies than the one that is meant (PS3.4 C.2.2.2.4; a backslash makes two values of one)."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A study as it is mapped now: the source that was read, and what `explain` says of it."""

    source: str
    objects: list[dict[str, Any]]


class Inquiry:
    """Asks the sources of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._sources = {one.name: one for one in service.settings.all_sources}

    def explain(self, study_uid: str, *, redact: bool, element: str = "", most: int | None = None) -> Explained:
        """Return where each element of a study comes from, `most` of each kind; raises what kept all from it."""
        failures: list[MapperError] = []
        for name in self._holders(study_uid):
            try:
                ids = self._service.ledger.seen.ids(name, study_uid)
                reading = self._service.worker.sources[name].read(study_uid, ids)
            except MapperError as failure:
                failures.append(failure)
                continue
            site = site_of(self._service.settings, self._sources[name], self._service.namespace)
            mapped = study_to_fhir(reading.study, site, silences := Silences())
            base = self._service.settings.fhir_public_url
            return Explained(
                name,
                list(objects(mapped, silences, base, redact=redact, element=element, most=most, study=reading.study)),
            )
        raise next((one for one in failures if not isinstance(one, StudyGone)), failures[0])

    def headers(self, study_uid: str) -> list[tuple[str, str, dict[str, str]]]:
        """Return how each source that has a catalogue shows a study: source, its own id, and what it says by keyword.

        One that stands under two patients is shown twice. Raises SourceDown or SourceBusy.
        """
        asked = self._catalogues(self._holders(study_uid))
        return [(name, id, header) for name, one in asked for id, header in one.headers(study_uid).items()]

    def find(self, keyword: str, value: str) -> list[str]:
        """Return the names of studies with this value; raises ValueError for wild cards, SourceDown or SourceBusy."""
        if keyword not in ASKED or not value.strip() or WILD & {*value}:
            raise ValueError("one whole value, without * and ?")
        found = {uid for _, one in self._catalogues(list(self._sources)) for uid in one.find(keyword, value.strip())}
        return sorted(found)

    def plugins(self, source: str) -> frozenset[str]:
        """Return the plugins of a source that has a catalogue; raises SourceDown or SourceBusy."""
        return frozenset(name for _, one in self._catalogues([source]) for name in one.plugins())

    def _holders(self, study_uid: str) -> list[str]:
        known = [name for name in self._service.ledger.rows.sources_of(study_uid) if name in self._sources]
        return known or list(self._sources)

    def _catalogues(self, names: list[str]) -> list[tuple[str, Catalogue]]:
        found = ((name, self._service.catalogue(name)) for name in names)
        return [(name, one) for name, one in found if one is not None]
