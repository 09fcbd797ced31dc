"""Segmentations as MONAI Label stores them: every segment has the code of the spleen, under the name of its organ.

So by its two writers: dcmqi's itkimage2segimage makes a binary segmentation, highdicom a label map. Nothing is tracked.
"""

from __future__ import annotations

from collections.abc import Sequence

import highdicom as hd
import numpy as np
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from samples.header import Header
from samples.sr.settled import settled

LABELS = ("liver", "spleen", "left kidney")
SIZE = 8
"""Pixels that each organ is wide."""


def segmentation(header: Header, images: Sequence[Dataset], kind: SegmentationTypeValues, number: int) -> Dataset:
    """Return a segmentation of three organs, of either SOP class."""
    algorithm = hd.AlgorithmIdentificationSequence("MONAILABEL", codes.cid7162.ArtificialIntelligence, "1.0")
    described = [
        SegmentDescription(
            place,
            label,
            Code("123037004", "SCT", "Anatomical Structure"),
            Code("78961009", "SCT", label),
            "AUTOMATIC",
            algorithm,
        )
        for place, label in enumerate(LABELS, 1)
    ]
    series = {**header.series(number, "SEG", "MONAI Label", 25), "BodyPartExamined": ""}
    made = Segmentation(
        list(images),
        organs(images),
        kind,
        described,
        series_instance_uid=series["SeriesInstanceUID"],
        series_number=number,
        sop_instance_uid=series["SeriesInstanceUID"],
        instance_number=1,
        manufacturer="MONAI",
        manufacturer_model_name="MONAI Label",
        software_versions="0.8",
        device_serial_number="0",
        content_label="LABELS",
        omit_empty_frames=True,
    )
    plain = settled(made, header, series)
    plain.ContentDescription = "Labels of MONAI Label"
    return plain


def organs(images: Sequence[Dataset]) -> NDArray[np.uint8]:
    """Return slices x rows x columns, in each slice a square an organ, numbered from 1."""
    first = images[0]
    labels = np.zeros((len(images), first.Rows, first.Columns), dtype=np.uint8)
    for place in range(len(LABELS)):
        labels[:, SIZE : 2 * SIZE, 2 * SIZE * place : 2 * SIZE * place + SIZE] = place + 1
    return labels
