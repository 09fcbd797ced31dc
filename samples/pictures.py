"""Moving and coloured pictures: an echocardiogram and a photograph."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.sr.codedict import codes
from pydicom.uid import UltrasoundMultiFrameImageStorage, VLPhotographicImageStorage

from samples.dataset import Attributes, code
from samples.header import Header
from samples.phantoms.heart import heart
from samples.phantoms.skin import skin
from samples.pixels import colour, grey

FRAMES = 16


def us_heart(header: Header, series: Attributes) -> list[Dataset]:
    """Return one loop of a beating heart."""
    loop: Attributes = {
        "ImageType": ["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"],
        "PatientOrientation": "",
        "BodyPartExamined": "HEART",
        "AnatomicRegionSequence": [code(codes.SCT.Heart)],
        "NumberOfFrames": FRAMES,
        "FrameTime": 60,
        "FrameIncrementPointer": tag_for_keyword("FrameTime"),
        "LossyImageCompression": "00",
        "BurnedInAnnotation": "NO",
        **grey(heart(FRAMES, 128, 1.1), 8),
    }
    return header.instances(series, UltrasoundMultiFrameImageStorage, [loop])


def xc_skin(header: Header, series: Attributes) -> list[Dataset]:
    """Return a photograph of a mole beside a ruler."""
    photograph: Attributes = {
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "PatientOrientation": "",
        "AnatomicRegionSequence": [code(codes.SCT.Forearm)],
        "Laterality": "R",
        "AcquisitionContextSequence": [],
        "LossyImageCompression": "00",
        "BurnedInAnnotation": "NO",
        **colour(skin(128, 160, 0.15)),
    }
    return header.instances(series, VLPhotographicImageStorage, [photograph])
