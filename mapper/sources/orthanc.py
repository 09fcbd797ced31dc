"""Studies of an Orthanc: its own REST API says what there is, DICOMweb says what is in it.

Orthanc 1.10.1 and later. "Gone" is only Orthanc's own 404 with no other id for that StudyInstanceUID; a
DICOMweb 404 proves nothing (one UID under two PatientIDs answers 404 although both studies exist).
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from mapper.dicom.reader import Reader
from mapper.dicom.study import Collector
from mapper.errors import BadMetadata, SourceChanged, SourceDown, StudyGone, TwoPatients
from mapper.sources.source import YOUNG, Changes, Reading, Sighting
from mapper.sources.web import Web

PAGE = 500
CHANGES_PAGE = 1000
RIPE = timedelta(seconds=2)
"""LastUpdate has whole seconds: one as young as this may hide a second change, so it is read again later."""
MOVES_ON_DELETION = (1, 12, 1)
"""The Orthanc from which on LastUpdate moves when a child is deleted."""
SORTS = (1, 12, 5)
"""The Orthanc from which on tools/find sorts by LastUpdate."""
NEWEST_FIRST = [{"Type": "Metadata", "Key": "LastUpdate", "Direction": "DESC"}]
STAMP = len("20240517T093105")
DICOM_JSON = "application/dicom+json"


class Orthanc:
    """One Orthanc server as a source of studies."""

    def __init__(
        self,
        url: str,
        reader: Reader,
        user: str | None = None,
        password: str | None = None,
        name: str = "orthanc",
        timeout: float = 60.0,
    ) -> None:
        self.name = name
        self._web = Web(url, user, password, timeout, probe="/statistics")
        self._reader = reader
        self._version: tuple[int, ...] | None = None
        self._sorted: bool | None = None

    # -- one study ------------------------------------------------------------------------------

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        """Return one whole study, read series by series; see Source.read."""
        orthanc_id = self._only_id(study_uid, known_ids)
        before = self._sighting(orthanc_id)
        if before is None:
            raise SourceChanged(f"study {study_uid} went while it was read")
        collector = Collector()
        for series_uid in self._series_uids(orthanc_id):
            metadata = self._web.ask(
                "GET", f"/dicom-web/studies/{study_uid}/series/{series_uid}/metadata", accept=DICOM_JSON
            )
            if metadata is None:
                raise SourceChanged(f"a series of study {study_uid} is not to be had over DICOMweb now")
            self._reader.read(metadata, collector)
        after = self._sighting(orthanc_id)
        if after is None or state_of(after) != state_of(before):
            raise SourceChanged(f"study {study_uid} changed while it was read")
        return Reading(collector.study(study_uid), before)

    def _only_id(self, study_uid: str, known_ids: list[str]) -> str:
        found = self._web.json("POST", "/tools/lookup", data=study_uid.encode()) or []
        ids = sorted({hit["ID"] for hit in found if hit.get("Type") == "Study"})
        if len(ids) > 1:
            said = f"study {study_uid} stands under {len(ids)} PatientIDs in Orthanc: see {', '.join(ids)}"
            raise TwoPatients(said, ids)
        if ids:
            return str(ids[0])
        for orthanc_id in known_ids:
            if self._web.json("GET", f"/studies/{orthanc_id}") is not None:
                return orthanc_id
        raise StudyGone(f"study {study_uid} is no longer in Orthanc")

    def _series_uids(self, orthanc_id: str) -> list[str]:
        expanded = self._web.json("GET", f"/studies/{orthanc_id}/series", expand="") or []
        return sorted(series["MainDicomTags"]["SeriesInstanceUID"] for series in expanded)

    def _sighting(self, orthanc_id: str) -> Sighting | None:
        study = self._web.json("GET", f"/studies/{orthanc_id}")
        if study is None:
            return None
        instances = None
        if self._counts_needed():
            statistics = self._web.json("GET", f"/studies/{orthanc_id}/statistics") or {}
            instances = statistics.get("CountInstances")
        return sighting(study, self._now(), instances)

    # -- all studies ----------------------------------------------------------------------------

    def listing(self) -> Iterator[Sighting]:
        """Yield every study Orthanc holds, in pages; see Source.listing."""
        now = self._now()
        counts = self._instance_counts() if self._counts_needed() else None
        for study in self._pages("/studies"):
            instances = counts.get(study["ID"], 0) if counts is not None else None
            yield sighting(study, now, instances)

    def recent(self, fingerprint: str) -> list[Sighting] | None:
        """Return the studies whose LastUpdate is not older than a fingerprint's; see Source.recent."""
        if not fingerprint or not self._sorts():
            return None
        now, since = self._now(), str(fingerprint)[:STAMP]
        query: dict[str, Any] = {"Level": "Study", "Query": {}, "Expand": True, "Limit": PAGE, "OrderBy": NEWEST_FIRST}
        found: list[Sighting] = []
        while True:
            page = self._web.json("POST", "/tools/find", data=msgspec.json.encode(query | {"Since": len(found)}))
            found += [sighting(study, now) for study in page]
            if not page or found[-1].fingerprint[:STAMP] < since:
                return [one for one in found if one.fingerprint[:STAMP] >= since]

    def _sorts(self) -> bool:
        """Tell whether tools/find can sort by LastUpdate: from 1.12.5, with a database that says so."""
        if self._sorted is None:
            system = self._web.json("GET", "/system")
            capable = system.get("Capabilities", {}).get("HasExtendedFind", False)
            self._sorted = bool(capable) and parse_version(system["Version"]) >= SORTS
        return self._sorted

    def count(self) -> int:
        """Return Orthanc's own count of studies."""
        return int(self._must("/statistics")["CountStudies"])

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        since = 0
        while page := self._web.json("GET", path, expand="", since=since, limit=PAGE):
            yield from page
            since += len(page)

    def _instance_counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for series in self._pages("/series"):
            parent = series["ParentStudy"]
            counts[parent] = counts.get(parent, 0) + len(series["Instances"])
        return counts

    def _counts_needed(self) -> bool:
        return self.version < MOVES_ON_DELETION

    # -- what happened --------------------------------------------------------------------------

    def changes(self, cursor: int | None) -> Changes:
        """Return the studies that became stable after `cursor`; see Source.changes.

        A log that ends before the cursor belongs to a new database: everything is looked at again.
        """
        if cursor is None:
            return Changes((), int(self._must("/changes", last="")["Last"]))
        page = self._must("/changes", since=cursor, limit=CHANGES_PAGE)
        if page["Last"] < cursor:
            return Changes((), int(page["Last"]), sweep=True)
        stable = {change["ID"] for change in page["Changes"] if change["ChangeType"] == "StableStudy"}
        uids = {self.study_uid(orthanc_id) for orthanc_id in stable} - {None}
        return Changes(tuple(sorted(map(str, uids))), int(page["Last"]), more=not page["Done"])

    def study_uid(self, orthanc_id: str) -> str | None:
        """Return the StudyInstanceUID of one of Orthanc's studies, or None when it is not there."""
        study = self._web.json("GET", f"/studies/{orthanc_id}")
        return study["MainDicomTags"].get("StudyInstanceUID") if study else None

    # -- the server itself ----------------------------------------------------------------------

    @property
    def version(self) -> tuple[int, ...]:
        """Orthanc's version, `(1, 12, 7)`; a development version counts as newest."""
        if self._version is None:
            self._version = parse_version(self._must("/system")["Version"])
        return self._version

    def _must(self, path: str, **query: Any) -> dict[str, Any]:
        """Return what every Orthanc answers; raises SourceDown when this is none."""
        found = self._web.json("GET", path, **query)
        if not isinstance(found, dict):
            raise SourceDown(f"{self._web.url} is no Orthanc: it does not know {path}; check orthanc_url")
        return found

    def _now(self) -> datetime:
        body = self._web.ask("GET", "/tools/now", accept="text/plain") or b""
        return parse_time(body.decode().strip().strip('"'))

    def check(self) -> list[str]:
        """Return what `doctor` should say of this Orthanc."""
        said = [f"Orthanc {'.'.join(map(str, self.version))} answers at {self._web.url}"]
        plugins = self._web.json("GET", "/plugins") or []
        if "dicom-web" not in plugins:
            said.append("problem: Orthanc has no DICOMweb plugin: install orthanc-dicomweb and restart Orthanc")
        if "python" not in plugins:
            said.append("problem: Orthanc has no Python plugin: studies come by polling, without the Explorer button")
        if self._counts_needed():
            said.append("limit: Orthanc before 1.12.1 does not date deletions; instances are counted instead")
        return said


def sighting(study: dict[str, Any], now: datetime, instances: int | None = None) -> Sighting:
    """Return the sighting of one expanded study of Orthanc's REST API."""
    last_update = study.get("LastUpdate", "")
    parts = [last_update]
    if instances is not None:
        parts += [str(instances), digest(study.get("Series", []))]
    young = bool(last_update) and now - parse_time(last_update) < RIPE
    if young:
        parts.append(YOUNG)
    uid = study.get("MainDicomTags", {}).get("StudyInstanceUID", "")
    return Sighting(study["ID"], uid, "/".join(parts), bool(study.get("IsStable", True)), young)


def state_of(seen: Sighting) -> tuple[str, str]:
    """Return what tells two states of a study apart: not that time passed, nor that it became stable."""
    return seen.id, seen.fingerprint.removesuffix(f"/{YOUNG}")


def digest(ids: list[str]) -> str:
    """Return a short name for a set of ids."""
    return sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def parse_version(text: str) -> tuple[int, ...]:
    """Return `1.12.7` as (1, 12, 7)."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(map(int, numbers.groups())) if numbers else (999, 0, 0)


def parse_time(text: str) -> datetime:
    """Return Orthanc's own UTC time `20240517T093105`; raises BadMetadata when it is none."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S")
    except ValueError as error:
        raise BadMetadata("Orthanc's time is not readable") from error
