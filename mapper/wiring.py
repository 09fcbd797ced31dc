"""What the settings name, made: each Orthanc, the FHIR server, the ledger, a site's choices."""

from hashlib import sha256
from uuid import UUID

from mapper.dicom.reader import Reader
from mapper.errors import LedgerFailed, SettingError
from mapper.http.peer import Bound
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.site import Site
from mapper.maps.values.document_url import ORTHANC
from mapper.metrics import Metrics
from mapper.namespace import fingerprint, namespace_of
from mapper.settings import OrthancSource, Settings
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer
from mapper.sources.dicomweb.auth import by_password, by_token_file, nobody
from mapper.sources.dicomweb.client import DicomwebClient
from mapper.sources.dicomweb.search import Search
from mapper.sources.dicomweb.source import Dicomweb
from mapper.sources.orthanc.answers import Statistics
from mapper.sources.orthanc.api import STATISTICS, Api
from mapper.sources.orthanc.client import OrthancClient
from mapper.sources.orthanc.source import Orthanc
from mapper.sources.source import Source


def source_of(source: OrthancSource, settings: Settings, metrics: Metrics | None = None) -> Source:
    """Return a source of whatever kind; `metrics` is told how it is read."""
    return orthanc_of(source, settings, metrics) if source.kind == "orthanc" else dicomweb_of(source, settings)


def dicomweb_of(source: OrthancSource, settings: Settings) -> Dicomweb:
    """Return a DICOMweb archive as a source."""
    auth, ca = nobody, str(source.ca) if source.ca else None
    if source.token_file:
        auth = by_token_file(source.token_file)
    elif source.user:
        auth = by_password(source.user, source.password.get_secret_value() if source.password else "")
    answer = Bound(settings.orthanc_limit, settings.timeout, "orthanc_limit")
    metadata = Bound(settings.metadata_limit, settings.metadata_timeout, "metadata_limit")
    wado_root = source.dicomweb_root if source.wado_root is None else source.wado_root
    qido = DicomwebClient(f"{source.url}{source.dicomweb_root}", answer, auth, ca)
    wado = DicomwebClient(f"{source.url}{wado_root}", metadata, auth, ca)
    search = Search(qido, source.hex_keys, source.always, source.studies_at_most)
    return Dicomweb(search, wado, Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS), source.name)


def orthanc_of(source: OrthancSource, settings: Settings, metrics: Metrics | None = None) -> Orthanc:
    """Return one Orthanc as a source; `metrics` is told how its series are read."""
    return Orthanc(
        source.url,
        Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS),
        user=source.user,
        password=source.password.get_secret_value() if source.password else None,
        name=source.name,
        ca=str(source.ca) if source.ca else None,
        answer=Bound(settings.orthanc_limit, settings.timeout, "orthanc_limit"),
        metadata=Bound(settings.metadata_limit, settings.metadata_timeout, "metadata_limit"),
        root=source.dicomweb_root,
        from_database=settings.instances_from_database,
        tell=(metrics or Metrics()).series,
    )


def api_of(source: OrthancSource, settings: Settings) -> Api:
    """Return one Orthanc's REST API, for jobs that write to it."""
    password = source.password.get_secret_value() if source.password else None
    answer = Bound(settings.orthanc_limit, settings.timeout, "orthanc_limit")
    ca = str(source.ca) if source.ca else None
    return Api(OrthancClient(source.url, (STATISTICS, Statistics), answer, source.user, password, ca))


def fhir_server_of(settings: Settings, metrics: Metrics | None = None) -> FhirServer:
    """Return the FHIR server that the settings name."""
    password = settings.fhir_password.get_secret_value() if settings.fhir_password else ""
    client = FhirClient(
        settings.fhir_url,
        auth=(settings.fhir_user, password) if settings.fhir_user else None,
        token=settings.fhir_token.get_secret_value() if settings.fhir_token else None,
        ca=str(settings.fhir_ca) if settings.fhir_ca else None,
        bound=Bound(settings.fhir_limit, settings.timeout, "fhir_limit"),
        metrics=metrics or Metrics(),
    )
    return FhirServer(client, settings.fhir_public_url)


def database_of(settings: Settings) -> Database:
    """Return the ledger's database, not asked anything yet; raises SettingError where its password is missing."""
    password = ""
    if path := settings.ledger_password_file:
        try:
            password = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            raise SettingError(f"ledger_password_file: {path} cannot be read ({type(error).__name__})") from None
        if not password:
            raise SettingError(f"ledger_password_file: {path} is empty")
    url = settings.ledger.get_secret_value()
    if password and url.startswith("sqlite"):
        raise SettingError("ledger_password_file: a ledger in SQLite has no password")
    return Database(url, password)


def ledger_of(settings: Settings, *, make: bool = True) -> Ledger:
    """Return the ledger that the settings name, guarded; see guarded."""
    return guarded(settings, make=make)[0]


def guarded(settings: Settings, *, make: bool = True) -> tuple[Ledger, UUID]:
    """Return the ledger that the settings name and the namespace of its ids; `make`: what is not there yet is made.

    Raises SettingError when it cannot be used, is not there, or when other ids were made with it.
    """
    try:
        database = database_of(settings)
        if not make and not database.is_made():
            raise SettingError(
                f"ledger: there is none yet at {database.place}; `serve` makes it. Is this the right folder, or is "
                "--config FILE missing?"
            )
        namespace = namespace_of(settings, make=make)
        ledger = Ledger(database)
        made_with = {"namespace": fingerprint(namespace), "base": settings.base}
        ledger.meta.guard(made_with, sink_fingerprint(settings))
    except LedgerFailed as failed:
        raise SettingError(f"ledger: the database cannot be used ({failed.kind}): check its URL and rights") from None
    return ledger, namespace


def sink_fingerprint(settings: Settings) -> str:
    """Return by what a ledger knows the sink it belongs to: no address stands in it."""
    return sha256(settings.fhir_url.encode()).hexdigest()[:16]


def site_of(settings: Settings, source: OrthancSource, namespace: UUID) -> Site:
    """Return a site's choices as the maps want them for one source."""
    choices = {name: getattr(settings, name) for name in Site.model_fields}
    if settings.sources:
        choices |= {"patient_system": source.patient_system, "timezone": source.timezone or settings.timezone}
    endpoint = source.endpoint if settings.sources else settings.endpoint
    choices |= {"dicomweb": endpoint, "namespace": namespace}
    choices |= {"document_url": settings.document_url or f"{source.public_url or source.url}{ORTHANC}"}
    return Site.model_construct(**choices)
