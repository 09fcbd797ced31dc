"""Since when a study is dirty (a back-off moves `not_before`), and what kind of failure it met."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add both columns; what waits now counts from when it is due."""
    with op.batch_alter_table("study") as table:
        table.add_column(sa.Column("marked_at", sa.Float, nullable=False, server_default="0"))
        table.add_column(sa.Column("failure", sa.String(64), nullable=False, server_default=""))
    op.execute("UPDATE study SET marked_at = not_before")
    with op.batch_alter_table("study") as table:
        table.alter_column("marked_at", existing_type=sa.Float(), existing_nullable=False, server_default=None)
        table.alter_column("failure", existing_type=sa.String(64), existing_nullable=False, server_default=None)
