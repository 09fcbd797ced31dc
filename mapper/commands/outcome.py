"""Studies that somebody asks for: marked, done by a running service or else here, and what became of them."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from mapper import log
from mapper.commands.app import only_uids
from mapper.commands.stage import Stage, Stages
from mapper.commands.trail import leave
from mapper.errors import SettingError, SinkDown
from mapper.ledger.choice import Choice
from mapper.ledger.claim import WITH_ALL
from mapper.ledger.ledger import Ledger
from mapper.ledger.rows import Row
from mapper.ledger.state import OPEN, State
from mapper.rate_limit import RateLimit
from mapper.service import Service, service_of
from mapper.settings import Settings
from mapper.standing import HoldUps
from mapper.sync.sweep import sweep
from mapper.sync.threads import somebody_works
from mapper.sync.triggers import Triggers

UNDONE: tuple[State, ...] = (*OPEN, "parked")
POLL, TELLS_EVERY = 0.2, 1.0
SAID = 1000
"""Studies that are told of one by one at the end."""


class Outcome(NamedTuple):
    """What became of the studies that were asked for, or of all: numbers, and those that need somebody."""

    done: int
    asked: int
    bad: list[Row]
    in_time: bool
    worked: int
    """How many were in line at the beginning and are not any more."""

    @property
    def well(self) -> bool:
        """Tell whether no study is left open or parked."""
        return self.in_time and not self.bad


def sync_now(
    settings: Settings,
    study_uids: list[str],
    everything: bool,
    wait: float,
    accept_removals: bool,
    say: Callable[[str], object],
    progress: Callable[[Stage], object] = lambda stage: None,
) -> Outcome:
    """Mark studies and see them done, by a running service or else here; returns what became of them.

    `progress` is told now and then how far it is. Raises StudyGone when nobody knows a study that is named, SourceDown
    when Orthanc cannot be asked, SettingError when a setting is wrong or a name is no UID; then nothing is marked.
    """
    only_uids(study_uids)
    log.aside()
    chosen = settings.file is not None or "ledger" in settings.model_fields_set
    service = service_of(settings, make=chosen)  # in a folder without settings an empty ledger would surprise
    ledger = service.ledger
    leave(settings, ledger, "re-synced", study_uids, otherwise="all" if everything else "all that changed")
    if accept_removals:
        leave(settings, ledger, "accepted removals", study_uids, otherwise="all that vanished")
    if not study_uids:
        for triggers in service.triggers:
            look(ledger, triggers, accept_removals, say)
    if study_uids:
        service.mark(*study_uids)
    if everything:
        for triggers in service.triggers:
            mark_all(ledger, triggers)
    until = time.monotonic() + wait
    stages, told = Stages(ledger, study_uids), RateLimit(TELLS_EVERY)
    first = stages.now()
    if not somebody_works(ledger) and service.deliver():
        work_here(service, until, lambda: progress(stages.now()) if told.turn("") is not None else None)
    while (stage := stages.now()).open and time.monotonic() < until:
        if told.turn("") is not None:
            progress(stage)
        time.sleep(POLL)
    progress(stage)
    return outcome(ledger, study_uids, stage, first.open)


def look(ledger: Ledger, triggers: Triggers, accept_removals: bool, say: Callable[[str], object]) -> None:
    """Sweep one source; with `accept_removals` what vanished is retracted however much it is."""
    found = sweep(ledger, triggers.source, vanishing_allowed=accept_removals)
    moved = f"{found.changed} changed, {found.vanished} gone" if found.changed or found.vanished else "nothing changed"
    say(f"{triggers.source.name}: {found.listed} studies in the PACS, {moved} since it was looked at last")
    if found.brake:
        raise SettingError(f"nothing is retracted: {found.brake}; if that is right, say --accept-removals")
    if accept_removals and triggers.reconcile:
        triggers.reconcile(vanishing_allowed=True)


def mark_all(ledger: Ledger, triggers: Triggers) -> None:
    """Mark every study that a source lists, changed or not, behind those that moved."""
    uids = {sighting.study_uid for sighting in triggers.source.listing() if sighting.study_uid}
    ledger.studies.mark(triggers.source.name, uids, WITH_ALL)


def work_here(service: Service, until: float, progress: Callable[[], object]) -> None:
    """Sync what is due in this process, until nothing is or time is over."""
    while time.monotonic() < until:
        progress()
        if service.worker.turn():
            continue
        if reason := service.worker.sink_breaker.reason:
            raise SinkDown(reason)
        due = service.ledger.rows.next_due()
        if due is None or due > service.ledger.clock() + (until - time.monotonic()):
            return
        time.sleep(POLL)


def outcome(ledger: Ledger, study_uids: list[str], stage: Stage, in_line: int) -> Outcome:
    """Return what became of the studies named, or of all; of those that need somebody SAID at most."""
    if study_uids:
        rows = [row for uid in study_uids for row in ledger.rows.of_all_sources(uid)]
        bad = [row for row in rows if row.state in UNDONE]
    else:
        bad = [row for state in UNDONE for row in ledger.rows.chosen(Choice(state=state), limit=SAID)][:SAID]
    holdups = HoldUps(ledger)
    bad = [
        replace(row, reason=f"{held.text.rstrip('.')}{'' if held.text.endswith('?') else '.'} {held.do}")
        if (held := holdups.of(row))
        else row
        for row in bad
    ]
    return Outcome(stage.done, stage.asked, bad, not stage.open, max(0, in_line - stage.open))
