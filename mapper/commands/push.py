"""`push`: a folder of NDJSON is played into the FHIR server."""

from pathlib import Path
from typing import Annotated

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say, shown_json

NAMED = 10
"""Resources that are named of those that were left alone."""


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
    otherwise and this folder did not write is left alone and told.
    """
    import orjson

    from mapper.commands.progress import Progress
    from mapper.jobs.patience import Patience
    from mapper.jobs.push import Push
    from mapper.sinks.ndjson.sink import Ndjson
    from mapper.wiring import fhir_server_of, sink_fingerprint

    with one_line(), Progress("resources") as progress:
        settings = load(Settings, config)
        sink, files = fhir_server_of(settings), Ndjson(folder)
        try:
            sink.probe()
            patience = Patience(say=progress.say)
            found = Push(files, sink, sink_fingerprint(settings), overwrite, patience, progress.at).run()
        finally:
            files.close()
            sink.close()
    left_alone = [("another", key, "") for key in found.differs] + [("refused", *one) for one in found.refused]
    if as_json:
        told = [{"resource": "/".join(key), "why": why, "message": said or None} for why, key, said in left_alone]
        facts = {"sent": found.sent, "already": found.already, "left_alone": told}
        say(shown_json(orjson.dumps(facts)).decode())
    else:
        for _, key, said in left_alone[:NAMED]:
            another = "the server holds another, which this folder did not write: compare, or say --overwrite"
            say(f"{'/'.join(key)}: {said or another}", err=True)
        say(f"{found.sent} resources sent, {found.already} were there, {len(left_alone)} left alone")
    if left_alone:
        raise typer.Exit(1)
