"""Samples of documents through a real Orthanc."""

from typing import Any

from mapper.dicom.reader import Reader
from mapper.fhir.bundle import dump
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, Mapped, study_to_fhir
from mapper.sources.orthanc.source import Orthanc
from samples.dataset import part10
from stack import Orthanc as Server
from tests.support.reported import SITE, sample
from tests.support.stack import session

DERIVED = ("BodyStructure", "DiagnosticReport", "DocumentReference", "Observation")


def stored(server: Server, name: str) -> str:
    """Upload a sample; return its StudyInstanceUID."""
    answer = session().post(f"{server.url}/instances", data=part10(sample(name)), auth=server.auth, timeout=30)
    answer.raise_for_status()
    return str(sample(name).StudyInstanceUID)


def through(server: Server, study_uid: str, **choices: Any) -> Mapped:
    """Return what a study becomes that is read from an Orthanc."""
    reader = Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS)
    source = Orthanc(server.url, reader, *(server.auth or (None, None)))
    return study_to_fhir(source.read(study_uid, []).study, SITE.model_copy(update=choices))


def derived(found: Mapped) -> list[bytes]:
    return [dump(one) for one in found.resources if one["resourceType"] in DERIVED]
