"""As many studies as wanted from nowhere, each made when it is asked for: what files cost without any server."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid5

import orjson

from mapper.dicom.collector import Collector
from mapper.fhir.bundle import dump
from mapper.fhir.check import check
from mapper.finding import Finding
from mapper.jobs.reading import Read, Recipe, portable
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.site import Site
from mapper.sources.source import Feed, Reading, Sighting
from tests.support.datasets import dataset

INSTANCES, OF_PATIENT = 3, 4
DICOMWEB = "http://localhost:8042/dicom-web"


class Many:
    """A source of so many studies, which a crew of this module reads."""

    name, feed = "many", cast(Feed | None, None)

    def __init__(self, studies: int) -> None:
        self._studies = studies

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        """Leave that to the crew."""
        raise NotImplementedError

    def holds(self, study_uid: str) -> bool:
        """Hold everything."""
        return True

    def listing(self) -> Iterator[Sighting]:
        """Yield all of them."""
        return (Sighting(f"1.2.{number}", f"1.2.{number}", "1") for number in range(self._studies))

    def count(self) -> int:
        """Return how many there are."""
        return self._studies

    def probe(self) -> None:
        """Be there."""

    def check(self) -> Iterator[Finding]:
        """Find nothing."""
        return iter(())


def mapped(uid: str, patient: str, namespace: UUID) -> Mapped:
    """Return a study of some instances as it is mapped."""
    collector = Collector()
    for instance in range(1, INSTANCES + 1):
        uids = {"SeriesInstanceUID": f"{uid}.1", "SOPInstanceUID": f"{uid}.1.{instance}"}
        frame = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT", "PatientID": patient}
        frame |= {"StudyDate": "20240517", "ManufacturerModelName": "X", "Manufacturer": "Y", "PatientSize": "1.70"}
        collector.add(dataset(StudyInstanceUID=uid, **uids, **frame))
    return study_to_fhir(collector.study(uid), Site(namespace=namespace, dicomweb=DICOMWEB))


class Crew:
    """Returns what is asked for at once; see mapper.jobs.executors.Crew."""

    size = 1

    def submit(self, do: Callable[..., Any], recipe: Recipe, study_uid: str, *others: Any) -> "Future[Any]":
        """Return a study as if it had been read."""
        future: Future[Any] = Future()
        made = self.made(study_uid, int(study_uid.rpartition(".")[2]), recipe.namespace)
        future.set_result(Read(Sighting(study_uid, study_uid, "1"), made))
        return future

    def made(self, study_uid: str, number: int, namespace: UUID) -> Mapped:
        """Return a study as it is mapped: four of each patient, one device and one endpoint for all."""
        raise NotImplementedError

    def check(self) -> None:
        """Nothing is lost."""

    def result(self, future: "Future[Any]") -> Any:
        """Return what came of it."""
        return future.result()


class MapsEach(Crew):
    """Maps and checks every study, as a job's own reading does."""

    def made(self, study_uid: str, number: int, namespace: UUID) -> Mapped:
        """See Crew.made."""
        found = mapped(study_uid, f"P{number // OF_PATIENT}", namespace)
        check(found.resources)
        return replace(found, resources=[portable(one) for one in found.resources])


class MapsOnce(Crew):
    """Maps one study, and says of each that is asked for that it is like it: what is left is writing files."""

    UID = "1.2.826.0.1.7"

    def __init__(self, namespace: UUID) -> None:
        self._mapped = mapped(self.UID, "P1", namespace)
        self._text = dump(self._mapped.resources).decode()
        self._ids = {one["id"]: one["resourceType"] for one in self._mapped.resources}

    def made(self, study_uid: str, number: int, namespace: UUID) -> Mapped:
        """See Crew.made."""
        text = self._text.replace(self.UID, study_uid)
        for id, kind in self._ids.items():
            of = {"Patient": number // OF_PATIENT, "Device": 0, "Endpoint": 0}.get(kind, number)
            text = text.replace(id, str(uuid5(namespace, f"{id} {of}")))
        return replace(self._mapped, resources=orjson.loads(text))
