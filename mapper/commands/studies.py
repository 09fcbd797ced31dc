"""`studies`: what the ledger knows, as a table or as JSON."""

from typing import Annotated

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.errors import SettingError
from mapper.settings import Settings
from mapper.terminal import say, shown, shown_json


def studies(
    state: Annotated[str | None, typer.Option(help="pending, syncing, synced, retrying, parked or removed.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """List the studies the ledger knows: state, reason, problems."""
    from mapper.ledger.state import STATES

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    with one_line():
        show(load(Settings, config), state, limit, as_json)


def show(settings: Settings, state: str | None, limit: int, as_json: bool) -> None:
    """Print the ledger's studies as a table or as JSON lines."""
    import orjson
    from rich.console import Console
    from rich.table import Table

    from mapper.ledger.state import STATES, State
    from mapper.namespace import namespace_of
    from mapper.web.status import Links, status
    from mapper.wiring import ledger_of

    if state is not None and state not in STATES:
        raise SettingError(f"state: one of {', '.join(STATES)}")
    ledger = ledger_of(settings, make=False)
    links = Links(settings.fhir_public_url, namespace_of(settings))
    wanted: State | None = state
    rows = [status(row, links) for row in ledger.rows.page(wanted, limit)]
    if as_json:
        for row in rows:
            say(shown_json(orjson.dumps(row)).decode())
        return
    table = Table("study", "state", "message", "problems", "synced", box=None, header_style="bold")
    for row in rows:
        cells = (row["study_uid"], row["state"], row["message"], str(len(row["problems"])), row["synced_at"] or "")
        table.add_row(*map(shown, cells))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 240  # a UID stays whole for whoever searches the lines
    console.print(table)
    console.print(", ".join(f"{number} {name}" for name, number in ledger.rows.counts().items()))
