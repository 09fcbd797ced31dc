"""Datasets for tests: a dict of paths and contents becomes a folder, a folder a Dataset."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mapper.maps.research.checked import CHECKS
from mapper.records.sds.check import check
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.lineage import Lineage
from mapper.records.sds.row import Performance, Sample, Sheet, Site, Subject
from mapper.sources.sds.reader import read_dataset
from tests.support.part10 import instance, save

DESCRIPTION = (
    "Metadata element,Value\nMetadata version,{version}\nTitle,A dataset\n"
    "Identifier,10.5555/x\nIdentifier type,DOI\nRelation type,HasMetadata\n"
    "Identifier description,DOI for this dataset\n"
)
Content = str | bytes | Mapping[str, Any]


def image(study: str, number: int = 1, **attributes: Any) -> dict[str, Any]:
    """Return what becomes a DICOM file; PatientID is by default what SUBJECTS name."""
    return {"study_uid": study, "number": number, "PatientID": "1", **attributes}


def dataset(root: Path, files: Mapping[str, Content], version: str = "3.0.2", **how: Any) -> Dataset:
    """Write files into a folder, with a description where there is none, and read it as a dataset."""
    if not any(name.startswith("dataset_description") for name in files):
        files = {"dataset_description.csv": DESCRIPTION.format(version=version), **files}
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Mapping):
            save(path, instance(**content))
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
    return read_dataset(root, **how)


def found(told: Dataset) -> dict[str, list[str]]:
    """Return what `check` finds: code -> places."""
    places: dict[str, list[str]] = {}
    for one in check(told, CHECKS):
        places.setdefault(one.code, []).append(str(one.where))
    return places


def lineage(
    subjects: Iterable[Mapping[str, str]] = (),
    samples: Iterable[Mapping[str, str]] = (),
    sites: Iterable[Mapping[str, str]] = (),
    performances: Iterable[Mapping[str, str]] = (),
) -> Lineage:
    """Return the lineage of rows that were never in a file."""
    sheet = Sheet("", {})
    return Lineage(
        [Subject(sheet, 0, cells, {}) for cells in subjects],
        [Sample(sheet, 0, cells, {}) for cells in samples],
        [Site(sheet, 0, cells, {}) for cells in sites],
        [Performance(sheet, 0, cells, {}) for cells in performances],
    )
