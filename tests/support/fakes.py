"""A source, a sink and a clock in memory: small, strict, and as forgetful as the real ones.

tests/contract/ holds them against a real Orthanc and a real FHIR server.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mapper.dicom.collector import Collector
from mapper.dicom.documents import is_document
from mapper.dicom.item import Item
from mapper.dicom.uid import is_askable
from mapper.errors import BadUID, MapperError, SourceChanged, StaleVersion, StudyGone, TargetMissing, TwoPatients
from mapper.finding import Finding, ok
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.maps import Mapped, derived_keys, keys, study_to_fhir
from mapper.maps.site import Site
from mapper.sinks.sink import DERIVED, HELD, Key, Resource
from mapper.sources.source import Changes, Feed, Reading, Sighting, Source
from mapper.sync.worker import Worker
from tests.support.datasets import dataset

SITE = Site(base="https://pacs.example.org/fhir/id", dicomweb="https://pacs.example.org/dicom-web")
NEVER_RETRACTED = frozenset({"BodyStructure", "Patient", "Device", "Practitioner", "Organization", "Endpoint"})
CT = "1.2.840.10008.5.1.4.1.1.2"


class Clock:
    """Time that moves when it is told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        assert seconds >= 0, "time does not go back"
        self.now += seconds


@dataclass
class Held:
    """One study in a source: under one patient, with a revision that every change moves."""

    patient: str
    study_uid: str
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    revision: int = 1
    stable: bool = True

    @property
    def id(self) -> str:
        """The source's own id: patient and study, as in Orthanc."""
        return f"{self.patient}/{self.study_uid}"

    @property
    def name(self) -> str:
        """What the mapper knows it by: the source's own id where the UID cannot stand in a URL."""
        return self.study_uid if is_askable(self.study_uid) else self.id

    def sighting(self) -> Sighting:
        return Sighting(self.id, self.name, f"{self.revision:08}", self.stable)


class FakeSource:
    """An archive in memory, with the manners of Orthanc."""

    def __init__(self, name: str = "orthanc") -> None:
        self.name = name
        self.held: dict[str, Held] = {}
        self.log: list[tuple[int, str]] = []
        self.last = 0
        self.reads: list[str] = []
        self.failures: list[Exception] = []
        """What the next reads raise."""
        self.down: MapperError | None = None
        """What everything raises as long as it stands."""
        self.miscounted = 0
        """How far the source's own count is beside its listing."""
        self.sorts = False
        """Whether it can be asked what moved lately: Orthanc can from 1.12.5 on."""
        self.while_reading: Any = None
        """Called once in the middle of the next read."""
        self.feed: Feed | None = self
        self.catalogue = self
        self.about = "an archive in memory"

    # -- what people do with an archive ----------------------------------------------------------

    def store(
        self, study_uid: str, patient: str = "P1", instance: str = "1", stable: bool = True, **attributes: Any
    ) -> Held:
        """Take in one instance."""
        held = self.held.setdefault(f"{patient}/{study_uid}", Held(patient, study_uid, revision=0))
        held.instances[instance] = dataset(
            **{
                "StudyInstanceUID": study_uid,
                "SeriesInstanceUID": f"{study_uid}.1",
                "SOPInstanceUID": f"{study_uid}.1.{instance}",
                "SOPClassUID": CT,
                "Modality": "CT",
                "PatientID": patient,
                "InstanceNumber": instance,
                **attributes,
            }
        )
        held.revision = self.last = self.last + 1
        held.stable = stable
        if stable:
            self.log.append((self.last, held.id))
        return held

    def delete(self, study_uid: str, patient: str = "P1") -> None:
        """Remove one study; /changes says nothing of it."""
        del self.held[f"{patient}/{study_uid}"]

    def delete_instance(self, study_uid: str, instance: str, patient: str = "P1") -> None:
        """Remove one instance, and the study with its last one."""
        held = self.held[f"{patient}/{study_uid}"]
        del held.instances[instance]
        held.revision = self.last = self.last + 1
        if not held.instances:
            self.delete(study_uid, patient)

    def settle(self, study_uid: str, patient: str = "P1") -> None:
        """Let a study become stable."""
        held = self.held[f"{patient}/{study_uid}"]
        held.stable = True
        self.last += 1
        self.log.append((self.last, held.id))

    def start_anew(self) -> None:
        """Lose the database: the log of changes begins at nothing."""
        self.held.clear()
        self.log.clear()
        self.last = 0

    # -- what the mapper asks of it --------------------------------------------------------------

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        self._alive()
        self.reads.append(study_uid)
        if self.failures:
            raise self.failures.pop(0)
        found = [held for held in self.held.values() if held.name == study_uid]
        if found and found[0].name == found[0].id:
            raise BadUID(f"the StudyInstanceUID of {found[0].id} is none")
        if len(found) > 1:
            seen = {held.id: held.sighting().fingerprint for held in found}
            raise TwoPatients(f"study {study_uid} stands under {len(found)} PatientIDs", seen)
        if not found:
            raise StudyGone(f"study {study_uid} is no longer here")
        before = found[0].sighting()
        collector = Collector()
        for elements in list(found[0].instances.values()):
            is_read = is_document(str(Item(elements)["SOPClassUID"]))
            collector.add(elements, document=elements if is_read else None)
        if self.while_reading:
            self.while_reading, do = None, self.while_reading
            do()
        if self.held.get(before.id) is None or found[0].sighting().fingerprint != before.fingerprint:
            raise SourceChanged(f"study {study_uid} changed while it was read")
        return Reading(collector.study(study_uid), before)

    def find(self, keyword: str, value: str) -> list[str]:
        self._alive()
        assert not {*value} & {*"*?\\"}, "a wild card finds what nobody asked for"
        assert keyword in ("AccessionNumber", "PatientID")
        return sorted({held.name for held in self.held.values() if self._first(held)[keyword] == value})

    def headers(self, study_uid: str) -> dict[str, dict[str, str]]:
        self._alive()
        return {one.id: self._header(one) for one in self.held.values() if one.name == study_uid}

    def _header(self, held: Held) -> dict[str, str]:
        item, named = self._first(held), ("PatientID", "StudyDescription", "AccessionNumber")
        found = {"PatientName": (item["PatientName"] or {}).get("Alphabetic", "")}
        return {name: value for name, value in (found | {name: item[name] for name in named}).items() if value}

    def plugins(self) -> frozenset[str]:
        self._alive()
        return frozenset({"orthanc-explorer-2"})

    def _first(self, held: Held) -> Item:
        return Item(next(iter(held.instances.values())))

    def holds(self, study_uid: str) -> bool:
        self._alive()
        return any(held.name == study_uid for held in self.held.values())

    def listing(self) -> Iterator[Sighting]:
        self._alive()
        for held in list(self.held.values()):
            yield held.sighting()

    def recent(self, fingerprint: str) -> list[Sighting] | None:
        self._alive()
        if not fingerprint or not self.sorts:
            return None
        moved = [held.sighting() for held in self.held.values() if held.sighting().fingerprint >= fingerprint]
        return sorted(moved, key=lambda one: one.fingerprint, reverse=True)

    def count(self) -> int:
        self._alive()
        return len(self.held) + self.miscounted

    def changes(self, cursor: int | None) -> Changes:
        self._alive()
        if cursor is None:
            return Changes((), self.last)
        if self.last < cursor:
            return Changes((), self.last, sweep=True)
        stable = {self.held[id].name for number, id in self.log if number > cursor and id in self.held}
        return Changes(tuple(sorted(stable)), self.last)

    def probe(self) -> None:
        self._alive()

    def check(self) -> Iterator[Finding]:
        self._alive()
        yield ok("a source in memory")

    def _alive(self) -> None:
        if self.down is not None:
            raise self.down


class FakeSink:
    """A FHIR server in memory: versions, references that must exist, and no DELETE."""

    def __init__(self) -> None:
        self.held: dict[Key, list[dict[str, Any]]] = {}
        """Every version of every resource."""
        self.puts: list[list[Key]] = []
        self.asked: list[Key] = []
        """Of which resources it was asked for the version."""
        self.failures: list[BaseException] = []
        """What the next writes raise, before they do anything."""
        self.cuts: list[BaseException] = []
        """What the next writes raise, after they were done."""
        self.down: MapperError | None = None
        self.probes = 0

    def put(self, resources: Iterable[Resource], expected: Mapping[Key, str] | None = None) -> dict[Key, str]:
        sent = {(one["resourceType"], one["id"]): dict(one) for one in resources}
        self._alive()
        self.puts.append(sorted(sent))
        assert sent, "an empty transaction"
        for key, version in (expected or {}).items():
            if key in sent and version != self._version(key):
                raise StaleVersion(f"{key[0]} has another version")
        if self.failures:
            raise self.failures.pop(0)
        for one in sent.values():
            for target in references(one):
                if target not in sent and target not in self.held:
                    raise TargetMissing(f"a {target[0]} is not here")
        for key, one in sent.items():
            self._write(key, one)
        if self.cuts:
            raise self.cuts.pop(0)
        return {key: self._version(key) for key in sent}

    def ours(self, about: Key) -> Iterator[Resource]:
        self._alive()
        if "://" in about[0]:
            identifier = {"system": about[0], "value": about[1]}
            found = (self.now(key) for kind in DERIVED for key in self.keys(kind))
            yield from (one for one in found if identifier in one.get("identifier", []))
            return
        kind, element = {"Endpoint": ("ImagingStudy", "endpoint"), "ImagingStudy": ("Observation", "partOf")}[about[0]]
        for one in map(self.now, self.keys(kind)):
            refers = {"reference": "/".join(about)} in one.get(element, [])
            if refers and (kind != "ImagingStudy" or one["status"] in HELD):
                yield one

    def offered(self, endpoint: str) -> int | None:
        return sum(1 for _ in self.ours(("Endpoint", endpoint)))

    def read(self, key: Key) -> Resource | None:
        self._alive()
        return self.now(key) if key in self.held else None

    def flush(self) -> None:
        self._alive()

    def close(self) -> None:
        """Hold nothing open."""

    def version(self, key: Key) -> str:
        self.asked.append(key)
        return self._version(key)

    def retract(self, key: Key, policy: str, confirm: Callable[[], None] | None = None) -> None:
        self._alive()
        assert key[0] not in NEVER_RETRACTED, f"a {key[0]} is never retracted"
        assert policy in ("unknown", "keep", "entered-in-error")
        if policy != "keep" and key in self.held:
            if confirm:
                confirm()
            changed = {name: value for name, value in self.now(key).items() if name != "endpoint"}
            status = "entered-in-error" if key[0] == "DocumentReference" else policy  # R4 has no unknown there
            self._write(key, {**changed, "status": status})

    def probe(self) -> None:
        self.probes += 1
        self._alive()

    def ids_of(self, study_uid: str) -> list[str]:
        self._alive()
        held = [(key[1], self.now(key)) for key in self.keys("ImagingStudy")]
        return [id for id, one in held if one["identifier"][0]["value"] == f"urn:oid:{study_uid}"]

    def check(self) -> Iterator[Finding]:
        self._alive()
        yield ok("a sink in memory")

    # -- what tests ask of it --------------------------------------------------------------------

    def now(self, key: Key) -> dict[str, Any]:
        """Return the present content of a resource."""
        return self.held[key][-1]

    def keys(self, kind: str) -> list[Key]:
        """Return the keys of one type."""
        return sorted(key for key in self.held if key[0] == kind)

    def available(self) -> list[str]:
        """Return the StudyInstanceUIDs that this server says are available."""
        shown = [self.now(key) for key in self.keys("ImagingStudy")]
        return sorted(
            one["identifier"][0]["value"].removeprefix("urn:oid:") for one in shown if one["status"] == "available"
        )

    def versions(self) -> dict[Key, int]:
        """Return how often each resource was changed."""
        return {key: len(versions) for key, versions in self.held.items()}

    def lose(self, key: Key) -> None:
        """Forget a resource, as a server does whose database was put back."""
        del self.held[key]

    def _version(self, key: Key) -> str:
        return str(len(self.held[key])) if key in self.held else ""

    def _write(self, key: Key, resource: dict[str, Any]) -> None:
        versions = self.held.setdefault(key, [])
        if not versions or versions[-1] != resource:
            versions.append(resource)

    def _alive(self) -> None:
        if self.down is not None:
            raise self.down


def references(value: Any) -> Iterator[Key]:
    """Yield the targets of all literal references in a resource."""
    if isinstance(value, Mapping):
        if isinstance(value.get("reference"), str):
            kind, _, id = value["reference"].partition("/")
            yield kind, id
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def plain_mapping(reading: Reading, source: Source) -> Mapped:
    """Map for real, without the check."""
    return study_to_fhir(reading.study, SITE)


def study_key(study_uid: str) -> Key:
    """Return the key of a study's ImagingStudy."""
    return "ImagingStudy", keys.id_of(SITE.namespace, keys.imaging_study(study_uid))


def study_identifier(study_uid: str) -> Key:
    """Return the identifier of all that is derived from a study."""
    return derived_keys.study_identifier(SITE.base, study_uid)


class World:
    """A worker between a source and a sink in memory, over a real ledger."""

    def __init__(self, url: str, *sources: FakeSource, policy: str = "unknown") -> None:
        self.clock = Clock()
        self.sources = list(sources) or [FakeSource()]
        self.source = self.sources[0]
        self.sink = FakeSink()
        self.database = Database(url)
        self.ledger = Ledger(self.database, self.clock, jitter=lambda least, most: most)
        self.policy = policy
        self.worker = self.new_worker()

    def new_worker(self, **changes: Any) -> Worker:
        """Return one more worker on the same ledger: another process, or the same one after a crash."""
        parts = {
            "sources": {one.name: one for one in self.sources},
            "mapping": plain_mapping,
            "sink": self.sink,
            "ledger": self.ledger,
            "study_key": study_key,
            "identifier": study_identifier,
            "ours": partial(keys.is_ours, SITE.namespace),
            "policy": self.policy,
        }
        return Worker(**{**parts, **changes})

    def mark(self, *study_uids: str, source: str | None = None) -> None:
        self.ledger.studies.mark(source or self.source.name, study_uids)

    def work(self, limit: int = 200) -> int:
        """Sync what is due now; returns how many turns that took."""
        for turns in range(limit):
            if not self.worker.turn():
                return turns
        raise AssertionError(f"still busy after {limit} turns")

    def state(self, study_uid: str) -> str:
        row = self.ledger.rows.find(study_uid)
        assert row is not None, f"{study_uid} is unknown"
        return row.state

    def reason(self, study_uid: str) -> str:
        row = self.ledger.rows.find(study_uid)
        assert row is not None, f"{study_uid} is unknown"
        return row.reason


def with_a_new_ledger(world: World, new_url: str) -> World:
    """Return the same archive and FHIR server with a ledger that knows nothing."""
    other = World(new_url, world.source)
    other.sink = world.sink
    other.worker = other.new_worker()
    return other
