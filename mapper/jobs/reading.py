"""One study read and mapped, wherever: in a thread, in another process, on another machine."""

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from mapper.dicom.study import Study
from mapper.errors import SettingError
from mapper.fhir.check import check, plain
from mapper.jobs.release import release
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.rule import Made
from mapper.maps.site import Site
from mapper.settings import Settings
from mapper.sources.source import Reading, Sighting, Source, read_since
from mapper.wiring import site_of, source_of

OTHER_RELEASE = "--dask: a worker is of another release than this command: start `dask worker` with this same one"


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a process needs to read studies of one source; it holds secrets, and is for our processes alone."""

    settings: Settings
    source: str
    namespace: UUID
    release: str = field(default_factory=release)
    """Of whoever asks: another release maps otherwise."""

    def made(self) -> tuple[Source, Site]:
        """Return the source and its site, made once a process; raises SettingError in a process of another release."""
        if self.release != release():
            raise SettingError(OTHER_RELEASE)
        name = self.source, self.namespace, digest(self.settings)
        if name not in _made:
            (mine,) = [one for one in self.settings.all_sources if one.name == self.source]
            _made[name] = source_of(mine, self.settings), site_of(self.settings, mine, self.namespace)
        return _made[name]


@dataclass(frozen=True, slots=True)
class Read:
    """A study as it was mapped, and the sighting that belongs to exactly this state of it."""

    sighting: Sighting
    mapped: Mapped


@dataclass(frozen=True, slots=True)
class MappedReading(Reading):
    """A reading that was mapped where it was read."""

    mapped: Mapped


def digest(settings: Settings) -> str:
    """Return the SHA-256 of settings with their secrets, which their JSON leaves out: a new password is another."""

    def told(value: Any) -> str:
        return str(value.get_secret_value() if isinstance(value, SecretStr) else value)

    return sha256(json.dumps(settings.model_dump(), default=told, sort_keys=True).encode()).hexdigest()


def read(recipe: Recipe, study_uid: str, known_ids: list[str], since: str | None = None) -> Read:
    """Return one study mapped and checked; see read_since. Raises as Source.read, NotOneStudy and BundleRejected."""
    source, site = recipe.made()
    reading = read_since(source, study_uid, known_ids, since)
    mapped = study_to_fhir(reading.study, site)
    check(mapped.resources)
    return Read(reading.sighting, replace(mapped, resources=[portable(one) for one in mapped.resources]))


def portable(resource: Made) -> Made:
    """Return a resource without the rules that made it: what another process is sent is data alone."""
    made = Made()
    made.update(plain(resource))
    return made


def as_reading(found: Read) -> MappedReading:
    """Return what the worker calls a reading."""
    return MappedReading(Study(found.sighting.study_uid, ()), found.sighting, found.mapped)


_made: dict[tuple[str, UUID, str], tuple[Source, Site]] = {}
