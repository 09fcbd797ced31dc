"""Projection X-ray dose reports (PS3.16 TID 10001): one plane, two planes, and mammography."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import XRayRadiationDoseSRStorage

from samples.dataset import Attributes, uid
from samples.header import Header
from samples.sr.content import CONTAINS, MOD, coded, container, datetime, num, referring, text, uidref, unit
from samples.sr.document import device_observer, document, instances_of, machine
from samples.sr.dose import THORAX, YES, authorising_person, irradiating_device, procedure, scope_of_study

GRAY_SQUARE_METRE, GRAY, SECOND, DEGREE = unit("Gy.m2"), unit("Gy"), unit("s", "second"), unit("deg", "degree")
MILLIGRAY, KILOVOLT, MILLIMETRE, NONE = unit("mGy"), unit("kV"), unit("mm"), unit("1", "no units")
XA_IMAGE = "1.2.840.10008.5.1.4.1.1.12.1"
BREAST = Code("76752008", "SCT", "Breast")
LEFT_BREAST, RIGHT_BREAST = Code("80248007", "SCT", "Left breast"), Code("73056007", "SCT", "Right breast")
LATERALITY = Code("272741003", "SCT", "Laterality")
FLUOROSCOPY = Code("44491008", "SCT", "Fluoroscopy")
STILL = codes.DCM.StationaryAcquisition


def projection_dose(header: Header) -> Dataset:
    """Return the dose report of a fluoroscopy with one plane."""
    one = codes.DCM.SinglePlane
    parts = (
        accumulated(one, "0.00024126", "0.01173170", "72.46", "12"),
        event(header, 1, one, FLUOROSCOPY, "0.00002206", "0.00107252"),
        event(header, 2, one, STILL, "0.0000105", "0.00051"),
    )
    return report(header, 13, parts, images=images(header, 2))


def biplane_dose(header: Header) -> Dataset:
    """Return the dose report of an angiography with two planes: two containers of accumulated doses."""
    a, b = codes.DCM.PlaneA, codes.DCM.PlaneB
    parts = (
        accumulated(a, "0.0031", "0.2150", "310.5", "240"),
        accumulated(b, "0.0019", "0.1480", "201.0", "240"),
        event(header, 1, a, STILL, "0.00150", "0.1020"),
        event(header, 2, b, STILL, "0.00091", "0.0705"),
    )
    return report(header, 14, parts, images=images(header, 2))


def mammography_dose(header: Header) -> Dataset:
    """Return the dose report of a screening mammography: one accumulated dose a breast."""
    sides = ((LEFT_BREAST, codes.SCT.Left, "1.30"), (RIGHT_BREAST, codes.SCT.Right, "1.28"))
    plane = coded(MOD, codes.DCM.AcquisitionPlane, codes.DCM.SinglePlane)
    doses = (
        num(
            CONTAINS,
            Code("111637", "DCM", "Accumulated Average Glandular Dose"),
            dose,
            MILLIGRAY,
            coded(MOD, LATERALITY, side),
        )
        for side, _, dose in sides
    )
    events = (glandular(header, number, side, dose) for number, (_, side, dose) in enumerate(sides, 1))
    parts = (container(CONTAINS, codes.DCM.AccumulatedXRayDoseData, plane, *doses), *events)
    return report(header, 15, parts, "MG", Code("71651007", "SCT", "Mammography"))


def report(
    header: Header,
    number: int,
    parts: Iterable[Attributes],
    modality: str = "DX",
    kind: Code = codes.DCM.ProjectionXRay,
    images: Sequence[tuple[str, str]] = (),
) -> Dataset:
    """Return a dose report with these accumulated doses and events, and the images that they name."""
    seen = instances_of(header.study_uid, uid(header.name, 1), images) if images else None
    evidence = {"CurrentRequestedProcedureEvidenceSequence": seen} if seen else {}
    root = container(
        "",
        codes.DCM.XRayRadiationDoseReport,
        procedure(kind),
        *device_observer(header, modality),
        scope_of_study(header),
        coded(CONTAINS, codes.DCM.XRayDetectorDataAvailable, YES),
        coded(CONTAINS, codes.DCM.XRaySourceDataAvailable, YES),
        coded(CONTAINS, codes.DCM.XRayMechanicalDataAvailable, YES),
        *parts,
        coded(CONTAINS, codes.DCM.SourceOfDoseInformation, codes.DCM.AutomatedDataCollection),
        template="10001",
    )
    return document(header, machine(header, modality, number), XRayRadiationDoseSRStorage, root, **evidence)


def images(header: Header, count: int) -> list[tuple[str, str]]:
    """Return the images that the events made, one each."""
    return [(XA_IMAGE, uid(header.name, 1, number)) for number in range(1, count + 1)]


def accumulated(plane: Code, area: str, point: str, seconds: str, frames: str) -> Attributes:
    """Return what came together in one plane (TID 10002, 10004)."""
    return container(
        CONTAINS,
        codes.DCM.AccumulatedXRayDoseData,
        coded(MOD, codes.DCM.AcquisitionPlane, plane),
        num(CONTAINS, codes.DCM.DoseAreaProductTotal, area, GRAY_SQUARE_METRE),
        num(CONTAINS, codes.DCM.DoseRPTotal, point, GRAY),
        coded(CONTAINS, codes.DCM.ReferencePointDefinition, codes.DCM._15cmFromIsocenterTowardSource),
        num(CONTAINS, codes.DCM.TotalFluoroTime, seconds, SECOND),
        num(CONTAINS, codes.DCM.TotalNumberOfRadiographicFrames, frames, NONE),
        irradiating_device("DX"),
    )


def event(header: Header, number: int, plane: Code, kind: Code, area: str, point: str) -> Attributes:
    """Return one irradiation (TID 10003)."""
    return container(
        CONTAINS,
        codes.DCM.IrradiationEventXRayData,
        coded(MOD, codes.DCM.AcquisitionPlane, plane),
        uidref(CONTAINS, codes.DCM.IrradiationEventUID, uid(header.name, "event", number)),
        datetime(CONTAINS, codes.DCM.DatetimeStarted, f"2024051709310{number}.500"),
        coded(CONTAINS, codes.DCM.IrradiationEventType, kind),
        text(CONTAINS, codes.DCM.AcquisitionProtocol, "Thorax"),
        coded(CONTAINS, codes.DCM.TargetRegion, THORAX),
        referring(CONTAINS, "IMAGE", codes.DCM.AcquiredImage, images(header, number)[-1]),
        num(CONTAINS, codes.DCM.DoseAreaProduct, area, GRAY_SQUARE_METRE),
        num(CONTAINS, codes.DCM.DoseRP, point, GRAY),
        num(CONTAINS, codes.DCM.PositionerPrimaryAngle, "-29.80", DEGREE),
        num(CONTAINS, codes.DCM.KVP, "81.00", KILOVOLT),
        authorising_person(),
    )


def glandular(header: Header, number: int, side: Code, dose: str) -> Attributes:
    """Return one irradiation of a breast (TID 10003 with TID 10003B)."""
    return container(
        CONTAINS,
        codes.DCM.IrradiationEventXRayData,
        coded(MOD, codes.DCM.AcquisitionPlane, codes.DCM.SinglePlane),
        uidref(CONTAINS, codes.DCM.IrradiationEventUID, uid(header.name, "event", number)),
        datetime(CONTAINS, codes.DCM.DatetimeStarted, f"2024051709310{number}"),
        coded(CONTAINS, codes.DCM.IrradiationEventType, STILL),
        coded(CONTAINS, codes.DCM.TargetRegion, BREAST, coded(MOD, LATERALITY, side)),
        num(CONTAINS, codes.DCM.AverageGlandularDose, dose, MILLIGRAY),
        num(CONTAINS, codes.DCM.CompressionThickness, "43.00", MILLIMETRE),
        num(CONTAINS, codes.DCM.HalfValueLayer, "0.535", MILLIMETRE),
    )
