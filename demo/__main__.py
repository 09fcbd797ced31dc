"""The demo: `python -m demo up|down|stop|start|clean|logs|cli|token|studies`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from demo.stack import choose

app = typer.Typer(
    help="Start everything, upload sample studies, wait until they are in FHIR.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False)

StackName = Annotated[
    str | None,
    typer.Option("--stack", envvar="STACK", help="docker or native; by default docker where an engine answers."),
]
Server = StrEnum("Server", ["orthanc", "mapper", "fhir", "database"])
One = Annotated[Server, typer.Argument(metavar="ONE", help="orthanc, mapper, fhir or database.")]
Patience = Annotated[float, typer.Option(min=1, help="Seconds to wait until every study is in FHIR.")]
Folder = Annotated[Path, typer.Argument(help="Where to write; made if it is missing.")]


@app.command()
def up(stack: StackName = None, patience: Patience = 300.0) -> None:
    """Start the servers, upload the sample studies and wait until they are in FHIR."""
    begun = time.monotonic()
    with _plain_words():
        servers = choose(stack)
        servers.up()
        console.print(f"The servers are up after {time.monotonic() - begun:.0f} s.")
        from demo.arrival import arrive  # makes pictures with numpy, which `down` and `logs` can do without

        if not arrive(servers, console, patience):
            raise typer.Exit(1)
        console.print(f"\nEverything took {time.monotonic() - begun:.0f} s.")


@app.command()
def down(stack: StackName = None) -> None:
    """Stop the servers and keep the data."""
    with _plain_words():
        servers = choose(stack)
        servers.down()
    _say(f"The {servers.kind} stack is stopped; its data are kept: make demo goes on, make clean removes them.")


@app.command()
def stop(one: One, stack: StackName = None) -> None:
    """Stop one server alone, to see an outage."""
    with _plain_words():
        choose(stack).stop_one(one)
    _say(f"{one} is stopped, the others go on: make start ONE={one} brings it back.")


@app.command()
def start(one: One, stack: StackName = None) -> None:
    """Start one server again, and wait until it answers."""
    with _plain_words():
        choose(stack).start_one(one)
    _say(f"{one} answers again: what waited for it goes on by itself.")


@app.command()
def clean(stack: StackName = None) -> None:
    """Stop the servers and remove the data."""
    with _plain_words():
        servers = choose(stack)
        servers.clean()
    _say(f"The {servers.kind} stack is stopped, and its data are removed.")


@app.command()
def logs(stack: StackName = None) -> None:
    """Follow the logs of the servers."""
    with _plain_words():
        servers = choose(stack)
        servers.logs()


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def cli(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="COMMAND...")] = None, stack: StackName = None
) -> None:
    """Run a command of orthanc-fhir beside the demo's mapper, with its settings."""
    with _plain_words():
        servers = choose(stack)
        code = servers.cli(arguments or ["--help"])
    raise typer.Exit(code)


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="Who gets it, as the audit log will say.")],
    role: Annotated[str, typer.Option(help="read, operate or values.")] = "read",
    stack: StackName = None,
) -> None:
    """Make a token with which somebody logs in to the demo's mapper, and print it."""
    with _plain_words():
        servers = choose(stack)
        made = servers.let_in(name, role)
    _say(f"{name} ({role}) logs in at {servers.mapper_url}/ with this token, shown this once:")
    typer.echo(made)


@app.command()
def studies(folder: Folder) -> None:
    """Write the sample studies as DICOM files, one folder a study."""
    from samples.studies import write

    for study, place in write(folder):
        _say(f"{place}: {len(study.datasets)} instances, {study.description}")


@contextmanager
def _plain_words() -> Iterator[None]:
    """Turn what can go wrong with servers and programs into a line and exit code 1."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except subprocess.CalledProcessError as problem:
        command = problem.cmd if isinstance(problem.cmd, str) else " ".join(map(str, problem.cmd))
        _say(f"This command failed, with exit code {problem.returncode}: {command}")
        raise typer.Exit(1) from None
    except (RuntimeError, OSError, ValueError) as problem:
        _say(f"{problem}")
        raise typer.Exit(1) from None


def _say(line: str) -> None:
    console.print(line, soft_wrap=True, markup=False)


if __name__ == "__main__":
    app(prog_name="python -m demo")
