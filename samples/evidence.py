"""What a reader adds to a CT: a segmentation, a measurement report and key images (by highdicom)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highdicom as hd
import numpy as np
from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.sr import (
    Comprehensive3DSR,
    FindingSite,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    ReferencedSegment,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from samples.dataset import Attributes, dataset, part10, uid
from samples.header import Header
from samples.phantoms.chest import Point
from samples.sections import CT_SIZE, CT_SPACING, THICKNESS

READER = "Example^Rita^^Dr."
CHEST_CT = Code("24627-2", "LN", "CT Chest")


@dataclass(frozen=True)
class Lesion:
    """Describe a round lesion that is followed from study to study."""

    label: str
    tracking_uid: str
    centre: Point
    radius: float

    def mask(self, heights: Sequence[float]) -> NDArray[np.bool_]:
        """Return slices x rows x columns, true inside the lesion."""
        grid = (np.arange(CT_SIZE) - (CT_SIZE - 1) / 2) * CT_SPACING
        x, y, z = self.centre
        far = (grid[None, None, :] - x) ** 2 + (grid[None, :, None] - y) ** 2
        return np.asarray(far + (np.asarray(heights)[:, None, None] - z) ** 2 <= self.radius**2)


def segmentation(header: Header, series: Attributes, images: Sequence[Dataset], lesion: Lesion) -> Dataset:
    """Return the lesion's outline as a binary segmentation of a series."""
    algorithm = hd.AlgorithmIdentificationSequence("Lesion Finder", codes.cid7162.ArtificialIntelligence, "0.9")
    segment = SegmentDescription(
        1,
        lesion.label,
        codes.SCT.MorphologicallyAbnormalStructure,
        codes.SCT.Nodule,
        "AUTOMATIC",
        algorithm,
        tracking_uid=lesion.tracking_uid,
        tracking_id=lesion.label,
        anatomic_regions=[codes.SCT.Lung],
    )
    made = Segmentation(
        [_file(image) for image in images],
        lesion.mask([float(image.SliceLocation) for image in images]),
        SegmentationTypeValues.BINARY,
        [segment],
        content_description="Nodule of the left lung",
        content_label="NODULE",
        content_creator_name=READER,
        **_identity(header, series),
        **_device(series),
    )
    return _settled(made, header, series)


def measurements(
    header: Header, series: Attributes, images: Sequence[Dataset], outline: Dataset, lesion: Lesion
) -> Dataset:
    """Return a TID 1500 report with the long axis and the volume of the lesion."""
    mask = lesion.mask([float(image.SliceLocation) for image in images])
    volume = float(mask.sum() * CT_SPACING**2 * THICKNESS)
    used = [image for image, part in zip(images, mask, strict=True) if part.any()]
    group = VolumetricROIMeasurementsAndQualitativeEvaluations(
        TrackingIdentifier(lesion.tracking_uid, lesion.label),
        referenced_segment=ReferencedSegment(
            outline.SOPClassUID,
            outline.SOPInstanceUID,
            segment_number=1,
            source_series=SourceSeriesForSegmentation(images[0].SeriesInstanceUID),
        ),
        finding_category=codes.SCT.MorphologicallyAbnormalStructure,
        finding_type=codes.SCT.Nodule,
        finding_sites=[FindingSite(codes.SCT.Lung, laterality=codes.SCT.Left)],
        measurements=[
            Measurement(codes.SCT.LongAxis, 2 * lesion.radius, codes.UCUM.Millimeter),
            Measurement(codes.SCT.Volume, volume, codes.UCUM.CubicMillimeter),
        ],
    )
    content = MeasurementReport(
        ObservationContext(ObserverContext(codes.DCM.Person, PersonObserverIdentifyingAttributes(READER))),
        procedure_reported=CHEST_CT,
        imaging_measurements=[group],
    )
    made = Comprehensive3DSR(
        [outline, *used],
        content,
        is_complete=True,
        is_final=True,
        is_verified=True,
        verifying_observer_name=READER,
        verifying_organization="Example Hospital",
        **_identity(header, series),
        manufacturer=series["Manufacturer"],
    )
    return _settled(made, header, series)


def key_images(header: Header, series: Attributes, images: Sequence[Dataset]) -> Dataset:
    """Return a note that points to the images worth a look."""
    content = KeyObjectSelection(codes.DCM.OfInterest, images, description="Largest extent of the nodule")
    made = KeyObjectSelectionDocument(images, content, **_identity(header, series), manufacturer=series["Manufacturer"])
    return _settled(made, header, series)


def _identity(header: Header, series: Attributes) -> Attributes:
    return {
        "series_instance_uid": series["SeriesInstanceUID"],
        "series_number": series["SeriesNumber"],
        "sop_instance_uid": uid(header.name, series["SeriesNumber"], 1),
        "instance_number": 1,
    }


def _device(series: Attributes) -> Attributes:
    return {
        "manufacturer": series["Manufacturer"],
        "manufacturer_model_name": series["ManufacturerModelName"],
        "software_versions": series["SoftwareVersions"],
        "device_serial_number": series["DeviceSerialNumber"],
    }


def _file(image: Dataset) -> Dataset:
    """Return the image with the file meta information that highdicom asks for."""
    part10(image)
    return image


def _settled(made: Dataset, header: Header, series: Attributes) -> Dataset:
    """Replace what the library took from the clock or from chance, and complete patient, study and series."""
    date, time = series["SeriesDate"], series["SeriesTime"]
    settled: Attributes = {
        "InstanceCreationDate": date,
        "InstanceCreationTime": time,
        "ContentDate": date,
        "ContentTime": time,
        "ContributionDateTime": date + time,
        "VerificationDateTime": date + time,
        "DimensionOrganizationUID": uid(header.name, series["SeriesNumber"], "dimensions"),
    }
    for element in made.iterall():
        if element.keyword in settled:
            element.value = settled[element.keyword]
    plain = Dataset()
    plain.update(made)
    plain.update(dataset({**header.shared, **series}))
    return plain
