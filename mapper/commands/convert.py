"""`convert`: DICOM files become FHIR, without an archive."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from mapper.commands.app import Config, fail, one_line
from mapper.commands.outlet import Outlet, outlet
from mapper.commands.output import Record, problem_file
from mapper.commands.target import FHIR, HELP, STDOUT, folder_of, place
from mapper.configuration import load
from mapper.errors import NotOneStudy
from mapper.maps.site import Site
from mapper.plural import counted
from mapper.settings import Settings
from mapper.terminal import shown

if TYPE_CHECKING:
    from mapper.commands.progress import Progress
    from mapper.commands.sending import Sending
    from mapper.commands.tally import Tally

STDIN = Path("-")
TO_FHIR = "With --each-study also fhir, the server of the settings."


def there(paths: list[Path]) -> list[Path]:
    """Return paths of which all are there; raises BadParameter that names the first one that is not."""
    for path in paths:
        if path != STDIN and not path.exists():
            raise typer.BadParameter(f"path '{shown(str(path))}' does not exist.")
    return paths


def convert(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="DICOM files and folders; - reads one DICOM file, or WADO-RS metadata in JSON, from standard input.",
            callback=there,
        ),
    ],
    each_study: Annotated[
        bool, typer.Option("--each-study", help="One Bundle a line, in order of StudyInstanceUID.")
    ] = False,
    timezone: Annotated[str | None, typer.Option(help="IANA zone of times without an offset.")] = None,
    base: Annotated[str | None, typer.Option(help="URI under which identifier systems are made.")] = None,
    server: Annotated[str | None, typer.Option(help="FHIR base of the fullUrls.")] = None,
    dicomweb: Annotated[str | None, typer.Option(help="DICOMweb root: makes Endpoint and meta.source.")] = None,
    namespace: Annotated[UUID | None, typer.Option(help="UUID under which ids are made.")] = None,
    contained: Annotated[
        bool, typer.Option("--contained", help="One ImagingStudy that contains what it refers to, instead of a Bundle.")
    ] = False,
    problems: Annotated[Path | None, typer.Option(help="Write what was dropped or doubted here (NDJSON).")] = None,
    to: Annotated[str, typer.Option(metavar="PLACE", help=f"{HELP} {TO_FHIR}", callback=place)] = STDOUT,
    memory: Annotated[
        Path, typer.Option(metavar="DIR", help="Of --to fhir: the folder of NDJSON that remembers what was sent.")
    ] = Path("orthanc-fhir-convert"),
    processes: Annotated[
        int | None,
        typer.Option(min=0, max=256, help="Of --each-study: processes that read and map; by itself as many as pay."),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Of --each-study: a Dask scheduler, as tcp://host:8786: it reads."),
    ] = None,
    config: Config = None,
) -> None:
    """Convert the DICOM files of one study into a FHIR R4 transaction Bundle on standard output.

    Other files are skipped with a warning each, many of them with one for all. None or several studies are an error,
    unless --each-study: it takes folders of any size in bounded memory, wherever in them a study's files lie. Stopped
    and said again, ndjson:DIR and fhir go on where they were; standard output begins anew.
    """
    for wrong, why in (
        (contained and to != STDOUT, "contained resources go to - alone"),
        (to == FHIR and not each_study, "--to fhir is for --each-study; else say - or ndjson:DIR"),
        ((processes is not None or dask) and not each_study, "--processes and --dask are for --each-study"),
        (processes and dask, "say --processes or --dask, not both"),
        ((processes or dask) and STDIN in paths, "--processes and --dask read files: standard input is read here"),
    ):
        if wrong:
            raise typer.BadParameter(why)
    from mapper.commands.progress import Progress
    from mapper.commands.tally import Tally

    choices = {"timezone": timezone, "base": base, "fhir_public_url": server, "dicomweb": dicomweb}
    tally, well = Tally(), True
    with one_line(), Progress("files") as progress:
        sending = sending_to(config, memory, progress) if to == FHIR else None
        namespace = namespace or (sending.namespace if sending else None)
        site = load(Site, config, **choices, namespace=namespace)
        folder = sending.folder if sending else folder_of(to)
        try:
            with problem_file(problems) as record, outlet(folder, site, contained) as out:
                if each_study and STDIN not in paths:
                    many(paths, (processes, dask), out, record, progress, tally)
                else:
                    one(paths, each_study, out, record, progress, tally)
            if folder and each_study:
                progress.say(f"{counted(tally.converted, 'study')} read, {tally.there} were there")
            well = sending.send(progress) if sending else True
        except KeyboardInterrupt:
            raise fail(stopped(to)) from None
    if tally.left_out:
        raise fail(f"{tally.left_out} of {tally.all} studies could not be converted: see above")
    if not tally.all:
        raise fail("no study was found")
    if not well:
        raise typer.Exit(1)


def sending_to(config: Path | None, memory: Path, progress: "Progress") -> "Sending":
    """Return the FHIR server of the settings; what only that needs is imported here. Raises as Sending."""
    from mapper.commands.sending import Sending

    return Sending(load(Settings, config), memory, progress.say)


def many(
    paths: list[Path],
    how: tuple[int | None, str | None],
    out: Outlet,
    record: Record,
    progress: "Progress",
    tally: "Tally",
) -> None:
    """Convert every study of folders; raises as `each_study` of mapper.commands.each_study."""
    from mapper.commands.each_study import each_study

    each_study(paths, *how, out, record, progress, tally)


def one(paths: list[Path], each_study: bool, out: Outlet, record: Record, progress: "Progress", tally: "Tally") -> None:
    """Convert the one study of files, or what comes by standard input; raises NotOneStudy where there are several."""
    from mapper.commands.skips import Skips
    from mapper.commands.stream import read_stream
    from mapper.convert import Converted, read_folders
    from mapper.convert import each_study as convert_each

    skipped = Skips(progress.say)
    if STDIN in paths:
        collector = read_stream(sys.stdin.buffer, skipped.one, alone=len(paths) == 1)
    else:
        collector = read_folders(paths, skipped.one, progress.at)
    skipped.all()
    if not each_study and len(collector.study_uids) > 1:
        raise NotOneStudy(f"the input holds {len(collector.study_uids)} studies: say --each-study to convert them all")
    for made in convert_each(collector, out.make) if each_study else [out.make(collector.only_study())]:
        if isinstance(made, Converted):
            out.put(made)
            record(made.study_uid, made.problems)
            tally.converted += 1
        else:
            progress.say(str(made))
            tally.left_out += 1


def stopped(to: str) -> str:
    """Return what an interrupt leaves."""
    if to == STDOUT:
        return "stopped: standard output has whole lines and begins anew; --to ndjson:DIR and fhir would go on"
    return "stopped: say it again, and it goes on where it was"
