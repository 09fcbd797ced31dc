"""The next study is found by its index, however many wait: source, state, then the order in which they are due."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("study_due", "study")
    op.create_index("study_due", "study", ["source", "state", "priority", "not_before"])
