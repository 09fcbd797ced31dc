"""`backfill`: an archive whole, into FHIR or into files; stopped and said again it goes on."""

from typing import TYPE_CHECKING, Annotated

import typer

from mapper.commands.app import Config, fail, one_line
from mapper.commands.target import FHIR, NDJSON, folder_of, place
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say, shown_json

if TYPE_CHECKING:
    from mapper.jobs.completeness import Bucket

NAMED = 20
"""Studies that are named of those that failed or differ."""


def backfill(
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="One of several sources; all without it.")
    ] = None,
    to: Annotated[
        str, typer.Option(metavar="PLACE", help="fhir, or ndjson:DIR, a folder of NDJSON files.", callback=place)
    ] = FHIR,
    processes: Annotated[int, typer.Option(min=0, max=256, help="Processes that read and map; 0: threads.")] = 0,
    dask: Annotated[
        str | None, typer.Option("--dask", metavar="ADDRESS", help="A Dask scheduler, as tcp://host:8786: it reads.")
    ] = None,
    between: Annotated[
        str | None, typer.Option(metavar="HH:MM-HH:MM", help="Hours in which to work, by the clock of this machine.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Compare archive and FHIR afterwards, StudyDate by StudyDate.")
    ] = False,
    report_only: Annotated[bool, typer.Option("--report-only", help="Compare, and do nothing else.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as one JSON object.")] = False,
    config: Config = None,
) -> None:
    """Bring all studies of the sources into FHIR or into files, behind what comes in meanwhile.

    It may be stopped at any time: said again it goes on with what is not done. Beside a running `serve` on SQLite the
    studies are marked and `serve` does the work. --report proves that nothing is missing.
    """
    import orjson

    from mapper.commands.backfilling import into_fhir, into_files, reported
    from mapper.commands.progress import Progress

    with one_line(), Progress("studies") as progress:
        settings = load(Settings, config)
        chosen = [one for one in settings.all_sources if source in (None, one.name)]
        if not chosen:
            raise typer.BadParameter("--source: no source has this name")
        if to != FHIR and not to.startswith(NDJSON):
            raise typer.BadParameter("backfill writes to fhir or ndjson:DIR")
        if processes and dask:
            raise typer.BadParameter("say --processes or --dask, not both")
        folder, facts, well = folder_of(to), dict[str, object](), True
        try:
            if not report_only and folder:
                facts, well = into_files(settings, chosen, folder, processes, dask, between, progress)
            elif not report_only:
                facts, well = into_fhir(settings, chosen, processes, dask, between, progress)
            buckets = reported(settings, chosen, folder) if report or report_only else []
        except KeyboardInterrupt:
            raise fail("stopped: say it again, and it goes on where it was") from None
    differ = [one for one in buckets if not one.complete]
    if as_json:
        say(shown_json(orjson.dumps({**facts, "days": [vars(one) for one in buckets]})).decode())
    else:
        for name, value in facts.items():
            say(f"{name}: {value}") if not isinstance(value, dict) else told(value)
        tell(buckets)
    if differ or not well:
        raise typer.Exit(1)


def told(failed: dict[str, str]) -> None:
    """Say which studies failed, and why."""
    for study_uid, reason in list(failed.items())[:NAMED]:
        say(f"{study_uid}: {reason}", err=True)
    if len(failed) > NAMED:
        say(f"{len(failed)} in all", err=True)


def tell(buckets: "list[Bucket]") -> None:
    """Say what differs, a line a StudyDate, and how much is the same."""
    several = len({one.source for one in buckets}) > 1
    for one in buckets:
        if not one.complete:
            whose = f"{one.source}, " if several else ""
            say(f"{whose}{one.day or 'no StudyDate'}: {one.archive} in the archive, {one.fhir} in FHIR")
            for why, uids in (("missing", one.missing), ("superfluous", one.superfluous), ("instances", one.short)):
                for study_uid in uids[:NAMED]:
                    say(f"  {why}: {study_uid}")
                if len(uids) > NAMED:
                    say(f"  {why}: {len(uids)} in all")
    if buckets:
        same = [one for one in buckets if one.complete]
        days = {one.day for one in buckets}
        whole = days - {one.day for one in buckets if not one.complete}
        say(f"{sum(one.archive for one in same)} studies of {len(whole)} of {len(days)} StudyDates are the same")
