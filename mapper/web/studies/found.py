"""What is shown of studies that were looked up by what only Orthanc knows: what the ledger knows of them."""

from collections.abc import Sequence
from typing import Any

from mapper.ledger.ledger import Ledger
from mapper.standing import HoldUps
from mapper.words import said_of


def told_of(ledger: Ledger, study_uids: Sequence[str]) -> dict[str, Any]:
    """Return by study its rows, and by source and study why it is so, what to do, and Orthanc's ids of it."""
    found, holdups = {uid: ledger.rows.of_all_sources(uid) for uid in study_uids}, HoldUps(ledger)
    rows = [row for rows in found.values() for row in rows]
    said = {(row.source, row.study_uid): said_of(row, holdups) for row in rows}
    ids = {(row.source, row.study_uid): ledger.seen.ids(row.source, row.study_uid) for row in rows}
    return {"found": found, "said": said, "ids": ids}
