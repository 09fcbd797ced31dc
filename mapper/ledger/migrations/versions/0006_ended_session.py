"""Sessions that somebody ended before their time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring the tables to what mapper.ledger.schema says."""
    op.create_table(
        "ended_session",
        sa.Column("id_hash", sa.String(64), primary_key=True),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("ended_session_until", "ended_session", ["until"])
