"""A running mapper: the one place where sources, sink, ledger, worker and triggers are put together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from uuid import UUID

from mapper.errors import MapperError, SettingError, StudyGone
from mapper.ledger.claim import BY_HAND
from mapper.ledger.ledger import OUTPUT, Ledger
from mapper.ledger.lock_file import LockFile
from mapper.maps import MAPPING_VERSION, Mapped, derived_keys, keys, study_to_fhir
from mapper.maps.site import Site
from mapper.metrics import Metrics
from mapper.settings import Settings
from mapper.sinks.sink import Key, Sink
from mapper.sources.source import Catalogue, Reading, Source
from mapper.sync.reconcile import reconcile
from mapper.sync.threads import Threads, somebody_works
from mapper.sync.triggers import Bell, Triggers
from mapper.sync.worker import Worker
from mapper.wiring import fhir_server_of, guarded, sink_fingerprint, site_of, source_of


@dataclass
class Service:
    """Everything a running mapper is made of."""

    settings: Settings
    sink: Sink
    ledger: Ledger
    worker: Worker
    triggers: list[Triggers]
    bell: Bell
    threads: Threads
    namespace: UUID
    """Under which all ids are made: read once, at the start."""
    lock: LockFile = field(default_factory=LockFile)

    @property
    def place(self) -> str:
        """Where the ledger is: a file, or an address without user, password and query."""
        return self.ledger.database.place

    def catalogue(self, source: str) -> Catalogue | None:
        """Return what people may ask of a source, where it has that."""
        return getattr(self.worker.sources[source], "catalogue", None)

    def about(self, source: str | None = None) -> str:
        """Return what a source is, or the sink, with its version; empty where it was not asked or does not tell."""
        side: object = self.sink if source is None else self.catalogue(source)
        return str(getattr(side, "about", ""))

    def deliver(self) -> bool:
        """Become a process that delivers from this ledger; False when there can be one only, and another one is it.

        Raises SettingError when replicas work on it that make other FHIR than this one would.
        """
        if not self.lock.take():
            return False
        ledger, versions = self.ledger, self.worker.versions
        changed = any(ledger.meta.get(f"{OUTPUT}:{name}") not in (None, version) for name, version in versions.items())
        if changed and not ledger.database.is_sqlite and somebody_works(ledger):
            raise SettingError(
                "other replicas on this ledger are of another release or have other settings: stop them (a minute "
                "is long enough for one that died), then start this one"
            )
        for name, version in versions.items():
            ledger.renew(name, version)
        ledger.move(sink_fingerprint(self.settings))
        ledger.studies.take_back()
        return True

    def start(self) -> None:
        """Start marking and syncing."""
        self.threads.start()

    def stop(self) -> None:
        """Stop after the studies that are being synced now."""
        self.threads.stop()
        self.sink.close()
        self.ledger.database.close()
        self.lock.give()

    def mark(self, *study_uids: str) -> None:
        """Mark studies that a person asked for, in every source that is known to hold them.

        Sources are asked of those that the ledger does not know. Raises StudyGone where none holds one, SourceDown or
        SourceBusy where one that may hold it does not answer; then nothing is marked at all.
        """
        where = {uid: self.ledger.rows.sources_of(uid) or self._holders(uid) for uid in study_uids}
        for study_uid, sources in where.items():
            for source in sources:
                self.ledger.studies.mark(source, [study_uid], BY_HAND)
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


def mapping_of(sites: Mapping[str, Site]) -> Callable[[Reading, Source], Mapped]:
    """Return the mapping, with each source's own site."""

    def mapping(reading: Reading, source: Source) -> Mapped:
        return study_to_fhir(reading.study, sites[source.name])

    return mapping


def imaging_study_key(namespace: UUID, study_uid: str) -> Key:
    """Return type and id of a study's ImagingStudy."""
    return "ImagingStudy", keys.id_of(namespace, keys.imaging_study(study_uid))


def output_version(site: Site, fhir_url: str) -> str:
    """Return what FHIR is made with: version of the mapping and fingerprint of all settings that change it."""
    choices = site.model_dump_json(exclude={"namespace"})  # a secret, and guarded on its own
    return f"{MAPPING_VERSION}-{sha256(f'{fhir_url} {choices}'.encode()).hexdigest()[:16]}"


def triggers_of(source: Source, site: Site, sink: Sink, ledger: Ledger, version: str) -> Triggers:
    """Return what looks after one source."""
    endpoint = keys.id_of(site.namespace, keys.endpoint(site.dicomweb or ""))
    study_key = partial(imaging_study_key, site.namespace)
    compare = partial(reconcile, ledger, source.name, sink, endpoint, study_key)
    return Triggers(source, ledger, compare, partial(sink.offered, endpoint), version)


def service_of(settings: Settings, metrics: Metrics | None = None, *, make: bool = True) -> Service:
    """Return a service that is ready to start; `metrics` is told of its work, `make` as for its ledger."""
    metrics = metrics or Metrics()
    sink, (ledger, namespace) = fhir_server_of(settings, metrics), guarded(settings, make=make)
    sites = {source.name: site_of(settings, source, namespace) for source in settings.all_sources}
    sources: dict[str, Source] = {one.name: source_of(one, settings, metrics) for one in settings.all_sources}
    study_key = partial(imaging_study_key, namespace)
    identifier, ours = partial(derived_keys.study_identifier, settings.base), partial(keys.is_ours, namespace)
    versions = {name: output_version(site, settings.fhir_url) for name, site in sites.items()}
    ids = study_key, identifier, ours
    worker = Worker(sources, mapping_of(sites), sink, ledger, *ids, versions, settings.deleted, metrics)
    triggers = [triggers_of(one, sites[name], sink, ledger, versions[name]) for name, one in sources.items()]
    threads = Threads(worker, triggers, bell := Bell(), settings.workers, settings.history_days)
    return Service(settings, sink, ledger, worker, triggers, bell, threads, namespace, LockFile(ledger.database.file))
