"""The examination of a site, for `doctor`: every connection, version, permission and setting; nothing is changed."""

import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

from mapper.commands.access import access, audit_file, session_key_file, tokens_file
from mapper.errors import LedgerFailed, MapperError, SettingError
from mapper.finding import Finding, limit, ok, problem
from mapper.ledger.database import file_of
from mapper.maps.site import DEMO_BASE
from mapper.namespace import fingerprint, is_public, namespace_of
from mapper.service import imaging_study_key
from mapper.settings import OrthancSource, Settings
from mapper.sync.reconcile import LOOKED_UP, OTHER_IDS, under_other_ids
from mapper.sync.sweep import brakes
from mapper.wiring import database_of, fhir_server_of, ledger_of, source_of

LOOKED_AT, REASONS = 1000, 3
"""Studies whose reasons are looked at, and how many of the reasons are said."""


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield what is found, part by part, nothing twice; nothing is changed."""
    said = set()
    for part in PARTS:
        for found in guarded(part(settings)):
            if found not in said:
                said.add(found)
                yield found


def guarded(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings, and what ends them: a part that fails hides no other."""
    try:
        yield from findings
    except LedgerFailed as failed:
        yield problem(f"ledger: the database cannot be used ({failed.kind})", "check its URL and rights")
    except MapperError as error:
        yield problem(str(error), "")  # such a message ends with what to do


def settings_file(settings: Settings) -> Iterator[Finding]:
    """Say which settings are in force."""
    place = str(settings.file) if settings.file else "no file, but environment and defaults alone"
    yield ok(f"settings: {place}")


def orthancs(settings: Settings) -> Iterator[Finding]:
    """Look at each Orthanc: one that is down hides no other, and of several each is named."""
    for source in settings.all_sources:
        for found in guarded(orthanc(source, settings)):
            named = f"{source.name}: {found.text}" if settings.sources else found.text
            yield Finding(found.level, named, found.remedy)


def orthanc(source: OrthancSource, settings: Settings) -> Iterator[Finding]:
    """Look at one Orthanc."""
    yield from source_of(source, settings).check()


def fhir_server(settings: Settings) -> Iterator[Finding]:
    """Look at the FHIR server."""
    yield from fhir_server_of(settings).check()


def is_made(settings: Settings) -> bool:
    """Tell whether there is a ledger."""
    database = database_of(settings)
    try:
        return database.is_made()
    finally:
        database.close()


def ledger(settings: Settings) -> Iterator[Finding]:
    """Look at the ledger; where there is none, none is made."""
    if not is_made(settings):
        place = file_of(settings.ledger.get_secret_value())
        at = f" at {place.absolute()}" if place else ""
        yield limit(f"there is no ledger yet{at}", "the first `orthanc-fhir serve` makes it; is this the right place?")
        return
    found = ledger_of(settings, make=False)
    counts = ", ".join(f"{number} {state}" for state, number in found.rows.counts().items() if number)
    yield ok(f"ledger can be used: {counts or 'no study yet'}")
    for state in ("parked", "retrying"):
        reasons = Counter(row.reason for row in found.rows.page(state, LOOKED_AT))
        for reason, number in reasons.most_common(REASONS):
            yield limit(f"{number} {state}: {reason}", "orthanc-fhir studies --state " + state)
    for reason in (reason for source in settings.all_sources for reason in brakes(found, source.name)):
        yield problem(f"nothing is retracted: {reason}", "if that is right, run orthanc-fhir sync --accept-removals")
    found.database.close()


def strangers(settings: Settings) -> Iterator[Finding]:
    """Look whether the FHIR server holds studies of ours under other ids: they would stand there twice, or do."""
    study_key = None  # as long as `serve` has made no namespace, no id in FHIR is ours
    with suppress(SettingError):
        study_key = partial(imaging_study_key, namespace_of(settings))
    sink = fhir_server_of(settings)
    for source in settings.all_sources:
        uids = [one.study_uid for one in islice(source_of(source, settings).listing(), LOOKED_UP)]
        alone, beside = under_other_ids(sink, study_key, uids)
        if alone:
            yield problem(alone, OTHER_IDS)
        if beside:  # another program may have every right to it
            yield limit(beside, OTHER_IDS)


def identity(settings: Settings) -> Iterator[Finding]:
    """Look at what ids are made of."""
    if settings.namespace_file and not settings.namespace_file.exists():
        yield limit(
            f"there is no namespace at {settings.namespace_file} yet",
            "the first `orthanc-fhir serve` makes one; put the old one there if this PACS was synced before",
        )
    else:
        namespace = namespace_of(settings)
        yield ok(f"ids are made under namespace {fingerprint(namespace)} (a fingerprint)")
        if is_public(namespace):
            yield limit("the id namespace is the public one", "set namespace_file before real patients come")
    if settings.base == DEMO_BASE:
        yield limit("base is the example's", "set a URI of your own before real patients come")
    if settings.timezone is None and not settings.timezones:
        yield limit("no time zone is set: times without an offset become dates", "set timezone")


def files(settings: Settings) -> Iterator[Finding]:
    """Look at who else can read what names studies or is secret."""
    named = {
        "the ledger": file_of(settings.ledger.get_secret_value()),
        "namespace_file": settings.namespace_file,
        "the settings file": settings.file,
    }
    for what, place in named.items():
        path = Path(place) if place else None
        if path and path.is_file() and path.stat().st_mode & stat.S_IRWXO:
            yield limit(f"everybody on this machine can use {what}", f"chmod o= {path}")


PARTS = (
    settings_file,
    orthancs,
    fhir_server,
    ledger,
    strangers,
    identity,
    files,
    tokens_file,
    session_key_file,
    audit_file,
    access,
)
"""What is looked at, in this order."""
