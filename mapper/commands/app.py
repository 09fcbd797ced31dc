"""What every command shares: the settings file, names of studies, and how it fails."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mapper.configuration import WrongArgument
from mapper.dicom.uid import is_askable
from mapper.errors import MapperError
from mapper.terminal import say

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The settings file, instead of orthanc-fhir.toml here.")
]
StudyUIDs = Annotated[list[str] | None, typer.Argument(metavar="STUDY_UID", help="StudyInstanceUIDs.")]


FAILED, WRONG_USAGE = 1, 2
EXITS = {
    0: "done; of `status`: FHIR is in line with the PACS, or what differs is on its way",
    FAILED: "the work failed, or somebody should look: a server, a file, the ledger or a setting says no, in one line. "
    "`doctor`: something does not work, as where Orthanc's plugin reaches no mapper; `status`: not in line; "
    "`sync`: a study is parked or still open; `studies`: one that is named was never seen; `retry`: one that is "
    "named is not parked, or none is; `convert`: a study was left out, or none was found; `sds`: "
    "the dataset has an error, or something of it is left out (a cell, a measurement, a file, a study, an instance), "
    "the same with `--check` and every `--to`",
    WRONG_USAGE: "what was typed is wrong, and nothing was done: no such command, option, file, state, role, time "
    "(`--since`), name (`token`) or StudyInstanceUID",
}
"""What each exit code says, of every command."""


@contextmanager
def one_line() -> Iterator[None]:
    """Turn an expected failure into one line on stderr and an exit code of EXITS."""
    try:
        yield
    except WrongArgument as error:
        raise fail(str(error), WRONG_USAGE) from None
    except MapperError as error:
        raise fail(str(error)) from None


def fail(message: str, code: int = FAILED) -> typer.Exit:
    """Say one line on stderr; returns what to raise."""
    say(f"orthanc-fhir: {message}", err=True)
    return typer.Exit(code)


def only_uids(study_uids: Iterable[str]) -> None:
    """Raise WrongArgument where a text is no UID; it is not repeated, as it may be anything."""
    for number, study_uid in enumerate(study_uids, 1):
        if not is_askable(study_uid):
            raise WrongArgument(f"STUDY_UID: argument {number} is no StudyInstanceUID such as 1.2.840.99.1")
