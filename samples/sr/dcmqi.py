"""The volumetric group of measurements.py by another writer: tid1500writer of dcmqi, on DCMTK, in C++."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from samples.dataset import code, part10
from samples.evidence import READER
from samples.sr.measurements import (
    ATTENUATION,
    HOUNSFIELD,
    LONG_AXIS,
    LUNG,
    MARGINS,
    MASS,
    MEAN,
    METHOD,
    SPICULATED,
    VOLUME,
    Case,
    Reading,
)
from samples.sr.settled import settled


def measurement_report_by_dcmqi(found: Case, reading: Reading, number: int = 4) -> Dataset:
    """Return the report of one time; raises CalledProcessError when the writer refuses."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "outline.dcm").write_bytes(part10(found.outline))
        images = [f"{place:02}.dcm" for place in range(len(found.images))]
        for image, data in zip(images, found.images, strict=True):
            (folder / image).write_bytes(part10(data))
        (folder / "report.json").write_text(json.dumps(description(found, reading, images[:2], number)))
        subprocess.run(
            [
                str(distribution("dcmqi").locate_file("dcmqi/bin/tid1500writer")),
                *("--inputMetadata", folder / "report.json", "--outputDICOM", folder / "report.dcm"),
                *("--inputImageLibraryDirectory", folder, "--inputCompositeContextDirectory", folder),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
        made = dcmread(folder / "report.dcm")
    return settled(made, found.header, found.header.series(number, "SR", "Measurements by dcmqi", 16))


def description(found: Case, reading: Reading, library: list[str], number: int) -> dict[str, Any]:
    """Return what the writer is told (dcmqi's sr-tid1500-schema.json)."""
    return {
        "SeriesDescription": "Measurements by dcmqi",
        "SeriesNumber": str(number),
        "InstanceNumber": "1",
        "compositeContext": ["outline.dcm"],
        "imageLibrary": library,
        "observerContext": {"ObserverType": "PERSON", "PersonObserverName": READER},
        "VerificationFlag": "UNVERIFIED",
        "CompletionFlag": "COMPLETE",
        "activitySession": "1",
        "timePoint": reading.time_point,
        "Measurements": [
            {
                "TrackingIdentifier": found.lesion.label,
                "TrackingUniqueIdentifier": found.lesion.tracking_uid,
                "ReferencedSegment": 1,
                "SourceSeriesForImageSegmentation": str(found.images[0].SeriesInstanceUID),
                "segmentationSOPInstanceUID": str(found.outline.SOPInstanceUID),
                "MeasurementMethod": entry(METHOD),
                "Finding": entry(MASS),
                "FindingSite": entry(LUNG),
                "Laterality": entry(codes.SCT.Left),
                "measurementAlgorithmIdentification": {"AlgorithmName": "Lesion Finder", "AlgorithmVersion": "0.9"},
                "measurementItems": [
                    measured(LONG_AXIS, reading.long_axis, codes.UCUM.Millimeter),
                    measured(VOLUME, reading.volume, codes.UCUM.CubicMillimeter),
                    {**measured(ATTENUATION, reading.attenuation, HOUNSFIELD), "derivationModifier": entry(MEAN)},
                ],
                "qualitativeEvaluations": [{"conceptCode": entry(MARGINS), "conceptValue": entry(SPICULATED)}],
            }
        ],
    }


def measured(quantity: Code, value: str, unit: Code) -> dict[str, Any]:
    """Return one measurement."""
    return {"value": value, "quantity": entry(quantity), "units": entry(unit)}


def entry(concept: Code) -> dict[str, str]:
    """Return a code as the writer wants it."""
    return dict(code(concept))
