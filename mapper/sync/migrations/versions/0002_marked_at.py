"""Since when a study is dirty: its back-off moves `not_before`, so the lag cannot be told from that."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add study.marked_at; what waits now counts from when it is due."""
    with op.batch_alter_table("study") as table:
        table.add_column(sa.Column("marked_at", sa.Float, nullable=False, server_default="0"))
    op.execute("UPDATE study SET marked_at = not_before")
    with op.batch_alter_table("study") as table:
        table.alter_column("marked_at", existing_type=sa.Float(), existing_nullable=False, server_default=None)
