"""Write a dataset into a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom.uid import MRImageStorage

from samples.dataset import dataset, part10, uid
from samples.sds.catalogue import DATASETS, LICENSE, SampleDataset, SampleStudy
from samples.sds.sheets import write_elements, write_rows

IMAGES = 2
"""Instances of each series."""
SUBJECTS = ("subject id", "subject experimental group", "age", "sex", "species", "strain", "date of birth")
SAMPLES = ("sample id", "subject id", "sample experimental group", "sample type", "sample anatomical location")
DESCRIBED = ("Metadata element", "Description", "Example", "Value")
SUBMITTED = {
    "Consortium data standard": ("SPARC",),
    "Funding consortium": ("EXTERNAL",),
    "Award number": (),
    "Milestone achieved": (),
    "Milestone completion date": ("2024-03-31",),
}


def write(folder: Path, name: str = "breast", version: str = "3.0.2", form: str = "xlsx") -> Path:
    """Write one dataset below a folder and return its own folder; sheets are xlsx, csv or json."""
    told = DATASETS[name]
    root = folder / name
    root.mkdir(parents=True)
    third = version.startswith("3")
    elements = {("Metadata version" if third else "Metadata Version"): (version,), **told.elements}
    if third:
        elements["License"] = (LICENSE,)
    elements["Number of subjects"] = (str(len(told.subjects)),)
    elements["Number of samples"] = (str(len(told.samples)),)
    write_elements(root, "dataset_description", form, DESCRIBED, elements)
    write_elements(root, "submission", form, ("Submission Item", "Definition", "Value"), SUBMITTED)
    write_rows(root, "subjects", form, (*SUBJECTS, "laboratory internal id"), told.subjects)
    write_rows(root, "samples", form, (*SAMPLES, "laterality"), told.samples)
    (root / "README.md").write_text(f"# {told.elements['Title'][0]}\n\nSynthetic. Not for diagnosis.\n")
    files = dict(write_studies(root, told, third))
    if third:
        (root / ".dss").write_text(f"(sds {version})\n")
        rows = [{"filename": file, "entity": sample, "file type": ".dcm"} for file, sample in files.items()]
        write_rows(root, "manifest", form, ("filename", "entity", "file type"), rows)
    else:
        rows = [{"filename": file.removeprefix("primary/"), "description": "MR image"} for file in files]
        write_rows(root / "primary", "manifest", form, ("filename", "description"), rows)
    if told.observations:
        (root / "measurements.json").write_text(json.dumps(measurements(told), indent=4))
    return root


def write_studies(root: Path, told: SampleDataset, third: bool) -> Iterator[tuple[str, str]]:
    """Write the DICOM files; yields each one's path within the dataset, and its sample."""
    for study in told.studies:
        for number, (sample, description) in enumerate(study.series.items(), 1):
            for image in range(1, IMAGES + 1):
                layout = study.folder if third else SampleStudy.folder
                folder = layout.format(subject=study.subject, sample=sample)
                file = f"{folder}/{sample}-{image:04}.dcm"
                path = root / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(part10(dataset(header(told, study, number, description, image))))
                yield file, sample


def header(told: SampleDataset, study: SampleStudy, number: int, description: str, image: int) -> dict[str, Any]:
    """Return the attributes of one instance: MR, 8 x 8 pixels."""
    place = ("sds", told.name, study.subject)
    return {
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": uid(*place, number, image),
        "StudyInstanceUID": uid(*place),
        "SeriesInstanceUID": uid(*place, number),
        "SeriesNumber": number,
        "InstanceNumber": image,
        "Modality": "MR",
        "Manufacturer": "Example Imaging",
        "StudyDescription": told.elements["Title"][0],
        "SeriesDescription": description,
        **study.header,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 8,
        "Columns": 8,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "PixelData": bytes(range(64)),
    }


def measurements(told: SampleDataset) -> dict[str, Any]:
    """Return what fhir-cda 1.2.5 writes of such a dataset: subjects by the names of their folders."""
    return {
        "dataset": {"uuid": "", "name": told.name},
        "patients": [
            {
                "uuid": "",
                "name": study.subject,
                "observations": [
                    {"resourceType": "Observation", "uuid": "", **one}
                    for one in told.observations.get(study.subject, ())
                ],
                "imagingStudy": [
                    {
                        "resourceType": "ImagingStudy",
                        "uuid": "",
                        "endpointUrl": "",
                        "description": "dcm",
                        "display": "",
                        "series": [
                            {
                                "uid": uid("sds", told.name, study.subject, number),
                                "endpointUuid": "",
                                "endpointUrl": "",
                                "name": sample,
                                "numberOfInstances": IMAGES,
                                "bodySite": {
                                    "system": "http://snomed.info/sct",
                                    "code": "76752008",
                                    "display": "Breast",
                                },
                                "instances": [],
                            }
                            for number, sample in enumerate(study.series, 1)
                        ],
                    }
                ],
                "documentReference": [],
            }
            for study in told.studies
        ],
    }
