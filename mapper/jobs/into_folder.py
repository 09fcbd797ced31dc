"""Studies into a folder of NDJSON, in any order of arrival and as often as wanted: the folder says the same.

What several studies make, the newest by (`started`, StudyInstanceUID) says, as everywhere.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from mapper.fhir.resource import Key, Resource, key_of
from mapper.maps import Mapped, derived_keys, keys
from mapper.maps.site import Site
from mapper.namespace import fingerprint
from mapper.sinks.ndjson.sink import Ndjson


@dataclass(frozen=True)
class IntoFolder:
    """Makes a folder say what studies say; one thread at a time."""

    sink: Ndjson
    study_key: Callable[[str], Key]
    """StudyInstanceUID -> type and id of its ImagingStudy."""
    identifier: Callable[[str], Key]
    """StudyInstanceUID -> system and value of the identifier of all that is derived from it."""
    ours: Callable[[Resource, str], bool]
    """Resource, StudyInstanceUID -> whether we may have made it of that study."""
    made_with: Mapping[str, str]
    """What is the same for all that the folder holds."""
    policy: str = "unknown"
    """What becomes of the resources of a study that is gone."""

    def guard(self, source: str = "") -> None:
        """Refuse a folder that was made under other ids, or of another source (its URL); raises SettingError."""
        of = {"source": sha256(source.encode()).hexdigest()[:16]} if source else {}
        self.sink.guard({**self.made_with, **of})

    def write(self, study_uid: str, mapped: Mapped, state: str = "") -> None:
        """Write what a study says, retract what it no longer makes, and remember its state; raises as Sink.put."""
        made = {key_of(one): one for one in mapped.resources}
        mine = f"{mapped.rank} {study_uid}"
        stale = [key for key in self.before(study_uid) if key not in made]
        self.sink.put((one for key, one in made.items() if self.speaks(key, mine)), rank=mine)
        self.retract(study_uid, stale)
        self.sink.settle(study_uid, state)

    def speaks(self, key: Key, mine: str) -> bool:
        """Tell whether the study of a rank says a resource: as long as no newer one does."""
        other = self.sink.rank(key)
        return not other or other <= mine or owner_of(other) == owner_of(mine)

    def gone(self, study_uid: str) -> None:
        """Say of a study that it is gone; raises as Sink.retract."""
        self.retract(study_uid, self.before(study_uid))
        self.sink.settle(study_uid, "")

    def retract(self, study_uid: str, stale: list[Key]) -> None:
        """Retract what no other study says; the ImagingStudy goes last."""
        study = self.study_key(study_uid)
        for key in sorted(stale, key=lambda key: key == study):
            if owner_of(self.sink.rank(key) or "") in ("", study_uid):
                self.sink.retract(key, self.policy)

    def before(self, study_uid: str) -> list[Key]:
        """Return what the folder holds of a study."""
        study = self.study_key(study_uid)
        return [study, *dict.fromkeys(self._parts(study, study_uid))] if self.sink.version(study) else []

    def _parts(self, study: Key, study_uid: str) -> Iterator[Key]:
        for about in (study, self.identifier(study_uid)):
            yield from (key_of(one) for one in self.sink.ours(about) if self.ours(one, study_uid))


def owner_of(rank: str) -> str:
    """Return the StudyInstanceUID in the rank of a line."""
    return rank.rpartition(" ")[2]


def into_folder(sink: Ndjson, site: Site, policy: str = "unknown") -> IntoFolder:
    """Return what writes the studies of one site into a folder."""
    namespace = site.namespace

    def study_key(study_uid: str) -> Key:
        return "ImagingStudy", keys.id_of(namespace, keys.imaging_study(study_uid))

    identifier = partial(derived_keys.study_identifier, site.base)
    made_with = {"namespace": fingerprint(namespace), "base": site.base}
    return IntoFolder(sink, study_key, identifier, partial(keys.is_ours, namespace), made_with, policy)
