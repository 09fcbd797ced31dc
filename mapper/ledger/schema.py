"""The ledger's tables (SQLAlchemy Core): tables about studies, not a message queue.

They hold UIDs, ids, hashes and `started` as a rank; no other value of a DICOM attribute. Times are seconds
since 1970 UTC.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text, literal_column

metadata = MetaData()


def by_bytes(text: type[String], length: int | None = None) -> Any:
    """Return the type of a text column that is sorted by its bytes, as Python does, whatever the database's locale."""
    return text(length).with_variant(text(length, collation="C"), "postgresql")


study = Table(
    "study",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("study_uid", by_bytes(Text), primary_key=True, doc="sorted by bytes: its beginning is looked for"),
    Column("generation", BigInteger, nullable=False, default=1, doc="moves with every mark"),
    Column("done_generation", BigInteger, nullable=False, default=0, doc="the generation last finished"),
    Column("state", String(16), nullable=False, default="pending"),
    Column(
        "priority", Integer, nullable=False, default=0, doc="the first in line have the greatest (mapper.ledger.claim)"
    ),
    Column("not_before", Float, nullable=False, default=0.0),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("owner", String(64), nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0, doc="counted at the claim"),
    Column("reason", Text, nullable=False, default="", doc="why it waits, is parked or is removed"),
    Column("failure", String(64), nullable=False, default="", doc="kind of the last failure, a name of mapper.errors"),
    Column("problems", Text, nullable=False, default="[]", doc="JSON list of element, attribute, reason"),
    Column("mapping_version", String(32), nullable=False, default=""),
    Column("started", String(32), nullable=False, default="", doc="rank among the studies of one patient"),
    Column("fingerprint", String(255), nullable=False, default="", doc="in which it was read when it was synced last"),
    Column("synced_at", Float),
    Column("marked_at", Float, nullable=False, default=0.0, doc="since when it is dirty: the lag counts from here"),
    Column("claimed_at", Float, doc="when the last attempt began"),
    Column("changed_at", Float, nullable=False, default=0.0, doc="since when it is in its state"),
    Index("study_due", "source", "state", "priority", "not_before"),
    Index("study_counted", "source", "state"),
    Index("study_named", "study_uid", "source"),
    Index("study_changed", "changed_at", "study_uid", "source"),
    Index("study_state", "state", "changed_at", "study_uid", "source"),
    Index("study_failure", "failure", "changed_at", "study_uid", "source", "state"),
)

history = Table(
    "history",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("study_uid", by_bytes(Text), nullable=False),
    Column("started", Float, nullable=False),
    Column("ended", Float, nullable=False),
    Column("fate", String(16), nullable=False, doc="the state that the sync led to"),
    Column("failure", String(64), nullable=False, default="", doc="kind of failure, a name of mapper.errors"),
    Column("attempts", Integer, nullable=False),
    Index("history_study", "study_uid", "ended", "id"),
    Index("history_fate", "fate", "ended", "id"),
    Index("history_failure", "failure", "ended", "id"),
    Index("history_failed", "failure", "fate", "ended", "id"),
    Index("history_ended", "ended", "id", "fate", "failure", "started"),
)
FAILED: Any = history.c.failure > literal_column("''")
"""What says of a sync that it failed: a database follows an index of those alone where it reads the very same words."""
Index(
    "history_failing",
    *(history.c.ended, history.c.id, history.c.source, history.c.study_uid, history.c.failure),
    sqlite_where=FAILED,
    postgresql_where=FAILED,
)

seen = Table(
    "seen",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("source_id", String(64), primary_key=True, doc="the source's own id of a study"),
    Column("study_uid", Text, nullable=False),
    Column("fingerprint", String(255), nullable=False),
    Index("seen_study", "source", "study_uid"),
)

written = Table(
    "written",
    metadata,
    Column("source", by_bytes(String, 64), primary_key=True),
    Column("study_uid", by_bytes(Text), primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("sha256", String(64), nullable=False, doc="of the resource this study makes; empty: send again"),
    Column("rank", by_bytes(String, 32), nullable=False, default="", doc="the study's `started`; newest wins"),
    Column("version", String(64), nullable=False, default="", doc="meta.versionId the server answered"),
    Index("written_speaker", "type", "id", "rank", "study_uid", "source"),
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

ended_session = Table(
    "ended_session",
    metadata,
    Column("id_hash", String(64), primary_key=True, doc="SHA-256 of the session's id, which is nobody's to read"),
    Column("until", Float, nullable=False, doc="when the session would have ended anyway"),
    Index("ended_session_until", "until"),
)
