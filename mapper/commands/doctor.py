"""`doctor`: everything is looked at, and what to do is said."""

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say


def doctor(config: Config = None) -> None:
    """Check every connection, version, permission and setting, and say what to do."""
    from mapper.commands.examination import examine

    sick = False
    with one_line():
        for found in examine(load(Settings, config)):
            say(f"{found.level:8}{found}")
            sick = sick or found.level == "problem"
    if sick:
        raise typer.Exit(1)
