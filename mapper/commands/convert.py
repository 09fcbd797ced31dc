"""`convert`: DICOM files become FHIR, without any server."""

import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from mapper.commands.app import Config, fail, one_line
from mapper.commands.outlet import outlet
from mapper.commands.output import problem_file
from mapper.commands.target import FHIR, HELP, STDOUT, place
from mapper.configuration import load
from mapper.errors import NotOneStudy
from mapper.maps.site import Site
from mapper.terminal import shown

STDIN = Path("-")


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
    to: Annotated[str, typer.Option(metavar="PLACE", help=HELP, callback=place)] = STDOUT,
    config: Config = None,
) -> None:
    """Convert the DICOM files of one study into a FHIR R4 transaction Bundle on standard output.

    Other files are skipped with a warning each, many of them with one for all. None or several studies are an error,
    unless --each-study. `--to ndjson:DIR` writes resources into files instead.
    """
    if to == FHIR or (contained and to != STDOUT):
        raise typer.BadParameter("convert writes to - or ndjson:DIR, and contained resources to - alone")
    from mapper.commands.progress import Progress
    from mapper.commands.skips import Skips
    from mapper.commands.stream import read_stream
    from mapper.convert import Converted, read_folders
    from mapper.convert import each_study as convert_each

    with one_line(), Progress("files") as progress:
        site = load(
            Site,
            config,
            timezone=timezone,
            base=base,
            fhir_public_url=server,
            dicomweb=dicomweb,
            namespace=namespace,
        )
        skipped = Skips(progress.say)
        if STDIN in paths:
            collector = read_stream(sys.stdin.buffer, skipped.one, alone=len(paths) == 1)
        else:
            collector = read_folders(paths, skipped.one, progress.at)
        skipped.all()
        if not each_study and len(collector.study_uids) > 1:
            raise NotOneStudy(
                f"the input holds {len(collector.study_uids)} studies: say --each-study to convert them all"
            )
        with problem_file(problems) as record, outlet(to, site, contained) as out:
            found = convert_each(collector, out.make) if each_study else [out.make(collector.only_study())]
            converted = left_out = 0
            for one in found:
                if isinstance(one, Converted):
                    out.put(one)
                    record(one.study_uid, one.problems)
                    converted += 1
                else:
                    progress.say(str(one))
                    left_out += 1
    if left_out:
        raise fail(f"{left_out} of {converted + left_out} studies could not be converted: see above")
    if not converted:
        raise fail("no study was found")
