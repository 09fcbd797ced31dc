"""A source and how people change what it holds: in memory, and a real Orthanc; one set of tests runs on both."""

from typing import Any, Protocol

import requests

from mapper.dicom.reader import Reader
from mapper.errors import SourceDown
from mapper.http.peer import Bound
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.settings import OrthancSource, Settings
from mapper.sources.orthanc.source import Orthanc
from mapper.sources.source import Source
from mapper.wiring import dicomweb_of
from samples.dataset import part10
from stack import Orthanc as Server
from tests.support.fakes import FakeSource
from tests.support.http_fake import wait_until
from tests.support.part10 import instance

STABLE_AGE = 1


class Archive(Protocol):
    """What the contract needs to do to an archive."""

    @property
    def source(self) -> Source:
        """The archive as the mapper sees it."""

    def store(
        self, study_uid: str, number: int = 1, patient: str = "P1", stable: bool = True, **attributes: str
    ) -> None:
        """Take in one instance; `stable` waits until nothing more is expected."""

    def delete(self, study_uid: str, patient: str = "P1") -> None:
        """Remove a study."""

    def forget(self, id: str) -> None:
        """Remove the study that has this id of the source's own."""

    def delete_instance(self, study_uid: str, number: int, patient: str = "P1") -> None:
        """Remove one instance of a study."""

    def stop(self) -> None:
        """Answer nobody any more."""


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.fake = FakeSource()

    @property
    def source(self) -> Source:
        return self.fake

    def store(
        self, study_uid: str, number: int = 1, patient: str = "P1", stable: bool = True, **attributes: str
    ) -> None:
        self.fake.store(study_uid, patient, str(number), stable=stable, **attributes)

    def delete(self, study_uid: str, patient: str = "P1") -> None:
        self.fake.delete(study_uid, patient)

    def forget(self, id: str) -> None:
        del self.fake.held[id]

    def delete_instance(self, study_uid: str, number: int, patient: str = "P1") -> None:
        self.fake.delete_instance(study_uid, str(number), patient)

    def stop(self) -> None:
        self.fake.down = SourceDown("stopped")


class Real:
    """Orthanc."""

    def __init__(self, server: Server) -> None:
        self.server = server
        user, password = server.auth or (None, None)
        reader = Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS)
        self._source = Orthanc(server.url, reader, user, password, answer=Bound(64, 20.0))
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = server.auth

    @property
    def source(self) -> Source:
        return self._source

    def ask(self, method: str, path: str, data: bytes | None = None) -> Any:
        answer = self._session.request(method, f"{self.server.url}{path}", data=data, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def store(
        self, study_uid: str, number: int = 1, patient: str = "P1", stable: bool = True, **attributes: str
    ) -> None:
        stored = self.ask("POST", "/instances", part10(instance(study_uid, number, PatientID=patient, **attributes)))
        if stable:
            wait_until(lambda: self.ask("GET", f"/studies/{stored['ParentStudy']}")["IsStable"], 30)

    def ids(self, level: str, uid: str, patient: str) -> list[str]:
        """Return Orthanc's ids of what has this UID under a patient."""
        found = [hit for hit in self.ask("POST", "/tools/lookup", uid.encode()) if hit["Type"] == level]
        return [hit["ID"] for hit in found if self.patient(hit["Path"]) == patient]

    def patient(self, path: str) -> str:
        return str(self.ask("GET", f"{path}/patient")["MainDicomTags"]["PatientID"])

    def delete(self, study_uid: str, patient: str = "P1") -> None:
        (found,) = self.ids("Study", study_uid, patient)
        self.forget(found)

    def forget(self, id: str) -> None:
        self.ask("DELETE", f"/studies/{id}")

    def delete_instance(self, study_uid: str, number: int, patient: str = "P1") -> None:
        (found,) = self.ids("Instance", f"{study_uid}.1.{number}", patient)
        self.ask("DELETE", f"/instances/{found}")

    def stop(self) -> None:
        self.server.kill()


class OverDicomweb(Real):
    """Orthanc's DICOMweb alone, as that of any archive."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        user, password = server.auth or (None, None)
        there = {"name": "dicomweb", "kind": "dicomweb", "url": server.url, "user": user, "password": password}
        source = OrthancSource.model_validate(there | {"patient_system": "urn:x-patients"})
        self._dicomweb = dicomweb_of(source, Settings(timeout=20.0))

    @property
    def source(self) -> Source:
        return self._dicomweb
