"""`sync`: studies are synced now, and their outcome is said."""

from typing import Annotated

import typer

from mapper.commands.app import Config, StudyUIDs, one_line
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say


def sync(
    study_uids: StudyUIDs = None,
    all_studies: Annotated[bool, typer.Option("--all", help="Every study, changed or not.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the outcome.")] = 300.0,
    accept_removals: Annotated[
        bool,
        typer.Option("--accept-removals", help="Many studies vanished from the PACS, and that is right: retract them."),
    ] = False,
    config: Config = None,
) -> None:
    """Sync studies now: those named, all, or (without arguments) those that changed. Waits for the outcome.

    Beside a running `serve` the studies are marked and `serve` does the work; without one it is done here.
    """
    from mapper.commands.outcome import sync_now

    with one_line():
        done = sync_now(load(Settings, config), study_uids or [], all_studies, wait, accept_removals, say)
    if not done:
        raise typer.Exit(1)
