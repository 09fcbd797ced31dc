"""The ledger's tables: made where there are none, and brought up to date from whatever an earlier release left.

Earlier stamps: 0001 (the four tables), 0002 (`marked_at`, `failure`), 0003 (sorted by bytes, `written_speaker`).
What is there is looked at, not the stamp.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = None

SORTED = {"source": sa.String(64), "study_uid": sa.Text(), "rank": sa.String(32)}
"""Columns of `written` that PostgreSQL is to sort by their bytes, as Python and SQLite do."""


def upgrade() -> None:
    """Bring the tables to what mapper.ledger.schema says."""
    there = sa.inspect(op.get_bind())
    if not there.has_table("study"):
        make()
        return
    if "marked_at" not in {column["name"] for column in there.get_columns("study")}:
        count_from_the_mark()
    if "written_speaker" not in {index["name"] for index in there.get_indexes("written")}:
        op.drop_index("written_resource", "written")
        sort_by_bytes()
    if "source_id" not in {column["name"] for column in there.get_columns("seen")}:
        op.execute("ALTER TABLE seen RENAME COLUMN orthanc_id TO source_id")


def make() -> None:
    """Make the four tables."""
    op.create_table(
        "study",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("study_uid", sa.Text, primary_key=True),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("done_generation", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("not_before", sa.Float, nullable=False),
        sa.Column("lease_until", sa.Float, nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("failure", sa.String(64), nullable=False),
        sa.Column("problems", sa.Text, nullable=False),
        sa.Column("mapping_version", sa.String(32), nullable=False),
        sa.Column("started", sa.String(32), nullable=False),
        sa.Column("synced_at", sa.Float),
        sa.Column("marked_at", sa.Float, nullable=False),
    )
    op.create_index("study_due", "study", ["state", "not_before"])
    op.create_table(
        "seen",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("source_id", sa.String(64), primary_key=True),
        sa.Column("study_uid", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(255), nullable=False),
    )
    op.create_index("seen_study", "seen", ["source", "study_uid"])
    op.create_table(
        "written",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("study_uid", sa.Text, primary_key=True),
        sa.Column("type", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("rank", sa.String(32), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
    )
    sort_by_bytes()
    op.create_table(
        "meta",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def count_from_the_mark() -> None:
    """Add since when a study is dirty, and its kind of failure; what waits now counts from when it is due."""
    with op.batch_alter_table("study") as table:
        table.add_column(sa.Column("marked_at", sa.Float, nullable=False, server_default="0"))
        table.add_column(sa.Column("failure", sa.String(64), nullable=False, server_default=""))
    op.execute("UPDATE study SET marked_at = not_before")
    with op.batch_alter_table("study") as table:
        table.alter_column("marked_at", existing_type=sa.Float(), existing_nullable=False, server_default=None)
        table.alter_column("failure", existing_type=sa.String(64), existing_nullable=False, server_default=None)


def sort_by_bytes() -> None:
    """Make the index that finds who speaks for a resource, sorted alike in every database."""
    if op.get_bind().dialect.name == "postgresql":
        for name, type in SORTED.items():
            op.alter_column("written", name, existing_type=type, type_=type.__class__(type.length, collation="C"))
    op.create_index("written_speaker", "written", ["type", "id", "rank", "study_uid", "source"])
