"""The command line: orthanc-fhir ..."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from mapper.configuration import load
from mapper.dicom.uid import is_askable
from mapper.errors import MapperError, NotOneStudy, Problem, SettingError, StudyGone, TwoPatients
from mapper.maps.site import Site
from mapper.settings import Settings
from mapper.terminal import say, shown_json

if TYPE_CHECKING:
    from mapper.dicom.study import Study

app = typer.Typer(
    name="orthanc-fhir",
    help="Upload DICOM to Orthanc, and FHIR R4 appears. Settings: docs/settings.md, or `orthanc-fhir doctor`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The settings file, instead of orthanc-fhir.toml here.")
]
StudyUIDs = Annotated[list[str] | None, typer.Argument(metavar="STUDY_UID", help="StudyInstanceUIDs.")]


@contextmanager
def one_line() -> Iterator[None]:
    """Turn an expected failure into one line on stderr and exit code 1."""
    try:
        yield
    except MapperError as error:
        raise fail(str(error)) from None


def fail(message: str) -> typer.Exit:
    """Say one line on stderr; returns what to raise."""
    say(f"orthanc-fhir: {message}", err=True)
    return typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    config: Config = None,
) -> None:
    """Run the mapper: watch Orthanc, sync studies, serve pages and API. Stops cleanly on SIGTERM."""
    from mapper.commands.serve import run

    with one_line():
        run(load(Settings, config, host=host, port=port))


@app.command()
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
    from mapper.commands.hand import sync_by_hand

    with one_line():
        done = sync_by_hand(load(Settings, config), study_uids or [], all_studies, wait, accept_removals, say)
    if not done:
        raise typer.Exit(1)


@app.command()
def studies(
    state: Annotated[str | None, typer.Option(help="pending, syncing, synced, retrying, parked or removed.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """List the studies the ledger knows: state, reason, problems."""
    from mapper.commands.hand import show_studies
    from mapper.ledger.schema import STATES

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    with one_line():
        show_studies(load(Settings, config), state, limit, as_json)


@app.command()
def retry(
    study_uids: StudyUIDs = None,
    parked: Annotated[bool, typer.Option("--parked", help="All parked studies.")] = False,
    config: Config = None,
) -> None:
    """Put parked studies back in line: those named, or all with --parked."""
    from mapper.commands.hand import retry_by_hand

    if bool(study_uids) == parked:
        raise typer.BadParameter("name studies, or say --parked")
    with one_line():
        number, others = retry_by_hand(load(Settings, config), study_uids or [])
    if number:
        say(f"{number} back in line")
    if others or not number:
        raise fail(f"not parked: {', '.join(others)}" if others else "no study is parked")


@app.command()
def convert(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files and folders.", exists=True, readable=True)],
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
    config: Config = None,
) -> None:
    """Convert the DICOM files of one study into a FHIR R4 transaction Bundle on standard output.

    Other files are skipped with a warning. None or several studies are an error, unless --each-study.
    """
    from mapper.commands.progress import Progress
    from mapper.convert import Converted, read_folders
    from mapper.convert import convert as convert_one
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
        collector = read_folders(paths, lambda skipped: progress.say(f"skipped {skipped}"), progress.at)
        found: Iterable[Converted | NotOneStudy | TwoPatients]
        if each_study:
            found = convert_each(collector, site, contained)
        elif len(collector.study_uids) > 1:
            raise NotOneStudy(
                f"the input holds {len(collector.study_uids)} studies: say --each-study to convert them all"
            )
        else:
            found = [convert_one(collector.only_study(), site, contained)]
        with problem_file(problems) as record, written(sys.stdout.buffer) as out:
            converted = left_out = 0
            for one in found:
                if isinstance(one, Converted):
                    out.write((shown_json(one.json) if sys.stdout.isatty() else one.json) + b"\n")
                    record(one.study_uid, one.problems)
                    converted += 1
                else:
                    progress.say(str(one))
                    left_out += 1
    if left_out:
        raise fail(f"{left_out} of {converted + left_out} studies could not be converted: see above")
    if not converted:
        raise fail("no study was found")


@contextmanager
def written(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Hand on a file and see that all of it is written; raises SettingError when its disk is full."""
    try:
        yield file
        file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        with suppress(OSError):  # what it still holds cannot be written either
            file.close()
        name = "standard output" if file is sys.stdout.buffer else file.name
        raise SettingError(f"{name} cannot be written ({error.strerror}): what is there is not whole") from None


@contextmanager
def problem_file(path: Path | None) -> Iterator[Any]:
    """Open the file of problems, one JSON object a line: study_uid, element, attribute, reason."""
    import orjson

    if path is None:
        yield lambda study_uid, problems: None
        return
    try:
        opened = path.open("wb")
        if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            os.fchmod(opened.fileno(), 0o600)  # a file that was there keeps its mode; it names studies
    except OSError as error:
        raise SettingError(f"--problems: {path} cannot be written ({error.strerror})") from None
    with opened as opened_file, written(opened_file) as file:

        def record(study_uid: str, problems: list[Problem]) -> None:
            for one in problems:
                line = {"study_uid": study_uid, "element": one.element, "attribute": one.attribute}
                file.write(orjson.dumps(line | {"reason": one.reason}) + b"\n")

        yield record


@app.command()
def explain(
    study: Annotated[str, typer.Argument(metavar="STUDY_UID|PATH", help="A study in Orthanc, or its files.")],
    redact: Annotated[bool, typer.Option("--redact", help="Leave the values out: to show it to others.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """Say for every element of a study's FHIR where it comes from: attributes, rule, value, and what was dropped.

    What is not there is said too: each rule that made nothing, of which data set, and why.
    """
    from mapper.commands.progress import Progress
    from mapper.convert import read_folders
    from mapper.explain import lines, objects
    from mapper.fhir.bundle import dump
    from mapper.maps import study_to_fhir
    from mapper.maps.silence import Silences
    from mapper.namespace import namespace_of
    from mapper.service import site_of

    with one_line(), Progress("files") as progress:
        settings = load(Settings, config)
        if not Path(study).exists() and not is_askable(study):
            raise NotOneStudy("this is neither a file or folder that is there, nor a StudyInstanceUID")
        if Path(study).exists():
            found = read_folders([Path(study)], lambda skipped: progress.say(f"skipped {skipped}"), progress.at)
            read = found.only_study()
        else:
            read = found_in(settings, study)
        site = site_of(settings, settings.all_sources[0], namespace_of(settings, make=True))
        mapped = study_to_fhir(read, site, silences := Silences())
        if as_json:
            for one in objects(mapped, silences, settings.fhir_public_url, redact=redact):
                say(shown_json(dump(one)).decode())
            return
        for line in lines(mapped, silences, settings.fhir_public_url, redact=redact):
            say(line)


def found_in(settings: Settings, study_uid: str) -> "Study":
    """Return a study from the first source that holds it; raises StudyGone when none does."""
    from mapper.service import orthanc_of

    for source in settings.all_sources[:-1]:
        with suppress(StudyGone):
            return orthanc_of(source, settings).read(study_uid, []).study
    return orthanc_of(settings.all_sources[-1], settings).read(study_uid, []).study


@app.command()
def table(config: Config = None) -> None:
    """Print the mapping: every FHIR element, the DICOM attributes behind it, and the rule in words."""
    from mapper.maps.printed import markdown

    with one_line():
        load(Site, config)
    for line in markdown().splitlines():
        say(line)


@app.command()
def doctor(config: Config = None) -> None:
    """Check every connection, version, permission and setting, and say what to do."""
    from mapper.commands.doctor import examine

    sick = False
    with one_line():
        for found in examine(load(Settings, config)):
            say(f"{found.level:8}{found}")
            sick = sick or found.level == "problem"
    if sick:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; a reader that closes the pipe early is no error."""
    os.umask(0o077)  # what is written here names studies, or is a secret: for its owner alone
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
