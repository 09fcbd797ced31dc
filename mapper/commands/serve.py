"""`serve`: the mapper runs until it is stopped."""

from typing import Annotated

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    config: Config = None,
) -> None:
    """Run the mapper: watch Orthanc, sync studies, serve pages and API. Stops cleanly on SIGTERM."""
    from mapper.commands.server import run

    with one_line():
        run(load(Settings, config, host=host, port=port))
