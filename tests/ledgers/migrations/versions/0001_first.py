"""The ledger of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
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
        sa.Column("problems", sa.Text, nullable=False),
        sa.Column("mapping_version", sa.String(32), nullable=False),
        sa.Column("started", sa.String(32), nullable=False),
        sa.Column("synced_at", sa.Float),
    )
    op.create_index("study_due", "study", ["state", "not_before"])
    op.create_table(
        "seen",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("orthanc_id", sa.String(64), primary_key=True),
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
    op.create_index("written_resource", "written", ["type", "id"])
    op.create_table(
        "meta",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
