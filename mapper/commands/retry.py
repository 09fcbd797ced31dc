"""`retry`: parked studies are put back in line."""

from typing import Annotated

import typer

from mapper.commands.app import Config, StudyUIDs, fail, one_line, only_uids
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say


def retry(
    study_uids: StudyUIDs = None,
    parked: Annotated[bool, typer.Option("--parked", help="All parked studies.")] = False,
    config: Config = None,
) -> None:
    """Put parked studies back in line: those named, or all with --parked."""
    if bool(study_uids) == parked:
        raise typer.BadParameter("name studies, or say --parked")
    with one_line():
        number, others = put_back(load(Settings, config), study_uids or [])
    if number:
        say(f"{number} back in line")
    if others or not number:
        raise fail(f"not parked: {', '.join(others)}" if others else "no study is parked")


def put_back(settings: Settings, study_uids: list[str]) -> tuple[int, list[str]]:
    """Put parked studies (those named, else all) back in line; returns how many, and which were not parked.

    Raises SettingError when a setting is wrong or a name is no UID.
    """
    from mapper.wiring import ledger_of

    only_uids(study_uids)
    ledger = ledger_of(settings, make=False)
    parked = ledger.rows.those_in("parked", study_uids)
    return ledger.studies.retry(study_uids), [uid for uid in study_uids if uid not in parked]
