"""The history of syncs, since when a study is in its state, and indexes for pages of studies.

What was in its state before counts from when it was synced last, or marked if that was later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INDEXES = {
    "study_counted": ["source", "state"],
    "study_named": ["study_uid", "source"],
    "study_changed": ["changed_at", "study_uid", "source"],
    "study_state": ["state", "changed_at", "study_uid", "source"],
    "study_failure": ["failure", "changed_at", "study_uid", "source", "state"],
}


def upgrade() -> None:
    """Bring the tables to what mapper.ledger.schema says."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    by_bytes = sa.Text(collation="C") if on_postgresql else sa.Text()
    with op.batch_alter_table("study") as table:
        table.add_column(sa.Column("claimed_at", sa.Float))
        table.add_column(sa.Column("changed_at", sa.Float, nullable=False, server_default="0"))
        if on_postgresql:
            table.alter_column("study_uid", existing_type=sa.Text(), type_=by_bytes)
    op.execute("UPDATE study SET changed_at = CASE WHEN synced_at > marked_at THEN synced_at ELSE marked_at END")
    with op.batch_alter_table("study") as table:
        table.alter_column("changed_at", existing_type=sa.Float(), existing_nullable=False, server_default=None)
    for name, columns in INDEXES.items():
        op.create_index(name, "study", columns)
    op.create_table(
        "history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("study_uid", by_bytes, nullable=False),
        sa.Column("started", sa.Float, nullable=False),
        sa.Column("ended", sa.Float, nullable=False),
        sa.Column("fate", sa.String(16), nullable=False),
        sa.Column("failure", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    op.create_index("history_study", "history", ["study_uid", "ended", "id"])
    op.create_index("history_fate", "history", ["fate", "ended", "id"])
    op.create_index("history_failure", "history", ["failure", "ended", "id"])
    op.create_index("history_failed", "history", ["failure", "fate", "ended", "id"])
    op.create_index("history_ended", "history", ["ended", "id", "fate", "failure", "started"])
