"""What every command shares: the settings file, names of studies, and how it fails."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mapper.dicom.uid import is_askable
from mapper.errors import MapperError, SettingError
from mapper.terminal import say

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


def only_uids(study_uids: Iterable[str]) -> None:
    """Raise SettingError where a text is no UID; it is not repeated, as it may be anything."""
    for number, study_uid in enumerate(study_uids, 1):
        if not is_askable(study_uid):
            raise SettingError(f"STUDY_UID: argument {number} is no StudyInstanceUID such as 1.2.840.99.1")
