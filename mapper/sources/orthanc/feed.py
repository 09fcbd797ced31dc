"""What happened in an Orthanc: its log of changes, and the studies by LastUpdate where it sorts by it."""

from typing import Any

import msgspec

from mapper.http.target import Target
from mapper.sources.fingerprint import moved
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.api import CONTENT, FIND, PAGE, PAGES, Api
from mapper.sources.orthanc.sighting import name_of, sighting
from mapper.sources.source import Changes, Sighting

CHANGES = Target("/changes")
CHANGES_PAGE = 1000
NEWEST_FIRST = [{"Type": "Metadata", "Key": "LastUpdate", "Direction": "DESC"}]


class OrthancFeed:
    """One Orthanc as a feed."""

    def __init__(self, api: Api) -> None:
        """Remember whom to ask."""
        self._api = api

    def changes(self, cursor: int | None) -> Changes:
        """Return the studies that became stable after `cursor`; see Feed.changes.

        A log that ends before the cursor belongs to a new database: everything is looked at again.
        """
        if cursor is None:
            return Changes((), self._api.must(CHANGES, answers.Changes, last="").Last)
        page = self._api.must(CHANGES, answers.Changes, since=cursor, limit=CHANGES_PAGE)
        if page.Last < cursor:
            return Changes((), page.Last, sweep=True)
        stable = {change.ID for change in page.Changes if change.ChangeType == "StableStudy"}
        studies = map(self._api.study, sorted(stable))
        names = {name_of(study) for study in studies if study is not None}
        return Changes(tuple(sorted(names)), page.Last, more=not page.Done and page.Last > cursor)

    def recent(self, fingerprint: str) -> list[Sighting] | None:
        """Return the studies whose LastUpdate is not older than a fingerprint's; see Feed.recent."""
        if not fingerprint or not self._api.tells_metadata:
            return None
        now, since = self._api.now(), moved(fingerprint)
        query: dict[str, Any] = {"Level": "Study", "Query": {}, "Limit": PAGE, "OrderBy": NEWEST_FIRST}
        query["ResponseContent"] = CONTENT
        found: list[Sighting] = []
        for _ in range(PAGES):
            body = msgspec.json.encode(query | {"Since": len(found)})
            page = self._api.client.must("POST", FIND, list[answers.Study], data=body)
            found += [sighting(study, now) for study in page]
            if not page or moved(found[-1].fingerprint) < since:
                return [one for one in found if moved(one.fingerprint) >= since]
        raise self._api.endless(FIND)
