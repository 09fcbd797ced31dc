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
        number, others, unseen, waits = put_back(load(Settings, config), study_uids or [])
    if number:
        say(f"{number} back in line{f', {waits}' if waits else ''}")
    wrong = [f"not parked: {', '.join(others)}"] if others else []
    wrong += [f"argument {', '.join(map(str, unseen))}: never seen in the PACS"] if unseen else []
    if wrong:
        raise fail("; ".join(wrong))
    if not number:
        raise fail("no study is parked")


def put_back(settings: Settings, study_uids: list[str]) -> tuple[int, list[str], list[int], str]:
    """Put parked studies (those named, else all) back in line.

    Returns how many, which were not parked, the unseen, and what keeps all of them waiting, if so. What was never seen
    is told by its place among the arguments: a name may have the shape of a UID.

    Raises SettingError when a setting is wrong or a name is no UID.
    """
    from mapper.commands.trail import leave
    from mapper.standing import HoldUps, parked_of, put_back
    from mapper.wiring import ledger_of
    from mapper.words import kept_waiting

    only_uids(study_uids)
    ledger = ledger_of(settings, make=False)
    parked = ledger.rows.those_in("parked", study_uids)
    known = ledger.rows.known(study_uids)
    others = [uid for uid in study_uids if uid in known and uid not in parked]
    unseen = [number for number, uid in enumerate(study_uids, 1) if uid not in known]
    before = parked_of(ledger)
    leave(settings, ledger, "retried", study_uids, otherwise="all that are parked")
    number = ledger.studies.retry(study_uids)
    down = HoldUps(ledger).any_of(put_back(before, ledger)) if number else ""
    return number, others, unseen, kept_waiting(down) if down else ""
