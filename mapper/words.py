"""What pages, API, commands and plugin are told of a study: one list of words, and one JSON shape everywhere."""

from datetime import UTC, datetime
from typing import Any, overload
from uuid import UUID

import msgspec

from mapper.ledger.outcome import Failed, Sync
from mapper.ledger.rows import Row
from mapper.ledger.sides import Side
from mapper.ledger.state import FAILING
from mapper.maps import keys
from mapper.remedies import remedy
from mapper.standing import HoldUps, Standing

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


def said_of(row: Row, holdups: HoldUps) -> tuple[str, str | None]:
    """Return why a study is as it is, or what its state means, and what a person does about it, if anything."""
    if held := holdups.of(row):
        return held.text, held.do
    return row.reason or WORDS[row.state], remedy(row.failure).do if row.failure and row.state in FAILING else None


def status(row: Row, links: Links, holdups: HoldUps) -> dict[str, Any]:
    """Return the JSON of one study."""
    message, do = said_of(row, holdups)
    return {
        "study_uid": row.study_uid,
        "source": row.source,
        "state": row.state,
        "message": message,
        "failure": row.failure or None,
        "remedy": do,
        "changed_at": moment(row.changed_at),
        "attempts": row.attempts,
        "next_attempt_at": moment(row.not_before) if row.state == "retrying" else None,
        "problems": msgspec.to_builtins(row.problems),
        "synced_at": moment(row.synced_at),
        "fhir_url": links.imaging_study(row.study_uid) if row.synced_at is not None else None,
    }


def kept_waiting(down: str) -> str:
    """Return what keeps studies that were put back in line from being tried, as the end of a sentence."""
    return f"not tried yet, as {down.rstrip('.')}: they wait, and no longer count as parked; all goes on by itself"


def sync_json(one: Sync) -> dict[str, Any]:
    """Return the JSON of one sync of the history."""
    return {
        "study_uid": one.study_uid,
        "source": one.source,
        "started": moment(one.started),
        "ended": moment(one.ended),
        "seconds": round(one.took, 3),
        "fate": one.fate,
        "failure": one.failure,
        "attempts": one.attempts,
    }


def failed_json(one: Failed) -> dict[str, Any]:
    """Return the JSON of how syncs of a study failed in a time: the last one, and how many."""
    return {"failure": one.failure, "last": moment(one.last), "times": one.times}


def standing_json(now: Standing) -> dict[str, Any]:
    """Return the JSON of how things stand."""
    return {
        "in_line": now.in_line,
        "reasons": [{"text": one.text, "do": one.do} for one in now.reasons],
        "working": now.working,
        "counts": dict(now.counts),
        "failures": [
            {"state": state, "failure": failure, "studies": number}
            for (state, failure), number in sorted(now.failures.items())
        ],
        "waits_seconds": round(now.waits, 3),
        "sources": [
            {
                "name": one.name,
                **side_json(one.side),
                "studies": one.swept.listed if one.swept else None,
                "swept_at": moment(one.swept.at) if one.swept else None,
                "counts": dict(one.counts),
                "brakes": list(one.brakes),
            }
            for one in now.sources
        ],
        "sink": side_json(now.sink),
    }


def side_json(side: Side | None) -> dict[str, Any]:
    """Return the JSON of how a side answered when it was last asked; null where nobody has asked it."""
    if side is None:
        return {"up": None, "since": None, "reason": None}
    return {"up": side.up, "since": moment(side.since), "reason": side.reason or None}


@overload
def moment(seconds: float) -> str: ...
@overload
def moment(seconds: None) -> None: ...
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
