"""What a person does by hand beside a running service: sync, and look at studies."""

import time
from collections.abc import Callable

import orjson
from rich.console import Console
from rich.table import Table

from mapper.dicom.uid import is_askable
from mapper.errors import SettingError, SinkDown
from mapper.ledger.claim import BY_HAND
from mapper.ledger.ledger import Ledger
from mapper.ledger.rows import Row
from mapper.ledger.state import STATES, State
from mapper.namespace import namespace_of
from mapper.service import Service, ledger_of, service_of
from mapper.settings import Settings
from mapper.sync.sweep import sweep
from mapper.sync.threads import somebody_works
from mapper.sync.triggers import Triggers
from mapper.terminal import say, shown, shown_json
from mapper.web.status import Links, status

OPEN: tuple[State, ...] = ("pending", "syncing", "retrying")
PARKED: State = "parked"
POLL = 0.2


def sync_by_hand(
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


def only_uids(study_uids: list[str]) -> None:
    """Raise SettingError where a text is no UID; it is not repeated, as it may be anything."""
    for number, study_uid in enumerate(study_uids, 1):
        if not is_askable(study_uid):
            raise SettingError(f"STUDY_UID: argument {number} is no StudyInstanceUID such as 1.2.840.99.1")


def retry_by_hand(settings: Settings, study_uids: list[str]) -> tuple[int, list[str]]:
    """Put parked studies (those named, else all) back in line; returns how many, and which were not parked.

    Raises SettingError when a setting is wrong or a name is no UID.
    """
    only_uids(study_uids)
    ledger = ledger_of(settings, make=False)
    parked = ledger.rows.those_in(PARKED, study_uids)
    return ledger.studies.retry(study_uids), [uid for uid in study_uids if uid not in parked]


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


def show_studies(settings: Settings, state: str | None, limit: int, as_json: bool) -> None:
    """Print the ledger's studies as a table or as JSON lines."""
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
