"""`explain`: where every element of a study's FHIR comes from."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mapper.commands.app import Config, one_line
from mapper.commands.trail import record
from mapper.configuration import WrongArgument, load
from mapper.dicom.uid import is_askable
from mapper.errors import MapperError, StudyGone
from mapper.settings import OrthancSource, Settings
from mapper.terminal import say, shown_json

if TYPE_CHECKING:
    from mapper.dicom.study import Study


def explain(
    study: Annotated[str, typer.Argument(metavar="STUDY_UID|PATH", help="A study in Orthanc, or its files.")],
    redact: Annotated[bool, typer.Option("--redact", help="Leave the values out: to show it to others.")] = False,
    element: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="Only this FHIR element and what stands in it (ImagingStudy.series), or this DICOM attribute.",
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """Say for every element of a study's FHIR where it comes from: attributes, rule, value, and what was dropped.

    What is not there is said too: each rule that made nothing, of which data set, and why.
    """
    from mapper.commands.progress import Progress
    from mapper.commands.skips import Skips
    from mapper.convert import read_folders
    from mapper.explain import leaves, lines, objects
    from mapper.fhir.bundle import dump
    from mapper.maps import study_to_fhir
    from mapper.maps.silence import Silences
    from mapper.namespace import namespace_of
    from mapper.question import Question
    from mapper.wiring import site_of

    with one_line(), Progress("files") as progress:
        settings = load(Settings, config)
        source = settings.all_sources[0]
        if os.path.exists(study):
            skipped = Skips(progress.say)
            found = read_folders([Path(study)], skipped.one, progress.at)
            skipped.all()
            read = found.only_study()
        elif is_askable(study):
            read, source = found_in(settings, study)
            if not redact:
                record(settings, "looked at values", study_uid=study)
        else:
            raise WrongArgument("this is neither a file or folder that is there, nor a StudyInstanceUID")
        site = site_of(settings, source, namespace_of(settings))
        mapped = study_to_fhir(read, site, silences := Silences())
        asked: dict[str, Any] = {"redact": redact, "element": element, "study": read}
        if not (question := Question(element)).is_known and not any(
            question.takes(leaf.path) for leaf in leaves(mapped, settings.fhir_public_url)
        ):
            raise typer.BadParameter(question.unknown, param_hint="--element")
        if as_json:
            for one in objects(mapped, silences, settings.fhir_public_url, **asked):
                say(shown_json(dump(one)).decode())
            return
        for line in lines(mapped, silences, settings.fhir_public_url, **asked):
            say(line)


def found_in(settings: Settings, study_uid: str) -> "tuple[Study, OrthancSource]":
    """Return a study and the first source that holds it, which is the one that explains it.

    Raises StudyGone when none does, or what keeps a source from being asked where no other one holds it.
    """
    from mapper.wiring import source_of

    failures: list[MapperError] = []
    for source in settings.all_sources:
        try:
            return source_of(source, settings).read(study_uid, []).study, source
        except MapperError as failure:
            failures.append(failure)
    raise next((one for one in failures if not isinstance(one, StudyGone)), failures[0])
