"""What is wrong with a study, for somebody else's ticket: not one value of an attribute, the study's UID excepted."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from mapper.ledger.outcome import Sync
from mapper.ledger.rows import Row
from mapper.maps import MAPPING_VERSION
from mapper.remedies import remedy
from mapper.standing import HoldUps
from mapper.terminal import shown, shown_json
from mapper.words import moment, said_of

Record = dict[str, Any]


def records(rows: Sequence[Row], syncs: Sequence[Sync], version: str, holdups: HoldUps) -> Iterator[Record]:
    """Yield what is known, a JSON object each: `about`, each `study` of a source, each `problem`, each `sync`."""
    yield {"kind": "about", "program": "orthanc-fhir", "version": version, "mapping": MAPPING_VERSION}
    for row in rows:
        facts = {"study_uid": row.study_uid, "source": row.source, "state": row.state, "since": moment(row.changed_at)}
        failure = {"failure": row.failure, "means": remedy(row.failure).what} if row.failure else {}
        said, _ = said_of(row, holdups)
        yield {"kind": "study", **facts, "message": said, **failure, "synced_at": moment(row.synced_at)}
        for one in row.problems:
            where = {"source": row.source, "element": one.element, "attribute": one.attribute}
            yield {"kind": "problem", **where, "reason": one.reason}
    for sync in syncs:
        when = {"started": moment(sync.started), "ended": moment(sync.ended), "seconds": round(sync.took, 3)}
        became = {"fate": sync.fate, "failure": sync.failure, "attempt": sync.attempts}
        yield {"kind": "sync", "source": sync.source, **when, **became}


def ndjson(found: Iterator[Record]) -> bytes:
    """Return the records as NDJSON; a control character stands there as its escape."""
    return b"".join(shown_json(msgspec.json.encode(one)) + b"\n" for one in found)


def text(found: Iterator[Record]) -> bytes:
    """Return the records as lines for people; a control character stands there as its escape."""
    lines = []
    for one in found:
        kind = one.pop("kind")
        said = ", ".join(f"{name} {value}" for name, value in one.items() if value not in (None, ""))
        lines.append(shown(f"{kind}: {said}"))
    return ("\n".join(lines) + "\n").encode()


FORMS = {"txt": ("text/plain; charset=utf-8", text), "ndjson": ("application/x-ndjson", ndjson)}
