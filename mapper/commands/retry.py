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
        number, others, unseen = put_back(load(Settings, config), study_uids or [])
    if number:
        say(f"{number} back in line")
    wrong = [f"not parked: {', '.join(others)}"] if others else []
    wrong += [f"argument {', '.join(map(str, unseen))}: never seen in the PACS"] if unseen else []
    if wrong:
        raise fail("; ".join(wrong))
    if not number:
        raise fail("no study is parked")


def put_back(settings: Settings, study_uids: list[str]) -> tuple[int, list[str], list[int]]:
    """Put parked studies (those named, else all) back in line; returns how many, which were not parked, and the unseen.

    What was never seen is told by its place among the arguments: a name may have the shape of a UID.

    Raises SettingError when a setting is wrong or a name is no UID.
    """
    from mapper.wiring import ledger_of

    only_uids(study_uids)
    ledger = ledger_of(settings, make=False)
    parked = ledger.rows.those_in("parked", study_uids)
    known = ledger.rows.known(study_uids)
    others = [uid for uid in study_uids if uid in known and uid not in parked]
    unseen = [number for number, uid in enumerate(study_uids, 1) if uid not in known]
    return ledger.studies.retry(study_uids), others, unseen
