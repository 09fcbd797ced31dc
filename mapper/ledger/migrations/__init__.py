"""The ledger's schema by Alembic: one migration takes every ledger there ever was, a file more each later change."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from mapper.errors import SettingError

HERE = Path(__file__).parent
FOLDED = ("0001", "0002", "0003")
"""Stamps of earlier releases, whose migrations the first one of today includes."""


def config(db: Connection) -> Config:
    """Return Alembic's configuration for an open transaction."""
    found = Config()
    found.set_main_option("script_location", str(HERE))
    found.attributes["connection"] = db
    return found


@cache
def migrations() -> ScriptDirectory:
    """Return the migrations, which are read once."""
    found = Config()
    found.set_main_option("script_location", str(HERE))
    return ScriptDirectory.from_config(found)


def upgrade(db: Connection) -> None:
    """Bring the tables to those of this release; raises SettingError when a later release made them."""
    settings = config(db)
    scripts = migrations()
    current = MigrationContext.configure(db).get_current_revision()
    if current == scripts.get_current_head():
        return
    try:
        if current in FOLDED:
            command.stamp(settings, "base", purge=True)
        elif current is not None:
            scripts.get_revision(current)
        command.upgrade(settings, "head")
    except CommandError:
        raise SettingError(
            f"ledger: a later release made it (schema {current}): install that release, or restore an older backup"
        ) from None
