"""The one place where settings, source, sink, ledger, worker and triggers are put together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from mapper.dicom.reader import Reader
from mapper.errors import BundleRejected, SettingError
from mapper.fhir.bundle import transaction
from mapper.fhir.check import faults
from mapper.fhir.ids import resource_id
from mapper.maps import INSTANCE_KEYWORDS, KEYWORDS, Mapped, study_to_fhir
from mapper.namespace import fingerprint, namespace_of
from mapper.settings import Settings, Site
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer
from mapper.sinks.sink import Key
from mapper.sources.orthanc import Orthanc
from mapper.sources.source import Reading, Source
from mapper.sync.database import Database
from mapper.sync.ledger import Ledger
from mapper.sync.reconcile import reconcile
from mapper.sync.threads import Threads
from mapper.sync.triggers import Bell, Triggers
from mapper.sync.worker import Worker


@dataclass
class Service:
    """Everything a running mapper is made of."""

    settings: Settings
    source: Source
    sink: FhirServer
    ledger: Ledger
    worker: Worker
    triggers: Triggers
    bell: Bell
    threads: Threads

    def start(self) -> None:
        """Start marking and syncing."""
        self.threads.start()

    def stop(self) -> None:
        """Stop after the studies that are being synced now."""
        self.threads.stop()
        self.ledger.database.close()


def orthanc_of(settings: Settings) -> Orthanc:
    """Return the Orthanc that the settings name."""
    return Orthanc(
        settings.orthanc_url,
        Reader(KEYWORDS, INSTANCE_KEYWORDS),
        user=settings.orthanc_user,
        password=settings.orthanc_password.get_secret_value() if settings.orthanc_password else None,
        name=settings.source,
        timeout=settings.timeout,
    )


def fhir_server_of(settings: Settings) -> FhirServer:
    """Return the FHIR server that the settings name."""
    password = settings.fhir_password.get_secret_value() if settings.fhir_password else ""
    client = FhirClient(
        settings.fhir_url,
        auth=(settings.fhir_user, password) if settings.fhir_user else None,
        token=settings.fhir_token.get_secret_value() if settings.fhir_token else None,
        ca=str(settings.fhir_ca) if settings.fhir_ca else None,
        timeout=settings.timeout,
    )
    return FhirServer(client, settings.fhir_public_url)


def ledger_of(settings: Settings) -> Ledger:
    """Return the ledger that the settings name.

    Raises SettingError when it cannot be used, or when other ids were made with it.
    """
    namespace = namespace_of(settings, make=True)
    try:
        ledger = Ledger(Database(settings.ledger.get_secret_value()))
        ledger.guard({"namespace": fingerprint(namespace), "base": settings.base})
    except SQLAlchemyError as error:  # its text may hold the URL with the password
        raise SettingError(
            f"ledger: the database cannot be used ({type(error).__name__}): check its URL and rights"
        ) from None
    return ledger


def site_of(settings: Settings) -> Site:
    """Return the site's choices as the maps want them."""
    changes = {"dicomweb": settings.endpoint, "namespace": namespace_of(settings, make=True)}
    return settings.model_copy(update=changes)


def checked(site: Site) -> Callable[[Reading, Source], Mapped]:
    """Return the mapping of a site: what comes out of it has passed the check."""

    def mapping(reading: Reading, source: Source) -> Mapped:
        mapped = study_to_fhir(reading.study, site)
        found = faults(transaction(mapped.resources, site.fhir_public_url))
        if found:
            raise BundleRejected(f"our own check refuses the result: {'; '.join(found[:3])}")
        return mapped

    return mapping


def imaging_study_key(namespace: UUID, study_uid: str) -> Key:
    """Return type and id of a study's ImagingStudy."""
    return "ImagingStudy", resource_id(namespace, "ImagingStudy", study_uid)


def service_of(settings: Settings, observe: Callable[[str, float], None] = lambda stage, seconds: None) -> Service:
    """Return a service that is ready to start."""
    source, sink, ledger = orthanc_of(settings), fhir_server_of(settings), ledger_of(settings)
    site = site_of(settings)
    study_key = partial(imaging_study_key, site.namespace)
    worker = Worker({source.name: source}, checked(site), sink, ledger, study_key, settings.deleted, observe)
    endpoint = resource_id(site.namespace, "Endpoint", "dicom-wado-rs", settings.endpoint)
    triggers = Triggers(source, ledger, partial(reconcile, ledger, source.name, sink, endpoint))
    bell = Bell()
    threads = Threads(worker, [triggers], bell, settings.workers)
    return Service(settings, source, sink, ledger, worker, triggers, bell, threads)
