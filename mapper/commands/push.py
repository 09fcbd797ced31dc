"""`push`: a folder of NDJSON is played into the FHIR server."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.errors import SettingError
from mapper.settings import Settings
from mapper.terminal import say, shown_json

if TYPE_CHECKING:
    from mapper.commands.progress import Progress
    from mapper.fhir.resource import Key
    from mapper.jobs.push import Pushed

NAMED = 10
"""Resources that are named of those that were left alone."""
NAMING = "name files as Patient.000001.ndjson, by the type that each holds and six digits, the later the greater"


def push(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="A folder of NDJSON files.")
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Overwrite what somebody else wrote, instead of telling it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as one JSON object.")] = False,
    config: Config = None,
) -> None:
    """Play a folder of NDJSON into the FHIR server: in transactions, what is referred to first.

    What is there already gets no new version; a push that was stopped goes on where it was. What the server holds
    otherwise and this folder did not write is left alone and told. Of what was sent before, the first of each type
    alone is looked up: what is removed on the server one by one is not noticed, until DIR/.index.sqlite is removed.
    """
    import orjson

    from mapper.commands.progress import Progress

    with one_line(), Progress("resources") as progress:
        found = pushed(load(Settings, config), folder, overwrite, progress)
    if as_json:
        told = [
            {"resource": "/".join(key), "why": why, "message": said or None} for why, key, said in left_alone(found)
        ]
        facts = {"sent": found.sent, "already": found.already, "left_alone": told}
        say(shown_json(orjson.dumps(facts)).decode())
    else:
        tell(found)
    if left_alone(found):
        raise typer.Exit(1)


def pushed(settings: Settings, folder: Path, overwrite: bool, progress: "Progress") -> "Pushed":
    """Play a folder into the FHIR server of the settings.

    Raises as Sink.put when patience is over, and SettingError where files are named so that they are not read.
    """
    from mapper.commands.trail import record
    from mapper.jobs.patience import Patience
    from mapper.jobs.push import Push
    from mapper.sinks.ndjson.chunk import strangers
    from mapper.sinks.ndjson.sink import Ndjson
    from mapper.wiring import fhir_server_of, sink_fingerprint

    if others := strangers(folder):
        raise SettingError(f"{folder}: {others[0]} is not read: {NAMING}")
    sink, files = fhir_server_of(settings), Ndjson(folder)
    if overwrite:
        record(settings, "allowed to overwrite")
    try:
        sink.probe()
        patience = Patience(say=progress.say)
        at = partial(progress.at, things="resources")
        return Push(files, sink, sink_fingerprint(settings), overwrite, patience, at).run()
    finally:
        files.close()
        sink.close()


def left_alone(found: "Pushed") -> "list[tuple[str, Key, str]]":
    """Return what was left alone, and why."""
    return [("another", key, "") for key in found.differs] + [("refused", *one) for one in found.refused]


def tell(found: "Pushed") -> None:
    """Say what became of a folder's resources."""
    alone = left_alone(found)
    for _, key, said in alone[:NAMED]:
        another = "the server holds another, which this folder did not write: compare, or say --overwrite"
        say(f"{'/'.join(key)}: {said or another}", err=True)
    say(f"{found.sent} resources sent, {found.already} were there, {len(alone)} left alone")
