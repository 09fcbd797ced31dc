"""What every sink of FHIR resources offers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from mapper.fhir.resource import Key as Key
from mapper.fhir.resource import Resource as Resource
from mapper.fhir.systems import DICOM_UID
from mapper.finding import Finding
from mapper.maps.values.uid import uid_of

DERIVED = ("Observation", "DiagnosticReport", "DocumentReference")
"""Types of what is made of a document, and belongs to the study whose series holds it."""
HELD = ("available", "entered-in-error")
"""What an archive holds is one of these, in error by its rejection notes; what is retracted has no endpoint."""


class Sink(Protocol):
    """Where FHIR resources go."""

    def put(self, resources: Iterable[Resource], expected: Mapping[Key, str] | None = None) -> dict[Key, str]:
        """Write resources as one transaction and return the version of each.

        `expected` are versions that the sink must hold still, empty where it must hold none yet. Raises
        StaleVersion when it does not; SinkBusy, SinkDown, SinkRefused, TargetMissing, BundleRejected or ExistsTwice.
        """

    def version(self, key: Key) -> str:
        """Return the version of a resource that the sink holds, empty where there is none; raises as `put`."""

    def read(self, key: Key) -> Resource | None:
        """Return a resource as the sink holds it, None where there is none; raises as `put`."""

    def ours(self, about: Key) -> Iterator[Resource]:
        """Yield what refers to a resource of ours, at least type, id and identifiers of it; raises as `put`.

        At an Endpoint: the ImagingStudies that are to be had there. Of an ImagingStudy: the Observations that are
        part of it. Where `about` is system and value of an identifier: all of the types DERIVED that have it. Whether
        we made them, their ids tell.
        """

    def offered(self, endpoint: str) -> int | None:
        """Return how many ImagingStudies are available at an Endpoint (an id), None where it cannot be told.

        Raises as `put`.
        """

    def ids_of(self, study_uid: str) -> list[str]:
        """Return the ids of every ImagingStudy with this StudyInstanceUID, whoever wrote it; raises as `put`."""

    def retract(self, key: Key, policy: str, confirm: Callable[[], None] | None = None) -> None:
        """Say of a resource that its study is gone, by the site's policy; never a FHIR DELETE.

        `confirm` is called between reading and writing it: what it raises leaves the resource as it is.
        """

    def flush(self) -> None:
        """Return when all that was put is where others can read it; raises as `put`."""

    def close(self) -> None:
        """Give back what the sink holds open, when no more is put."""

    def probe(self) -> None:
        """Ask whether the sink is there at all; raises SinkDown, SinkBusy or SinkRefused."""

    def check(self) -> Iterator[Finding]:
        """Yield what `doctor` should say of this sink; raises as `put`."""


def study_uids(resource: Resource) -> list[str]:
    """Return the StudyInstanceUID by which a resource is identified, in a list."""
    values = [one.get("value", "") for one in resource.get("identifier", ()) if one.get("system") == DICOM_UID]
    return [uid for value in values if (uid := uid_of(value))]
