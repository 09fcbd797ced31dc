"""Measurement reports (PS3.16 TID 1500) by highdicom: a lesion that is followed, in a volume, a plane and alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    Comprehensive3DSR,
    FindingSite,
    GraphicTypeValues,
    ImageRegion,
    Measurement,
    MeasurementProperties,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    MeasurementStatisticalProperties,
    NormalRangeProperties,
    NumContentItem,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegment,
    RelationshipTypeValues,
    SourceImageForRegion,
    SourceSeriesForSegmentation,
    TimePointContext,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.valuerep import DSfloat

from samples.dataset import part10, uid
from samples.evidence import CHEST_CT, READER, Lesion, segmentation
from samples.header import Header
from samples.sections import ct_chest
from samples.sr.settled import settled

LUNG = Code("39607008", "SCT", "Lung")
UPPER_LOBE = Code("45653009", "SCT", "Structure of upper lobe of lung")
MASS, LESION = Code("4147007", "SCT", "Mass"), Code("52988006", "SCT", "Lesion")
VOLUME, LONG_AXIS = Code("118565006", "SCT", "Volume"), Code("103339001", "SCT", "Long Axis")
AREA = Code("42798000", "SCT", "Area")
MARGINS, SPICULATED = Code("111037", "DCM", "Margins"), Code("129742005", "SCT", "Spiculated lesion")
TEXTURE, SOLID = Code("C2348820", "UMLS", "Texture"), Code("255349005", "SCT", "Solid")
MEAN = Code("373098007", "SCT", "Mean")
METHOD = Code("126410", "DCM", "SUV body weight calculation method")
ARTIFICIAL = Code("123110", "DCM", "Artificial Intelligence")
HOUNSFIELD = Code("[hnsf'U]", "UCUM", "Hounsfield unit")
ATTENUATION = Code("112031", "DCM", "Attenuation Coefficient")
HEIGHTS = range(185, 155, -5)


@dataclass(frozen=True)
class Reading:
    """What was measured of the lesion at one time."""

    time_point: str
    long_axis: str
    volume: str
    attenuation: str


@dataclass(frozen=True)
class Case:
    """A CT of the chest with a nodule, and its outline."""

    header: Header
    images: Sequence[Dataset]
    outline: Dataset
    lesion: Lesion


def case(header: Header, radius: float) -> Case:
    """Return six slices through a nodule of the left lung and its segmentation, the nodule tracked over studies."""
    lesion = Lesion("Lesion 1", uid("anna", "lesion 1"), (84, -18, 170), radius)
    series = header.series(1, "CT", "Soft tissue 5.0")
    images = ct_chest(header, series, "soft", HEIGHTS, (lesion.centre, lesion.radius))
    for image in images:
        part10(image)  # highdicom asks for the file meta information
    outline = segmentation(header, header.series(2, "SEG", "Lesion 1", 8), images, lesion)
    return Case(header, images, outline, lesion)


def measurement_report(found: Case, reading: Reading, number: int = 3, before: Dataset | None = None) -> Dataset:
    """Return the report of one time: the lesion in its volume, in one plane, and without a region.

    Only the first group has an Observation UID, the same in the report that comes after one `before`.
    """
    groups = [volumetric(found, reading), planar(found, reading), without_region(found, reading)]
    groups[0][0].ObservationUID = uid(found.header.name, "observation")
    content = MeasurementReport(
        ObservationContext(ObserverContext(codes.DCM.Person, PersonObserverIdentifyingAttributes(READER))),
        procedure_reported=CHEST_CT,
        imaging_measurements=groups,
        referenced_images=list(found.images[:2]),
    )
    series = found.header.series(number, "SR", "Measurements", 20 if before else 15)
    made = Comprehensive3DSR(
        [found.outline, *found.images],
        content,
        series_instance_uid=series["SeriesInstanceUID"],
        series_number=number,
        sop_instance_uid=uid(found.header.name, number, 1),
        instance_number=1,
        manufacturer=series["Manufacturer"],
        is_complete=True,
        is_final=False,
        previous_versions=[before] if before else None,
    )
    return settled(made, found.header, series)


def volumetric(found: Case, reading: Reading) -> Any:
    """Return a group for the segmented volume (TID 1411)."""
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        referenced_segment=ReferencedSegment(
            found.outline.SOPClassUID,
            found.outline.SOPInstanceUID,
            segment_number=1,
            source_series=SourceSeriesForSegmentation(found.images[0].SeriesInstanceUID),
        ),
        method=METHOD,
        algorithm_id=AlgorithmIdentification("Lesion Finder", "0.9", ["threshold: -400"], ARTIFICIAL),
        measurements=[
            Measurement(LONG_AXIS, DSfloat(reading.long_axis), codes.UCUM.Millimeter),
            Measurement(VOLUME, DSfloat(reading.volume), codes.UCUM.CubicMillimeter, properties=properties()),
            Measurement(ATTENUATION, DSfloat(reading.attenuation), HOUNSFIELD, derivation=MEAN),
        ],
        **shared(found, reading),
    )


def planar(found: Case, reading: Reading) -> Any:
    """Return a group for a drawn outline in one image (TID 1410)."""
    image = found.images[len(found.images) // 2]
    corners = np.array([[120.5, 90.5], [131.5, 90.5], [131.5, 99.5], [120.5, 99.5], [120.5, 90.5]])
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        referenced_region=ImageRegion(
            GraphicTypeValues.POLYLINE,
            corners,
            SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID),
        ),
        measurements=[Measurement(AREA, DSfloat("99.00"), codes.UCUM.SquareMillimeter)],
        qualitative_evaluations=[QualitativeEvaluation(MARGINS, SPICULATED)],
        **shared(found, reading),
    )


def without_region(found: Case, reading: Reading) -> Any:
    """Return a group that says nothing of where (TID 1501)."""
    evaluations = [QualitativeEvaluation(MARGINS, SPICULATED), QualitativeEvaluation(TEXTURE, SOLID)]
    return MeasurementsAndQualitativeEvaluations(qualitative_evaluations=evaluations, **shared(found, reading))


def shared(found: Case, reading: Reading) -> dict[str, Any]:
    """Return what all groups of the lesion have in common."""
    return {
        "tracking_identifier": TrackingIdentifier(found.lesion.tracking_uid, found.lesion.label),
        "time_point_context": TimePointContext(reading.time_point),
        "finding_category": LESION,
        "finding_type": MASS,
        "finding_sites": [FindingSite(LUNG, laterality=codes.SCT.Left, topographical_modifier=UPPER_LOBE)],
    }


def properties() -> MeasurementProperties:
    """Return what is normal, and how sure the value is: numbers below a number (TID 310, 311, 312)."""
    mean = NumContentItem(
        MEAN, 650.5, codes.UCUM.CubicMillimeter, relationship_type=RelationshipTypeValues.HAS_PROPERTIES
    )
    upper = NumContentItem(
        Code("371933006", "SCT", "Normal Range Upper Limit"),
        500,
        codes.UCUM.CubicMillimeter,
        relationship_type=RelationshipTypeValues.HAS_PROPERTIES,
    )
    return MeasurementProperties(
        normality=Code("371879000", "SCT", "Abnormally High"),
        measurement_statistical_properties=MeasurementStatisticalProperties([mean], "Example population"),
        normal_range_properties=NormalRangeProperties([upper], authority="Example authority"),
        upper_measurement_uncertainty=12,
        lower_measurement_uncertainty=11,
    )
