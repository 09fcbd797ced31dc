"""In which state a study was read when it was synced last."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Of studies that an earlier release synced nobody knows it."""
    op.add_column("study", sa.Column("fingerprint", sa.String(255), nullable=False, server_default=""))
