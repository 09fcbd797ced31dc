"""`doctor`: everything is looked at, and what to do is said."""

from typing import Annotated

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say, shown_json


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: level, text, remedy.")] = False,
    config: Config = None,
) -> None:
    """Check every connection, version, permission and setting, and say what to do.

    Exit code 1 when something does not work.
    """
    import orjson

    from mapper.commands.examination import examine

    sick = False
    with one_line():
        for found in examine(load(Settings, config)):
            facts = {"level": found.level, "text": found.text, "remedy": found.remedy or None}
            say(shown_json(orjson.dumps(facts)).decode() if as_json else f"{found.level:8}{found}")
            sick = sick or found.level == "problem"
    if sick:
        raise typer.Exit(1)
