"""`sds`: a dataset in the SPARC Data Structure is checked, and becomes FHIR."""

from pathlib import Path
from typing import Annotated

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say, shown_json


def sds(
    path: Annotated[Path, typer.Argument(help="The folder of the dataset, in which dataset_description lies.")],
    check: Annotated[bool, typer.Option("--check", help="Say what it holds and what is wrong with it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The check as one JSON object.")] = False,
    config: Config = None,
) -> None:
    """Check a dataset in the SPARC Data Structure (SDS 2.x, 3.x).

    The check says what the dataset holds and what is wrong with it, by file and cell and without any value; its exit
    code is 1 where something cannot be used or contradicts itself.
    """
    import orjson

    from mapper.commands.dataset import checked

    with one_line():
        load(Settings, config)
        found = checked(path)
    if as_json:
        say(shown_json(orjson.dumps(found.json())).decode())
    else:
        for line in found.lines():
            say(line)
    if not found.profile.well:
        raise typer.Exit(1)
