"""The one place where settings, source, sink, ledger, worker and triggers are put together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from mapper.dicom.reader import Reader
from mapper.errors import BundleRejected, MapperError, SettingError, StudyGone
from mapper.fhir.bundle import transaction
from mapper.fhir.check import faults
from mapper.http.peer import Bound
from mapper.ledger.database import Database
from mapper.ledger.ledger import BY_HAND, OUTPUT, Ledger
from mapper.ledger.lock_file import LockFile
from mapper.maps import INSTANCE_KEYWORDS, KEYWORDS, MAPPING_VERSION, Mapped, keys, study_to_fhir
from mapper.maps.site import Site
from mapper.meter import Meter
from mapper.namespace import fingerprint, namespace_of
from mapper.settings import OrthancSource, Settings
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer
from mapper.sinks.sink import Key
from mapper.sources.orthanc import Orthanc
from mapper.sources.source import Reading, Source
from mapper.sync.reconcile import reconcile
from mapper.sync.threads import Threads, somebody_works
from mapper.sync.triggers import Bell, Triggers
from mapper.sync.worker import Worker


@dataclass
class Service:
    """Everything a running mapper is made of."""

    settings: Settings
    sink: FhirServer
    ledger: Ledger
    worker: Worker
    triggers: list[Triggers]
    bell: Bell
    threads: Threads
    namespace: UUID
    """Under which all ids are made: read once, at the start."""
    lock: LockFile = field(default_factory=LockFile)

    def deliver(self) -> bool:
        """Become a process that delivers from this ledger; False when there can be one only, and another one is it.

        Raises SettingError when replicas work on it that make other FHIR than this one would.
        """
        if not self.lock.take():
            return False
        ledger, versions = self.ledger, self.worker.versions
        changed = any(ledger.get(f"{OUTPUT}:{name}") not in (None, version) for name, version in versions.items())
        if changed and not ledger.database.is_sqlite and somebody_works(ledger):
            raise SettingError(
                "other replicas on this ledger are of another release or have other settings: stop them (a minute "
                "is long enough for one that died), then start this one"
            )
        for name, version in versions.items():
            ledger.renew(name, version)
        ledger.move(sha256(self.settings.fhir_url.encode()).hexdigest()[:16])
        ledger.take_back()
        return True

    def start(self) -> None:
        """Start marking and syncing."""
        self.threads.start()

    def stop(self) -> None:
        """Stop after the studies that are being synced now."""
        self.threads.stop()
        self.ledger.database.close()
        self.lock.give()

    def mark(self, *study_uids: str) -> None:
        """Mark studies that a person asked for, in every source that is known to hold them.

        Sources are asked of those that the ledger does not know. Raises StudyGone where none holds one, SourceDown or
        SourceBusy where one that may hold it does not answer; then nothing is marked at all.
        """
        where = {uid: self.ledger.sources_of(uid) or self._holders(uid) for uid in study_uids}
        for study_uid, sources in where.items():
            for source in sources:
                self.ledger.mark(source, [study_uid], BY_HAND)
        self.bell.ring()

    def _holders(self, study_uid: str) -> list[str]:
        holders, silent = [], None
        for name, source in self.worker.sources.items():
            try:
                if source.holds(study_uid):
                    holders.append(name)
            except MapperError as failure:
                silent = failure
        if not holders:
            raise silent or StudyGone("no source holds this study, and the ledger does not know it")
        return holders


def orthanc_of(source: OrthancSource, settings: Settings) -> Orthanc:
    """Return one Orthanc as a source."""
    return Orthanc(
        source.url,
        Reader(KEYWORDS, INSTANCE_KEYWORDS),
        user=source.user,
        password=source.password.get_secret_value() if source.password else None,
        name=source.name,
        ca=str(source.ca) if source.ca else None,
        answer=Bound(settings.orthanc_limit, settings.timeout, "orthanc_limit"),
        metadata=Bound(settings.metadata_limit, settings.metadata_timeout, "metadata_limit"),
        root=source.dicomweb_root,
    )


def fhir_server_of(settings: Settings, meter: Meter | None = None) -> FhirServer:
    """Return the FHIR server that the settings name."""
    password = settings.fhir_password.get_secret_value() if settings.fhir_password else ""
    client = FhirClient(
        settings.fhir_url,
        auth=(settings.fhir_user, password) if settings.fhir_user else None,
        token=settings.fhir_token.get_secret_value() if settings.fhir_token else None,
        ca=str(settings.fhir_ca) if settings.fhir_ca else None,
        bound=Bound(settings.fhir_limit, settings.timeout, "fhir_limit"),
        meter=meter or Meter(),
    )
    return FhirServer(client, settings.fhir_public_url)


def ledger_of(settings: Settings, *, make: bool = True) -> Ledger:
    """Return the ledger that the settings name, guarded; see guarded."""
    return guarded(settings, make=make)[0]


def guarded(settings: Settings, *, make: bool = True) -> tuple[Ledger, UUID]:
    """Return the ledger that the settings name and the namespace of its ids; `make`: what is not there yet is made.

    Raises SettingError when it cannot be used, is not there, or when other ids were made with it.
    """
    try:
        database = Database(settings.ledger.get_secret_value())
        if not make and not database.is_made():
            raise SettingError(
                f"ledger: there is none yet at {database.place}; `serve` makes it. Is this the right folder, or is "
                "--config FILE missing?"
            )
        namespace = namespace_of(settings, make=make)
        ledger = Ledger(database)
        ledger.guard({"namespace": fingerprint(namespace), "base": settings.base})
    except SQLAlchemyError as error:  # its text may hold the URL with the password
        raise SettingError(
            f"ledger: the database cannot be used ({type(error).__name__}): check its URL and rights"
        ) from None
    return ledger, namespace


def site_of(settings: Settings, source: OrthancSource, namespace: UUID) -> Site:
    """Return a site's choices as the maps want them for one source."""
    choices = {name: getattr(settings, name) for name in Site.model_fields}
    if settings.sources:
        choices |= {"patient_system": source.patient_system, "timezone": source.timezone or settings.timezone}
    endpoint = source.endpoint if settings.sources else settings.endpoint
    choices |= {"dicomweb": endpoint, "namespace": namespace}
    return Site.model_construct(**choices)


def checked(sites: Mapping[str, Site]) -> Callable[[Reading, Source], Mapped]:
    """Return the mapping, with each source's own site; what comes out of it has passed the check."""

    def mapping(reading: Reading, source: Source) -> Mapped:
        site = sites[source.name]
        mapped = study_to_fhir(reading.study, site)
        found = faults(transaction(mapped.resources, site.fhir_public_url))
        if found:
            raise BundleRejected(f"our own check refuses the result: {'; '.join(found[:3])}")
        return mapped

    return mapping


def imaging_study_key(namespace: UUID, study_uid: str) -> Key:
    """Return type and id of a study's ImagingStudy."""
    return "ImagingStudy", keys.id_of(namespace, keys.imaging_study(study_uid))


def output_version(site: Site, fhir_url: str) -> str:
    """Return what FHIR is made with: version of the mapping and fingerprint of all settings that change it."""
    choices = site.model_dump_json(exclude={"namespace"})  # a secret, and guarded on its own
    return f"{MAPPING_VERSION}-{sha256(f'{fhir_url} {choices}'.encode()).hexdigest()[:16]}"


def triggers_of(source: Source, site: Site, sink: FhirServer, ledger: Ledger, version: str) -> Triggers:
    """Return what looks after one source."""
    endpoint = keys.id_of(site.namespace, keys.endpoint(site.dicomweb or ""))
    study_key = partial(imaging_study_key, site.namespace)
    return Triggers(source, ledger, partial(reconcile, ledger, source.name, sink, endpoint, study_key), version)


def service_of(settings: Settings, meter: Meter | None = None, *, make: bool = True) -> Service:
    """Return a service that is ready to start; `meter` is told of its work, `make` as for its ledger."""
    meter = meter or Meter()
    sink, (ledger, namespace) = fhir_server_of(settings, meter), guarded(settings, make=make)
    sites = {source.name: site_of(settings, source, namespace) for source in settings.all_sources}
    sources: dict[str, Source] = {one.name: orthanc_of(one, settings) for one in settings.all_sources}
    study_key = partial(imaging_study_key, namespace)
    ours = partial(keys.is_ours, namespace)
    versions = {name: output_version(site, settings.fhir_url) for name, site in sites.items()}
    worker = Worker(sources, checked(sites), sink, ledger, study_key, ours, versions, settings.deleted, meter)
    triggers = [triggers_of(one, sites[name], sink, ledger, versions[name]) for name, one in sources.items()]
    threads = Threads(worker, triggers, bell := Bell(), settings.workers)
    return Service(settings, sink, ledger, worker, triggers, bell, threads, namespace, LockFile(ledger.database.file))
