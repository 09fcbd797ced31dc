"""What failed in a time is found by an index of failed syncs alone, however many there are that did not."""

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the index."""
    failed = text("failure > ''")
    columns = ["ended", "id", "source", "study_uid", "failure"]
    op.create_index("history_failing", "history", columns, sqlite_where=failed, postgresql_where=failed)
