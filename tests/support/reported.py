"""Studies of documents, written by keyword or taken from the samples, and what they become."""

import json
from functools import cache
from io import BytesIO
from typing import Any

from pydicom import Dataset, dcmread

from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.dicom.study import IDENTITY, Study
from mapper.fhir.bundle import dump, transaction
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, Mapped, study_to_fhir
from mapper.maps.site import Site
from mapper.sources.data_set import json_model
from samples.dataset import part10
from samples.sr.catalogue import DOCUMENTS, MAKERS, OBJECTS
from tests.support.datasets import BASE, BERLIN, dataset

SITE = Site(
    base=BASE,
    dicomweb="https://pacs.example.org/dicom-web",
    fhir_public_url="https://fhir.example.org/fhir",
    timezone=BERLIN,
)
STUDY_UID = "1.2.826.0.1.3680043.8.498.7"
SAMPLES = (*MAKERS, *DOCUMENTS, *OBJECTS)
"""Names of all samples of documents."""
COMPREHENSIVE, BASIC_TEXT, DOSE, KEY_OBJECTS = "88.33", "88.11", "88.67", "88.59"


def instance(root: dict[str, Any], sop_class: str = COMPREHENSIVE, number: int = 9, **more: Any) -> dict[str, Any]:
    """Return the DICOM JSON of a report with this content tree."""
    head = {
        "PatientID": "MRN-0042",
        "StudyInstanceUID": STUDY_UID,
        "StudyDate": "20240517",
        "StudyTime": "093105",
        "TimezoneOffsetFromUTC": "+0200",
        "SOPClassUID": f"1.2.840.10008.5.1.4.1.1.{sop_class}",
        "Modality": "SR",
        "SeriesInstanceUID": f"{STUDY_UID}.{number}",
        "SOPInstanceUID": f"{STUDY_UID}.{number}.1",
        "InstanceNumber": 1,
        "ContentDate": "20240517",
        "ContentTime": "100200",
        "VerificationFlag": "VERIFIED",
    }
    return dataset(**{**head, **root, **more})


def study_of(*instances: dict[str, Any]) -> Study:
    """Return a study as a DICOMweb server would send it."""
    collector = Collector()
    Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read(json.dumps(instances).encode(), collector)
    return collector.only_study()


def mapped(*instances: dict[str, Any], **choices: Any) -> Mapped:
    """Return what a study becomes."""
    return study_to_fhir(study_of(*instances), site_with(choices))


@cache
def sample(name: str) -> Dataset:
    """Return a sample of samples.sr as a file gives it."""
    return dcmread(BytesIO(part10({**MAKERS, **DOCUMENTS, **OBJECTS}[name]())))


def study_of_samples(*names: str) -> Study:
    """Return the study of some samples, as a folder of files gives it."""
    collector = Collector()
    for name in names:
        elements = json_model(sample(name), {*KEYWORDS, *DOCUMENT_KEYWORDS, *INSTANCE_KEYWORDS, *IDENTITY})
        collector.add(elements, document=elements)
    return collector.only_study()


def mapped_samples(*names: str, **choices: Any) -> Mapped:
    """Return what the study of some samples becomes."""
    return study_to_fhir(study_of_samples(*names), site_with(choices))


def site_with(choices: dict[str, Any]) -> Site:
    """Return the site of the tests with other choices; raises TypeError for one that no site has."""
    if unknown := choices.keys() - Site.model_fields.keys():
        raise TypeError(f"no choice of a site: {', '.join(sorted(unknown))}")
    return SITE.model_copy(update=choices)


def bundle_of(found: Mapped) -> dict[str, Any]:
    """Return the Bundle that would be sent."""
    return transaction(found.resources, SITE.fhir_public_url)


def text_of(found: Mapped) -> str:
    """Return the bytes that would be sent, as text."""
    return dump(bundle_of(found)).decode()


def of_kind(found: Mapped, kind: str) -> list[dict[str, Any]]:
    """Return the resources of a type, as they are sent."""
    return [json.loads(dump(one)) for one in found.resources if one["resourceType"] == kind]


def coded(found: Mapped, code: str, kind: str = "Observation") -> list[dict[str, Any]]:
    """Return the resources of a type whose code has this code in it."""
    return [one for one in of_kind(found, kind) if code in codes_of(one["code"])]


def codes_of(concept: dict[str, Any]) -> list[str]:
    """Return the codes of a CodeableConcept."""
    return [one["code"] for one in concept.get("coding", ())]
