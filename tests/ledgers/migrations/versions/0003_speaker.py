"""Who speaks for a resource is found by an index, not by reading all who make it (an Endpoint: every study)."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SORTED = {"source": sa.String(64), "study_uid": sa.Text(), "rank": sa.String(32)}


def upgrade() -> None:
    """Sort by bytes, also in PostgreSQL, and make the index."""
    op.drop_index("written_resource", "written")
    if op.get_bind().dialect.name == "postgresql":
        for name, type in SORTED.items():
            op.alter_column("written", name, existing_type=type, type_=type.__class__(type.length, collation="C"))
    op.create_index("written_speaker", "written", ["type", "id", "rank", "study_uid", "source"])
