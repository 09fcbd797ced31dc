"""DICOM files for tests: one instance written as a table of keywords."""

from pathlib import Path
from typing import Any

from pydicom import Dataset

from samples.dataset import dataset, part10

CT = "1.2.840.10008.5.1.4.1.1.2"


def instance(study_uid: str, number: int = 1, series: int = 1, **attributes: Any) -> Dataset:
    """Return one CT image without pixels; None leaves an attribute out."""
    given = {
        "SOPClassUID": CT,
        "SOPInstanceUID": f"{study_uid}.{series}.{number}",
        "StudyInstanceUID": study_uid,
        "SeriesInstanceUID": f"{study_uid}.{series}",
        "SeriesNumber": series,
        "InstanceNumber": number,
        "Modality": "CT",
        "PatientID": "P1",
        "PatientName": "Doe^Jane",
        "StudyDate": "20240229",
        "StudyTime": "083015",
        **attributes,
    }
    return dataset({keyword: value for keyword, value in given.items() if value is not None})


def save(path: Path, data: Dataset) -> Path:
    """Write a data set as a DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(part10(data))
    return path
