"""`studies`: what the ledger knows, as a table or as JSON."""

from typing import Annotated

import typer

from mapper.commands.app import Config, StudyUIDs, fail, one_line, only_uids
from mapper.configuration import load
from mapper.errors import SettingError
from mapper.settings import Settings
from mapper.terminal import say, shown, shown_json


def studies(
    study_uids: StudyUIDs = None,
    state: Annotated[str | None, typer.Option(help="pending, syncing, synced, retrying, parked or removed.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """List the studies the ledger knows, or those named: state, reason, problems.

    Exit code 1 when one that is named was never seen in the PACS.
    """
    from mapper.ledger.state import STATES

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    if study_uids and state is not None:
        raise typer.BadParameter("name studies, or say --state")
    with one_line():
        unseen = show(load(Settings, config), study_uids or [], state, limit, as_json)
    if unseen:
        raise fail(f"argument {', '.join(map(str, unseen))}: never seen in the PACS; is the study there, and stable?")


def show(settings: Settings, study_uids: list[str], state: str | None, limit: int, as_json: bool) -> list[int]:
    """Print studies of the ledger as a table or as JSON lines; returns which of those named it does not know.

    They are told by their place among the arguments: a name may have the shape of a UID.
    """
    import orjson
    from rich.console import Console
    from rich.table import Table

    from mapper.ledger.state import STATES, State
    from mapper.namespace import namespace_of
    from mapper.web.status import Links, status
    from mapper.wiring import ledger_of

    if state is not None and state not in STATES:
        raise SettingError(f"state: one of {', '.join(STATES)}")
    only_uids(study_uids)
    ledger = ledger_of(settings, make=False)
    links = Links(settings.fhir_public_url, namespace_of(settings))
    wanted: State | None = state
    named = [ledger.rows.find(study_uid) for study_uid in study_uids]
    unseen = [number for number, row in enumerate(named, 1) if row is None]
    found = [row for row in named if row is not None] if study_uids else ledger.rows.page(wanted, limit)
    rows = [status(row, links) for row in found]
    if as_json:
        for row in rows:
            say(shown_json(orjson.dumps(row)).decode())
        return unseen
    table = Table("study", "state", "message", "problems", "synced", box=None, header_style="bold")
    for row in rows:
        cells = (row["study_uid"], row["state"], row["message"], str(len(row["problems"])), row["synced_at"] or "")
        table.add_row(*map(shown, cells))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 240  # a UID stays whole for whoever searches the lines
    console.print(table)
    if not study_uids:
        console.print(", ".join(f"{number} {name}" for name, number in ledger.rows.counts().items()))
    return unseen
