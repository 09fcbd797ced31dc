"""Studies that somebody asks for: marked, done by a running service or else here, and what became of them."""

import time
from collections.abc import Callable

from mapper.commands.app import only_uids
from mapper.errors import SettingError, SinkDown
from mapper.ledger.claim import BY_HAND
from mapper.ledger.ledger import Ledger
from mapper.ledger.rows import Row
from mapper.ledger.state import State
from mapper.service import Service, service_of
from mapper.settings import Settings
from mapper.sync.sweep import sweep
from mapper.sync.threads import somebody_works
from mapper.sync.triggers import Triggers

OPEN: tuple[State, ...] = ("pending", "syncing", "retrying")
PARKED: State = "parked"
POLL = 0.2


def sync_now(
    settings: Settings,
    study_uids: list[str],
    everything: bool,
    wait: float,
    accept_removals: bool,
    say: Callable[[str], object],
) -> bool:
    """Mark studies and see them done, by a running service or else here; True when all of them are.

    Raises StudyGone when nobody knows a study that is named, SourceDown when Orthanc cannot be asked, SettingError
    when a setting is wrong or a name is no UID; then nothing is marked.
    """
    only_uids(study_uids)
    chosen = settings.file is not None or "ledger" in settings.model_fields_set
    service = service_of(settings, make=chosen)  # in a folder without settings an empty ledger would surprise
    ledger = service.ledger
    if not study_uids:
        for triggers in service.triggers:
            look(ledger, triggers, accept_removals, say)
    if study_uids:
        service.mark(*study_uids)
    if everything:
        study_uids = [uid for triggers in service.triggers for uid in mark_all(ledger, triggers)]
    until = time.monotonic() + wait
    if not somebody_works(ledger) and service.deliver():
        work_here(service, until)
    return report(ledger, study_uids, until, say)


def look(ledger: Ledger, triggers: Triggers, accept_removals: bool, say: Callable[[str], object]) -> None:
    """Sweep one source; with `accept_removals` what vanished is retracted however much it is."""
    found = sweep(ledger, triggers.source, vanishing_allowed=accept_removals)
    say(f"{found.listed} studies in the PACS: {found.changed} changed, {found.vanished} gone since last seen")
    if found.brake:
        raise SettingError(f"nothing is retracted: {found.brake}; if that is right, say --accept-removals")
    if accept_removals and triggers.reconcile:
        triggers.reconcile(vanishing_allowed=True)


def mark_all(ledger: Ledger, triggers: Triggers) -> list[str]:
    """Mark every study that a source lists, changed or not; returns their StudyInstanceUIDs."""
    uids = sorted({sighting.study_uid for sighting in triggers.source.listing() if sighting.study_uid})
    ledger.studies.mark(triggers.source.name, uids, BY_HAND)
    return uids


def work_here(service: Service, until: float) -> None:
    """Sync what is due in this process, until nothing is or time is over."""
    while time.monotonic() < until:
        if service.worker.turn():
            continue
        if reason := service.worker.sink_breaker.reason:
            raise SinkDown(reason)
        due = service.ledger.rows.next_due()
        if due is None or due > service.ledger.clock() + (until - time.monotonic()):
            return
        time.sleep(POLL)


def report(ledger: Ledger, study_uids: list[str], until: float, say: Callable[[str], object]) -> bool:
    """Wait for the outcome and say it; True when no study is left open or parked."""
    while time.monotonic() < until and any(row is None or row.state in OPEN for row in chosen(ledger, study_uids)):
        time.sleep(POLL)
    rows = [row for row in chosen(ledger, study_uids) if row is not None]
    bad = [row for row in rows if row.state in (*OPEN, PARKED)]
    for row in bad:
        say(f"{row.study_uid}: {row.state}: {row.reason or 'still in line'}")
    counts = ledger.rows.counts()
    say(f"{len(rows) - len(bad)} of {len(rows)} done" if study_uids else f"{counts['synced']} studies in FHIR")
    return not bad and (bool(study_uids) or not any(counts[state] for state in OPEN))


def chosen(ledger: Ledger, study_uids: list[str]) -> list[Row | None]:
    """Return the studies named, or all that are not done."""
    if study_uids:
        return [ledger.rows.find(study_uid) for study_uid in study_uids]
    return [row for state in (*OPEN, PARKED) for row in ledger.rows.page(state, 1000)]
