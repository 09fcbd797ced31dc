"""The command line: orthanc-fhir ... What a command needs is imported when it is called: each starts at once."""

import errno
import os
import sys
from contextlib import suppress
from typing import Annotated

import typer

from mapper.commands import (
    backfill,
    convert,
    doctor,
    explain,
    plugin,
    push,
    retry,
    sds,
    serve,
    settings,
    status,
    studies,
    sync,
    table,
    token,
)
from mapper.commands.output import not_whole
from mapper.terminal import say

app = typer.Typer(
    name="orthanc-fhir",
    help="Upload DICOM to Orthanc, and FHIR R4 appears. Settings: docs/settings.md, or `orthanc-fhir doctor`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    serve.serve,
    sync.sync,
    status.status,
    studies.studies,
    retry.retry,
    backfill.backfill,
    convert.convert,
    push.push,
    explain.explain,
    sds.sds,
    table.table,
    doctor.doctor,
    settings.settings,
    plugin.plugin,
    token.token,
)
"""Every command, in the order of the help; its name is the function's."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a disk says that takes no more."""
for command in COMMANDS:
    app.command()(command)


def say_version(asked: bool) -> None:
    """Say which version this is, and stop."""
    if asked:
        from importlib.metadata import version

        from mapper.maps import MAPPING_VERSION

        say(f"orthanc-fhir {version('orthanc-fhir')}, mapping {MAPPING_VERSION}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=say_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Take what stands before a command."""


def main() -> None:
    """Run the command line; a reader that closes the pipe early is no error."""
    os.umask(0o077)  # what is written here names studies, or is a secret: for its owner alone
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno not in FULL:
            raise
        with suppress(OSError):  # what it still holds cannot be written either
            sys.stdout.close()
        say(f"orthanc-fhir: {not_whole('standard output', error)}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
