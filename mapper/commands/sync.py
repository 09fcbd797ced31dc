"""`sync`: studies are synced now, and their outcome is said."""

from typing import TYPE_CHECKING, Annotated

import typer

from mapper.commands.app import Config, StudyUIDs, one_line
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say, shown_json

if TYPE_CHECKING:
    from mapper.commands.outcome import Outcome


def sync(
    study_uids: StudyUIDs = None,
    all_studies: Annotated[bool, typer.Option("--all", help="Every study, changed or not.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the outcome.")] = 300.0,
    accept_removals: Annotated[
        bool,
        typer.Option("--accept-removals", help="Many studies vanished from the PACS, and that is right: retract them."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as one JSON object.")] = False,
    config: Config = None,
) -> None:
    """Sync studies now: those named, all, or (without arguments) those that changed. Waits for the outcome.

    Beside a running `serve` the studies are marked and `serve` does the work; without one it is done here.
    """
    import orjson

    from mapper.commands.outcome import sync_now
    from mapper.commands.progress import Progress

    with one_line(), Progress("studies") as progress:
        tell = progress.say if as_json else say
        done = sync_now(
            load(Settings, config), study_uids or [], all_studies, wait, accept_removals, tell, progress.stage
        )
    if as_json:
        bad = [
            {"study_uid": one.study_uid, "source": one.source, "state": one.state, "failure": one.failure or None}
            | {"message": one.reason}
            for one in done.bad
        ]
        facts = {"done": done.done, "asked": done.asked, "in_time": done.in_time, "studies": bad}
        say(shown_json(orjson.dumps(facts)).decode())
    else:
        for one in done.bad:
            say(f"{one.study_uid}: {one.state}: {one.reason or 'still in line'}")
        say(f"{done.done} of {done.asked} done" if study_uids else in_words(done))
    if not done.in_time:
        say("time is over: what is left stays in line, and a running `serve` goes on with it", err=True)
    if not done.well:
        raise typer.Exit(1)


def in_words(done: "Outcome") -> str:
    """Return what was done of all studies."""
    if not done.worked and done.in_time:
        return f"nothing was to be done; {done.done} studies in FHIR"
    return f"{done.worked} worked on; {done.done} studies in FHIR"
