"""Series of sections through the body: CT and MR."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, MRImageStorage

from samples.dataset import Attributes, code, uid
from samples.header import Header
from samples.phantoms.brain import brain
from samples.phantoms.canvas import grain, soften
from samples.phantoms.chest import Point, chest
from samples.pixels import grey

CT_SIZE, CT_SPACING, THICKNESS = 192, 2.0, 5.0
MR_SIZE, MR_SPACING, MR_STEP = 128, 1.6, 7.0

KERNELS: dict[str, Attributes] = {
    "soft": {"ConvolutionKernel": "SOFT", "WindowCenter": 50, "WindowWidth": 400},
    "lung": {"ConvolutionKernel": "LUNG", "WindowCenter": -550, "WindowWidth": 1600},
}
WEIGHTINGS: dict[str, Attributes] = {
    "T1": {
        "ScanningSequence": "SE",
        "SequenceVariant": "NONE",
        "RepetitionTime": 500,
        "EchoTime": 12,
        "EchoTrainLength": 1,
    },
    "FLAIR": {
        "ScanningSequence": ["SE", "IR"],
        "SequenceVariant": "SK",
        "RepetitionTime": 9000,
        "EchoTime": 110,
        "InversionTime": 2500,
        "EchoTrainLength": 16,
    },
}


def _plane(header: Header, size: int, spacing: float, z: float, thickness: float) -> Attributes:
    corner = round(-(size - 1) / 2 * spacing, 3)
    return {
        "FrameOfReferenceUID": uid(header.name, "frame of reference"),
        "PositionReferenceIndicator": "",
        "ImagePositionPatient": [corner, corner, z],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [spacing, spacing],
        "SliceThickness": thickness,
        "SliceLocation": z,
    }


def ct_chest(
    header: Header,
    series: Attributes,
    kernel: str,
    heights: range,
    nodule: tuple[Point, float] | None = None,
    extra: Attributes | None = None,
) -> list[Dataset]:
    """Return an axial series of the chest from the head downwards, one slice a height."""
    images: list[Attributes] = []
    for z in heights:
        image = chest(z, CT_SIZE, CT_SPACING, nodule)
        image = soften(grain(image, 34, z, 1)) if kernel == "soft" else grain(image, 26, z, 2)
        images.append(
            {
                "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
                "AcquisitionNumber": 1,
                "AcquisitionDate": series["SeriesDate"],
                "AcquisitionTime": series["SeriesTime"],
                "BodyPartExamined": "CHEST",
                "PatientPosition": "HFS",
                "KVP": 120,
                "ExposureTime": 500,
                "XRayTubeCurrent": 180,
                "GantryDetectorTilt": 0,
                "RescaleIntercept": -1024,
                "RescaleSlope": 1,
                "RescaleType": "HU",
                **_plane(header, CT_SIZE, CT_SPACING, float(z), THICKNESS),
                **KERNELS[kernel],
                **grey(image + 1024, 12),
                **(extra or {}),
            }
        )
    return header.instances(series, CTImageStorage, images)


def mr_brain(
    header: Header, series: Attributes, weighting: str, slices: int, extra: Attributes | None = None
) -> list[Dataset]:
    """Return an axial series of the brain from below upwards."""
    images: list[Attributes] = []
    for number in range(slices):
        z = 12 + number * MR_STEP
        image = grain(brain(z, weighting, MR_SIZE, MR_SPACING), 16, number, len(weighting))
        images.append(
            {
                "ImageType": ["ORIGINAL", "PRIMARY", "M", "SE"],
                "AcquisitionNumber": "",
                "PatientPosition": "HFS",
                "ScanOptions": "",
                "MRAcquisitionType": "2D",
                "MagneticFieldStrength": 3,
                "SpacingBetweenSlices": MR_STEP,
                "ProtocolName": f"{weighting} axial",
                "WindowCenter": 450,
                "WindowWidth": 900,
                **WEIGHTINGS[weighting],
                **_plane(header, MR_SIZE, MR_SPACING, z, 5.0),
                **grey(abs(image), 12),
                **(extra or {}),
            }
        )
    return header.instances(series, MRImageStorage, images)


BRAIN: Attributes = {"AnatomicRegionSequence": [code(codes.SCT.Brain)]}
