"""What pages, API and plugin are told of a study: one JSON shape everywhere."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from mapper.ledger.rows import Row
from mapper.maps import keys

WORDS = {
    "pending": "waits to be synced",
    "syncing": "is being synced",
    "synced": "FHIR says what the PACS says",
    "retrying": "did not work yet and will be tried again",
    "parked": "needs a person: see the reason, then retry",
    "removed": "is no longer in the PACS",
}
"""What each state means, for people."""


class Links:
    """Makes the links from a study to FHIR."""

    def __init__(self, fhir_public_url: str, namespace: UUID) -> None:
        self._base, self._namespace = fhir_public_url, namespace

    def imaging_study(self, study_uid: str) -> str:
        """Return the URL of a study's ImagingStudy as clients reach it."""
        return f"{self._base}/ImagingStudy/{keys.id_of(self._namespace, keys.imaging_study(study_uid))}"


def status(row: Row, links: Links) -> dict[str, Any]:
    """Return the JSON of one study."""
    return {
        "study_uid": row.study_uid,
        "state": row.state,
        "message": row.reason or WORDS[row.state],
        "problems": msgspec.to_builtins(row.problems),
        "synced_at": moment(row.synced_at),
        "fhir_url": links.imaging_study(row.study_uid) if row.synced_at is not None else None,
    }


def moment(seconds: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds is not None else None


def span(seconds: float) -> str:
    """Return a length of time for people, in its two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
