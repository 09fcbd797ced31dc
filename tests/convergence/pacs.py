"""Orthanc as a person or a modality uses it: patient while it is down, and never sure of an answer that was cut."""

import time
from io import BytesIO
from typing import Any

import requests
from pydicom import Dataset, dcmread

from samples.dataset import part10
from stack import Orthanc
from tests.support.stack import session

PATIENCE = 90.0
CUT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
"""No answer, or half of one: whether Orthanc did what it was asked is open."""
Json = dict[str, Any]


class Pacs:
    """Asks one Orthanc again until it answers."""

    def __init__(self, orthanc: Orthanc) -> None:
        self.orthanc = orthanc
        self.http = session()
        self.http.auth = orthanc.auth

    def ask(self, method: str, path: str, **others: Any) -> Any:
        """Return Orthanc's JSON answer to what may be said twice, None for 404."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self.http.request(method, self.orthanc.url + path, timeout=30, **others)
                if answer.status_code == 404:
                    return None
                if answer.status_code < 500:
                    answer.raise_for_status()
                    return answer.json()
                problem: object = f"HTTP {answer.status_code}"
            except CUT as error:
                problem = type(error).__name__
            assert time.monotonic() < end, f"Orthanc: {method} {path}: {problem}"
            time.sleep(0.2)

    def once(self, path: str, **body: Any) -> str:
        """Ask for what must not be done twice, and return how it went; a cut connection leaves that open."""
        try:
            answer = self.http.post(self.orthanc.url + path, json=body, timeout=30)
        except CUT:
            return "no answer"
        if answer.status_code == 400:
            return f"refused: {answer.json().get('Details', '')[:80]}"
        return "done" if answer.status_code == 200 else f"HTTP {answer.status_code}"

    def store(self, *datasets: Dataset) -> None:
        """Store instances."""
        for each in datasets:
            self.ask("POST", "/instances", data=part10(each))

    def studies(self, prefix: str = "") -> list[Json]:
        """Return the studies of all patients whose PatientID begins so, in an order that does not depend on Orthanc."""
        query = {"Level": "Study", "Expand": True, "Query": {"PatientID": f"{prefix}*"}}
        found = self.ask("POST", "/tools/find", json=query) or []
        return sorted(found, key=lambda one: (patient_of(one), uid_of(one)))

    def series(self, study: Json) -> list[Json]:
        """Return the series of a study, in order of SeriesInstanceUID."""
        found = self.ask("GET", f"/studies/{study['ID']}/series") or []
        return sorted(found, key=lambda one: str(one["MainDicomTags"]["SeriesInstanceUID"]))

    def instances(self, study: Json) -> list[Json]:
        """Return the instances of a study, in order of SOPInstanceUID."""
        found = self.ask("GET", f"/studies/{study['ID']}/instances") or []
        return sorted(found, key=lambda one: str(one["MainDicomTags"]["SOPInstanceUID"]))

    def file(self, instance: Json) -> Dataset | None:
        """Return one instance, None when it went meanwhile."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                answer = self.http.get(f"{self.orthanc.url}/instances/{instance['ID']}/file", timeout=30)
            except CUT:
                time.sleep(0.2)
                continue
            return dcmread(BytesIO(answer.content)) if answer.status_code == 200 else None
        raise AssertionError("Orthanc does not come back")

    def files(self, study: Json) -> list[Dataset]:
        """Return all instances of a study that are still there."""
        return [one for one in map(self.file, self.instances(study)) if one is not None]


def uid_of(study: Json) -> str:
    """Return the StudyInstanceUID of one of Orthanc's studies."""
    return str(study["MainDicomTags"]["StudyInstanceUID"])


def patient_of(study: Json) -> str:
    """Return the PatientID of one of Orthanc's studies."""
    return str(study["PatientMainDicomTags"]["PatientID"])
