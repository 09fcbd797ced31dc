"""A folder of NDJSON as the sink, in the layout of FHIR Bulk Data: a type a file, a resource a line, in chunks.

A resource that changes has a second line in a later chunk, and so has one that is retracted: the latest line counts,
and the latest view of a folder has one line a resource. What says the same again writes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mapper.errors import StaleVersion, TargetMissing
from mapper.fhir.contained import referred
from mapper.fhir.resource import key_in, key_of
from mapper.finding import Finding, ok
from mapper.sinks.ndjson.folder import CHUNK, Folder
from mapper.sinks.ndjson.index import VERSION, version_of
from mapper.sinks.parts import referred_first
from mapper.sinks.retraction import retracted
from mapper.sinks.sink import DERIVED, HELD, Key, Resource

OURS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Endpoint": (("ImagingStudy",), HELD),
    "ImagingStudy": (("Observation",), ()),
}
"""Type of a resource -> which types refer to it, and in which statuses; of all else an identifier is meant."""


class Ndjson:
    """A folder of NDJSON files; one process writes it at a time, by as many threads as it wants."""

    def __init__(self, folder: Path, chunk: int = CHUNK) -> None:
        """Remember the folder, and after how many bytes a chunk is finished by itself."""
        self.folder = folder
        self._folder = Folder(folder, chunk)

    # -- the contract ---------------------------------------------------------------------------

    def put(
        self, resources: Iterable[Resource], expected: Mapping[Key, str] | None = None, rank: str = ""
    ) -> dict[Key, str]:
        """Write what is new or says something else; `rank` is remembered of all that is put. See Sink.put."""
        with self._folder.open() as index:
            sent = {key_of(one): one for one in referred_first(resources)}
            found = {key: index.line(key) for key in sent}
            if any(version_of(found[key]) != version for key, version in (expected or {}).items() if key in sent):
                raise StaleVersion("the folder holds another version than the one that was written last")
            targets = {key_in(url) for one in sent.values() for url in referred(one)}
            if any(index.line(key) is None for key in targets - sent.keys()):
                raise TargetMissing("a resource that others refer to is not in the folder")
            digests = self._folder.write(index, sent, found, rank)
            return {key: digest[:VERSION] for key, digest in digests.items()}

    def version(self, key: Key) -> str:
        """Return the beginning of the SHA-256 of its JSON; see Sink.version."""
        with self._folder.open() as index:
            return version_of(index.line(key))

    def read(self, key: Key) -> dict[str, Any] | None:
        """Return a resource as its latest line has it; see Sink.read."""
        with self._folder.open() as index:
            line = index.line(key)
            return self._folder.resource(line) if line else None

    def ours(self, about: Key) -> Iterator[Resource]:
        """Yield what refers to a resource or has an identifier; see Sink.ours."""
        kinds, statuses = OURS.get(about[0], (DERIVED, ()))
        with self._folder.open() as index:
            keys = index.about("/".join(about) if about[0] in OURS else "|".join(about), kinds, statuses)
        for key in keys:
            if found := self.read(key):
                yield found

    def offered(self, endpoint: str) -> int | None:
        """Return how many ImagingStudies are available at an Endpoint; see Sink.offered."""
        with self._folder.open() as index:
            return len(index.about(f"Endpoint/{endpoint}", ["ImagingStudy"], ["available"]))

    def offered_at(self, endpoint: str) -> Iterator[Resource]:
        """Yield every ImagingStudy that is to be had at an Endpoint."""
        return self.ours(("Endpoint", endpoint))

    def ids_of(self, study_uid: str) -> list[str]:
        """Return the ids of every ImagingStudy with this StudyInstanceUID; see Sink.ids_of."""
        with self._folder.open() as index:
            return sorted(id for _, id in index.about(study_uid, ["ImagingStudy"]))

    def retract(self, key: Key, policy: str, confirm: Callable[[], None] | None = None) -> None:
        """Write a line more that says that its study is gone; see Sink.retract."""
        with self._folder.lock:
            found = self.read(key) if policy != "keep" else None
            if found and (resource := retracted(found, policy)):
                if confirm:
                    confirm()
                self.put([resource], rank=self.rank(key) or "")

    def flush(self) -> None:
        """Finish the chunk: its files are in place."""
        with self._folder.open() as index:
            self._folder.finish(index)

    def close(self) -> None:
        """Finish the chunk and let go of the folder."""
        self._folder.close()

    def probe(self) -> None:
        """Ask whether the folder is there."""
        with self._folder.open():
            pass

    def check(self) -> Iterator[Finding]:
        """Yield how much is in the folder."""
        with self._folder.open() as index:
            number = len(index.files())
        yield ok(f"resources go to {self.folder}: {number} files of NDJSON are there")

    # -- what jobs ask beside -------------------------------------------------------------------

    def guard(self, facts: Mapping[str, str]) -> None:
        """Remember with what this folder is made; raises SettingError where it was made with something else."""
        self._folder.guard(facts)

    def rank(self, key: Key) -> str | None:
        """Return the rank of the study that says a resource, None where there is no such resource."""
        with self._folder.open() as index:
            line = index.line(key)
            return line.rank if line else None

    def state(self, study_uid: str) -> str:
        """Return in which state a study was when it was written, empty where it never was, or is gone."""
        with self._folder.open() as index:
            return index.state(study_uid)

    def settle(self, study_uid: str, state: str) -> None:
        """Remember in which state a study was written: kept with the chunk that holds it."""
        with self._folder.open() as index:
            index.settle(study_uid, state)

    def list_anew(self) -> None:
        """Forget which studies an archive listed: it is asked again."""
        with self._folder.open() as index:
            index.list_anew()

    def add_listed(self, study_uid: str) -> bool:
        """Remember that an archive lists a study, on disk, as there may be many; returns whether that is new."""
        with self._folder.open() as index:
            return index.add_listed(study_uid)

    def vanished(self, most: int) -> list[str]:
        """Return studies that were written, are not gone, and were not listed: so many at most."""
        with self._folder.open() as index:
            return index.vanished(most)

    def study_counts(self) -> tuple[int, int, int]:
        """Return how many studies were listed, were written and are not gone, and of these were not listed."""
        with self._folder.open() as index:
            return index.counts()

    def count(self) -> int:
        """Return the number of resources."""
        with self._folder.open() as index:
            return index.count()

    def pushed(self, server: str, key: Key) -> tuple[str, str] | None:
        """Return which version of ours a server was last sent, and its own of it; None where it was sent none."""
        with self._folder.open() as index:
            found = index.pushed(server, key)
            return (found[0][:VERSION], found[1]) if found else None

    def keep_pushed(self, server: str, versions: Mapping[Key, str]) -> None:
        """Remember at once which versions a server made of what it was sent."""
        with self._folder.open() as index:
            for key, version in versions.items():
                index.add_pushed(server, key, version)
            self._folder.finish(index)

    def forget_pushed(self, server: str) -> None:
        """Forget what a server was sent."""
        with self._folder.open() as index:
            index.forget_pushed(server)

    def named(self, kind: str, system: str) -> Iterator[Resource]:
        """Yield every resource of a type that has an identifier of this system."""
        for one in list(self.latest(kind)):
            if any(identifier.get("system") == system for identifier in one.get("identifier", ())):
                yield one

    def kinds(self) -> list[str]:
        """Return the types that the folder holds."""
        with self._folder.open() as index:
            return index.kinds()

    def latest(self, kind: str) -> Iterator[Resource]:
        """Yield the latest view of a type, one resource after the other; nothing may be put meanwhile."""
        with self._folder.open() as index:
            for line in index.lines(kind):
                yield self._folder.resource(line)
