"""What the two datasets say, as tables: subjects, samples, and the study that each subject has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VERSIONS = ("2.1.0", "3.0.2")
Cells = Mapping[str, str]


@dataclass(frozen=True)
class SampleStudy:
    """One study: the attributes of its header, and the sample that each of its series is."""

    subject: str
    header: Mapping[str, Any]
    series: Mapping[str, str]
    """Sample id -> SeriesDescription."""
    folder: str = "primary/{subject}/{sample}"
    """Where its files lie in SDS 3; in SDS 2 the folders always tell."""


@dataclass(frozen=True)
class SampleDataset:
    """One dataset; its elements and rows have the names of the template."""

    name: str
    elements: Mapping[str, tuple[str, ...]]
    subjects: tuple[Cells, ...]
    samples: tuple[Cells, ...]
    studies: tuple[SampleStudy, ...]
    observations: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """Subject id -> what measurements.json says of it, as fhir-cda writes it."""


LICENSE = "https://creativecommons.org/licenses/by/4.0/"
"""An element of SDS 3 alone."""
CONTRIBUTORS = {
    "Contributor name": ("Example, Eva", "Example, Otto"),
    "Contributor ORCiD": ("https://orcid.org/0000-0002-1825-0097", ""),
    "Contributor affiliation": ("Example University", "Example Hospital"),
    "Contributor role": ("PrincipalInvestigator, CorrespondingAuthor", "DataCollector"),
}
ANNA = {
    "PatientID": "SYN-0001",
    "PatientName": "Synthetic^Anna",
    "PatientSex": "F",
    "PatientBirthDate": "19780315",
    "PatientAge": "045Y",
}
ANNA_ROW = {
    "laboratory internal id": "SYN-0001",
    "age": "45 years",
    "sex": "female",
    "species": "Homo sapiens",
    "date of birth": "1978-03-15",
}

DATASETS: Mapping[str, SampleDataset] = {
    "breast": SampleDataset(
        name="breast",
        elements={
            "Type": ("experimental",),
            "Title": ("Synthetic MR images of the breast",),
            "Subtitle": ("Two subjects before and after contrast agent",),
            "Keywords": ("breast", "magnetic resonance imaging", "synthetic"),
            "Funding": ("EXAMPLE-0001",),
            "Study purpose": ("To have something to test with.",),
            "Study organ system": ("breast",),
            "Study approach": ("imaging",),
            "Study technique": ("magnetic resonance imaging",),
            **CONTRIBUTORS,
            "Identifier description": ("DOI for this dataset", "Protocol for dataset"),
            "Relation type": ("HasMetadata", "HasProtocol"),
            "Identifier": ("https://doi.org/10.5555/breast", "https://doi.org/10.5555/protocol"),
            "Identifier type": ("DOI", "DOI"),
        },
        subjects=(
            {"subject id": "sub-1", "subject experimental group": "contrast", **ANNA_ROW},
            {
                "subject id": "sub-2",
                "subject experimental group": "contrast",
                "laboratory internal id": "SYN-0002",
                "age": "61 years",
                "sex": "F",
                "species": "Homo sapiens",
            },
        ),
        samples=tuple(
            {
                "sample id": sample,
                "subject id": subject,
                "sample experimental group": group,
                "sample type": "MR series",
                "sample anatomical location": "breast",
                "laterality": side,
            }
            for sample, subject, group, side in (
                ("sam-1", "sub-1", "before contrast", "left"),
                ("sam-2", "sub-1", "after contrast", "left"),
                ("sam-3", "sub-2", "after contrast", "right"),
            )
        ),
        studies=(
            SampleStudy(
                "sub-1",
                {
                    **ANNA,
                    "StudyDate": "20240229",
                    "StudyTime": "101500",
                    "BodyPartExamined": "BREAST",
                    "Laterality": "L",
                },
                {"sam-1": "T1 before contrast", "sam-2": "T1 after contrast"},
            ),
            SampleStudy(
                "sub-2",
                {
                    "PatientID": "SYN-0002",
                    "PatientName": "Synthetic^Berta",
                    "PatientSex": "F",
                    "PatientAge": "061Y",
                    "StudyDate": "20240301",
                    "StudyTime": "093000",
                    "BodyPartExamined": "BREAST",
                    "Laterality": "R",
                },
                {"sam-3": "T1 after contrast"},
            ),
        ),
        observations={
            "sub-1": (
                {
                    "value": {
                        "valueQuantity": {
                            "value": 0.15,
                            "unit": "cm",
                            "system": "http://unitsofmeasure.org",
                            "code": "cm",
                        }
                    },
                    "code": "21889-1",
                    "codeSystem": "http://loinc.org",
                    "display": "Size Tumor",
                },
            )
        },
    ),
    "heart": SampleDataset(
        name="heart",
        elements={
            "Type": ("experimental",),
            "Title": ("Synthetic MR images of the heart",),
            "Keywords": ("heart", "magnetic resonance imaging", "synthetic"),
            "Study organ system": ("heart",),
            "Study approach": ("imaging",),
            "Study technique": ("magnetic resonance imaging",),
            **CONTRIBUTORS,
        },
        subjects=(
            {"subject id": "sub-1", **ANNA_ROW},
            {
                "subject id": "sub-2",
                "laboratory internal id": "PIG-7",
                "age": "12 weeks",
                "sex": "male",
                "species": "Sus scrofa domesticus",
                "strain": "Yucatan",
            },
        ),
        samples=(
            {
                "sample id": "sam-1",
                "subject id": "sub-1",
                "sample type": "MR series",
                "sample anatomical location": "heart",
            },
            {
                "sample id": "sam-2",
                "subject id": "sub-2",
                "sample type": "MR series",
                "sample anatomical location": "left ventricle",
            },
        ),
        studies=(
            SampleStudy(
                "sub-1",
                {**ANNA, "StudyDate": "20240229", "StudyTime": "110000", "BodyPartExamined": "HEART"},
                {"sam-1": "Cine short axis"},
            ),
            SampleStudy(
                "sub-2",
                {
                    "PatientID": "PIG-7",
                    "PatientName": "Synthetic^Piggy",
                    "PatientSex": "M",
                    "PatientAge": "012W",
                    "PatientSpeciesDescription": "Sus scrofa domesticus",
                    "ResponsiblePerson": "Example^Otto",
                    "ResponsiblePersonRole": "INVESTIGATOR",
                    "StudyDate": "20240305",
                    "StudyTime": "140000",
                    "BodyPartExamined": "HEART",
                },
                {"sam-2": "Cine long axis"},
                folder="primary/scans-of-march",
            ),
        ),
    ),
}
