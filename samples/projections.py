"""X-ray projections: CR, DX, MG."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
)

from samples.dataset import Attributes, code
from samples.header import Header
from samples.phantoms.breast import breast
from samples.phantoms.canvas import Image, grain
from samples.phantoms.chest import radiographs
from samples.phantoms.hand import hand, marker
from samples.pixels import grey

# view: index of the projection, ViewPosition, ViewCodeSequence, PatientOrientation
CHEST_VIEWS: dict[str, tuple[int, str, Code, list[str]]] = {
    "frontal": (0, "PA", codes.SCT.PosteroAnterior, ["L", "F"]),
    "lateral": (1, "LL", codes.SCT.LeftLateral, ["A", "F"]),
}
BREAST_VIEWS: dict[str, Code] = {
    "CC": codes.cid4014.CranioCaudal,
    "MLO": codes.cid4014.MedioLateralObliqueProjection,
}
# PS3.3 C.8.11: what every digital X-ray image for presentation says
DIGITAL: Attributes = {
    "ImageType": ["ORIGINAL", "PRIMARY", ""],
    "PresentationIntentType": "FOR PRESENTATION",
    "BurnedInAnnotation": "NO",
    "LossyImageCompression": "00",
    "PixelIntensityRelationship": "LOG",
    "PixelIntensityRelationshipSign": 1,
    "PresentationLUTShape": "IDENTITY",
    "RescaleIntercept": 0,
    "RescaleSlope": 1,
    "RescaleType": "US",
    "DetectorType": "DIRECT",
    "WindowCenter": 2048,
    "WindowWidth": 4096,
    "AcquisitionContextSequence": [],
}


def cr_hand(header: Header, series: Attributes) -> list[Dataset]:
    """Return two views of a left hand, with the lead letter in the corner."""
    images: list[Attributes] = []
    for view, oblique in (("PA", False), ("RLO", True)):
        image = marker(grain(hand(256, 192, 1.0, oblique), 0.012, int(oblique)))
        images.append(
            {
                "ImageType": ["ORIGINAL", "PRIMARY"],
                "BodyPartExamined": "HAND",
                "ViewPosition": view,
                "Laterality": "L",
                "PatientOrientation": ["R", "F"],
                "ImagerPixelSpacing": [1.0, 1.0],
                "WindowCenter": 500,
                "WindowWidth": 1000,
                **grey(image * 930, 10),
            }
        )
    return header.instances(series, ComputedRadiographyImageStorage, images)


def dx_chest(header: Header, series: Attributes, views: Iterable[str]) -> list[Dataset]:
    """Return views of a chest, as seen by a flat detector."""
    images: list[Attributes] = []
    for index, position, view, orientation in (CHEST_VIEWS[name] for name in views):
        film = _larger(radiographs()[index])
        images.append(
            {
                **DIGITAL,
                "BodyPartExamined": "CHEST",
                "AnatomicRegionSequence": [code(codes.SCT.Chest)],
                "ImageLaterality": "U",
                "ViewPosition": position,
                "ViewCodeSequence": [code(view)],
                "PatientOrientation": orientation,
                "PositionerType": "",
                "ImagerPixelSpacing": [1.25, 1.25],
                **grey(grain(film, 0.008, index) * 4000, 12),
            }
        )
    return header.instances(series, DigitalXRayImageStorageForPresentation, images)


def mg_screening(header: Header, series: Attributes) -> list[Dataset]:
    """Return the four usual views: right and left, craniocaudal and oblique."""
    images: list[Attributes] = []
    for view, coded in BREAST_VIEWS.items():
        for side in "RL":
            image = grain(breast(192, 144, 0.9, side, view), 0.01, ord(side), len(view))
            images.append(
                {
                    **DIGITAL,
                    "BodyPartExamined": "BREAST",
                    "AnatomicRegionSequence": [code(codes.SCT.Breast)],
                    "ImageLaterality": side,
                    "ViewPosition": view,
                    "ViewCodeSequence": [{**code(coded), "ViewModifierCodeSequence": []}],
                    "PatientOrientation": ["P" if side == "R" else "A", "L" if view == "CC" else "F"],
                    "PositionerType": "MAMMOGRAPHIC",
                    "OrganExposed": "BREAST",
                    "BreastImplantPresent": "NO",
                    "PartialView": "NO",
                    "ImagerPixelSpacing": [0.9, 0.9],
                    **grey(image * 4000, 12),
                }
            )
    return header.instances(series, DigitalMammographyXRayImageStorageForPresentation, images)


def _larger(image: Image) -> Image:
    """Return twice the rows and columns, with straight lines between the samples."""
    for axis in (0, 1):
        between = (image + np.roll(image, -1, axis)) / 2
        shape = list(image.shape)
        shape[axis] *= 2
        image = np.stack([image, between], axis=axis + 1).reshape(shape)
    return image[:-1, :-1]
