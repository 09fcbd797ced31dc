"""What every sink of FHIR resources offers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from mapper.fhir.resource import Key as Key
from mapper.fhir.resource import Resource as Resource
from mapper.finding import Finding


class Sink(Protocol):
    """Where FHIR resources go."""

    def put(self, resources: Iterable[Resource], expected: Mapping[Key, str] | None = None) -> dict[Key, str]:
        """Write resources as one transaction and return the version of each.

        `expected` are versions that the sink must hold still, empty where it must hold none yet. Raises
        StaleVersion when it does not; SinkBusy, SinkDown, SinkRefused, TargetMissing, BundleRejected or ExistsTwice.
        """

    def version(self, key: Key) -> str:
        """Return the version of a resource that the sink holds, empty where there is none."""

    def retract(self, key: Key, policy: str, confirm: Callable[[], None] | None = None) -> None:
        """Say of a resource that its study is gone, by the site's policy; never a FHIR DELETE.

        `confirm` is called between reading and writing it: what it raises leaves the resource as it is.
        """

    def studies(self, endpoint: str) -> Iterator[str]:
        """Yield the StudyInstanceUID of every available ImagingStudy at an Endpoint (its id); raises as `put`."""

    def parts_of(self, study: Key) -> list[Key]:
        """Return what says of itself that it is part of an ImagingStudy; raises as `put`."""

    def probe(self) -> None:
        """Ask whether the sink is there at all; raises SinkDown, SinkBusy or SinkRefused."""

    def ids_of(self, study_uid: str) -> list[str]:
        """Return the ids of every ImagingStudy with this StudyInstanceUID, whoever wrote it; raises as `put`."""

    def check(self) -> Iterator[Finding]:
        """Yield what `doctor` should say of this sink; raises as `put`."""
