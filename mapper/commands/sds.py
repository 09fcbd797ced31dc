"""`sds`: a dataset in the SPARC Data Structure is checked, and becomes FHIR."""

import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from mapper.commands.app import Config, one_line
from mapper.commands.output import problem_file
from mapper.commands.target import folder_of, is_folder
from mapper.configuration import WrongArgument, load
from mapper.errors import SettingError
from mapper.settings import Settings
from mapper.terminal import say, shown_json


def sds(
    path: Annotated[Path, typer.Argument(help="The folder of the dataset, in which dataset_description lies.")],
    check: Annotated[
        bool, typer.Option("--check", help="Say what it holds and what is wrong with it, and write nothing (default).")
    ] = False,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="WHERE",
            help="fhir, orthanc, ndjson:DIR; standard output: - (a transaction Bundle a line), measurements (JSON).",
        ),
    ] = "",
    dataset_uuid: Annotated[
        UUID | None, typer.Option(help="UUID of the dataset; by default of its DOI, else of its name and title.")
    ] = None,
    correct: Annotated[
        bool,
        typer.Option(
            "--correct",
            help="Bring in line what an earlier run of this dataset wrote, never what somebody else wrote since.",
        ),
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="With --to fhir: remove what an earlier run wrote of the dataset and it no longer says."
        ),
    ] = False,
    source: Annotated[str, typer.Option(help="Of several sources, the one whose patients these are.")] = "",
    problems: Annotated[
        Path | None, typer.Option(help="Write what was dropped or doubted here, by file and cell (NDJSON).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as one JSON object.")] = False,
    config: Config = None,
) -> None:
    """Check a dataset in the SPARC Data Structure (SDS 2.x, 3.x), or write it to FHIR or Orthanc.

    The check says what the dataset holds, what is wrong with it and what to do, by file and cell and without any value.
    Writing goes on where one element is wrong, and changes nothing the second time; a Patient or ImagingStudy that
    is there already is compared and told, not overwritten.

    Exit code 1, of the check and of writing: something contradicts itself, or is left out.
    """
    import orjson

    from mapper.commands.dataset import checked, no_dataset, not_lost, not_onto_itself, told
    from mapper.commands.dataset_writers import MEASUREMENTS, STDOUT, WRITERS, Job, source_of, to_folder
    from mapper.commands.trail import record
    from mapper.records.sds.identity import dataset_uuid as uuid_of

    in_files = is_folder(to)
    if to not in ("", *WRITERS) and not in_files:
        raise typer.BadParameter(f"--to: one of {', '.join(WRITERS)}, ndjson:DIR")
    if check and to:
        raise typer.BadParameter("--check writes nothing: leave out --to")
    if correct and to != "fhir" and not in_files:
        raise typer.BadParameter("--correct goes with --to fhir and ndjson:DIR: nothing else holds an earlier run")
    if prune and to != "fhir":
        raise typer.BadParameter("--prune goes with --to fhir: files keep each line (write them into a new folder)")
    outcome = None
    with one_line():
        settings = load(Settings, config)
        whose = source_of(settings, source)
        if not path.is_dir():
            raise WrongArgument(f"{path}: no folder; name the folder of the dataset")
        if to == MEASUREMENTS:
            not_onto_itself(path)
        found = checked(path)
        if to:
            if not found.dataset.description.file:
                raise no_dataset(path, found)
            if to == MEASUREMENTS:
                not_lost(path, found)
            if prune and any(one.level != "note" for one in found.findings):
                raise SettingError(
                    f"{path}: --prune removes nothing while the dataset has an error or a warning, as something that "
                    "could not be read would be taken for gone: see --check"
                )
            for one in found.findings:
                say(f"{one.level}: {one}", err=True)
            with problem_file(problems) as kept, told(kept, found) as keep:
                uuid = uuid_of(found.dataset, dataset_uuid)
                job = Job(found.dataset, uuid, settings, whose, keep, sys.stdout.buffer)
                job.given, job.correct, job.prune = dataset_uuid is not None, correct, prune
                folder = folder_of(to) if in_files else None
                if prune:
                    record(settings, "allowed to remove")
                outcome = to_folder(job, folder) if folder else WRITERS[to](job)
    if as_json and to not in STDOUT:
        facts = found.json() | ({"written": outcome.json()} if outcome else {})
        say(shown_json(orjson.dumps(facts)).decode())
    elif to not in STDOUT:
        for line in outcome.lines() if outcome else found.lines():
            say(line)
    if not found.profile.well or (outcome and not outcome.well):
        raise typer.Exit(1)
