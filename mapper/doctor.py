"""Checks every connection, version, permission and setting, and says what to do."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from mapper.errors import MapperError
from mapper.namespace import fingerprint, is_public, namespace_of
from mapper.service import fhir_server_of, ledger_of, orthanc_of
from mapper.settings import DEMO_BASE, Settings, settings_file
from mapper.sync.sweep import brakes
from mapper.web.guard import LOOPBACK

PROBLEM, LIMIT = "problem: ", "limit: "


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor found: `level` is ok, limit or problem."""

    level: str
    text: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield what is found, part by part; nothing is changed."""
    for part in (orthanc, fhir_server, ledger, identity, files, access):
        try:
            said = list(part(settings))
        except MapperError as error:
            said = [f"{PROBLEM}{error}"]
        except SQLAlchemyError as error:
            said = [f"{PROBLEM}ledger: the database cannot be used ({type(error).__name__}): check its URL and rights"]
        yield from map(finding, said)


def finding(said: str) -> Finding:
    """Return a sentence with its level."""
    for mark, level in ((PROBLEM, "problem"), (LIMIT, "limit")):
        if said.startswith(mark):
            return Finding(level, said.removeprefix(mark))
    return Finding("ok", said)


def orthanc(settings: Settings) -> Iterator[str]:
    """Look at each Orthanc: one that is down hides no other."""
    for source in settings.all_sources:
        try:
            yield from orthanc_of(source, settings).check()
        except MapperError as error:
            where = f"the url of {source.name} in sources" if settings.sources else "orthanc_url"
            yield f"{PROBLEM}Orthanc: {error}; is it running, and is {where} right?"


def fhir_server(settings: Settings) -> list[str]:
    """Look at the FHIR server."""
    return fhir_server_of(settings).check()


def ledger(settings: Settings) -> Iterator[str]:
    """Look at the ledger."""
    found = ledger_of(settings)
    counts = ", ".join(f"{number} {state}" for state, number in found.counts().items() if number)
    yield f"ledger can be written: {counts or 'no study yet'}"
    for reason in (reason for source in settings.all_sources for reason in brakes(found, source.name)):
        yield f"{PROBLEM}nothing is retracted: {reason}; if that is right, run orthanc-fhir sync --accept-removals"


def identity(settings: Settings) -> Iterator[str]:
    """Look at what ids are made of."""
    namespace = namespace_of(settings, make=True)
    yield f"ids are made under namespace {fingerprint(namespace)} (a fingerprint)"
    if is_public(namespace):
        yield f"{LIMIT}the id namespace is the public one: set namespace_file before real patients come"
    if settings.base == DEMO_BASE:
        yield f"{LIMIT}base is the example's: set a URI of your own before real patients come"
    if settings.timezone is None and not settings.timezones:
        yield f"{LIMIT}no time zone is set: times without an offset become dates"


def files(settings: Settings) -> Iterator[str]:
    """Look at who else can read what names studies or is secret."""
    url = make_url(settings.ledger.get_secret_value())
    named = {
        "the ledger": url.database if url.get_backend_name() == "sqlite" else None,
        "namespace_file": settings.namespace_file,
        "the settings file": settings_file(),
    }
    for what, place in named.items():
        path = Path(place) if place else None
        if path and path.is_file() and path.stat().st_mode & stat.S_IRWXO:
            yield f"{LIMIT}everybody on this machine can use {what}: chmod o= {path}"


def access(settings: Settings) -> Iterator[str]:
    """Look at who may come in."""
    if settings.token is not None:
        yield "pages and API want the token"
    elif settings.host in LOOPBACK:
        yield f"{LIMIT}no token is set: the service answers on loopback only, and Orthanc's plugin stays silent"
    else:
        yield f"{PROBLEM}token: needed to listen on {settings.host}; set ORTHANC_FHIR_TOKEN, or host to 127.0.0.1"
