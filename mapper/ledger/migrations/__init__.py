"""The ledger's schema from the first release on, by Alembic; `versions/` holds one file a change."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from mapper.errors import SettingError

HERE = Path(__file__).parent


def config(db: Connection) -> Config:
    """Return Alembic's configuration for an open transaction."""
    found = Config()
    found.set_main_option("script_location", str(HERE))
    found.attributes["connection"] = db
    return found


def upgrade(db: Connection, to: str = "head") -> None:
    """Bring the tables to a revision; raises SettingError when a later release made them."""
    settings = config(db)
    scripts = ScriptDirectory.from_config(settings)
    current = MigrationContext.configure(db).get_current_revision()
    if current == scripts.get_current_head():
        return
    try:
        if current is not None:
            scripts.get_revision(current)
        command.upgrade(settings, to)
    except CommandError:
        raise SettingError(
            f"ledger: a later release made it (schema {current}): install that release, or restore an older backup"
        ) from None
