"""CT radiation dose reports (PS3.16 TID 10011): one of today, one as older machines wrote it into an Enhanced SR."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import EnhancedSRStorage, XRayRadiationDoseSRStorage

from samples.dataset import Attributes, uid
from samples.header import Header
from samples.sr.content import CONTAINS, CONTEXT, MOD, coded, container, datetime, num, text, uidref, unit
from samples.sr.document import SPIRAL, device_observer, document, machine
from samples.sr.dose import (
    THORAX,
    authorising_person,
    irradiating_device,
    procedure,
    scope_of_study,
)

CT_X_RAY = Code("77477000", "SCT", "Computed Tomography X-Ray")
SECOND, MILLIMETRE, KILOVOLT, MILLIAMPERE = unit("s", "second"), unit("mm"), unit("kV"), unit("mA")
MILLIGRAY, MILLIGRAY_CENTIMETRE = unit("mGy"), unit("mGy.cm")


@dataclass(frozen=True)
class Event:
    """One irradiation: what of it goes into the report; a localizer has no dose."""

    protocol: str
    kind: Code
    exposure_time: str
    length: str
    current: str
    dose: tuple[str, str, str] | None = None
    """CTDIvol in mGy, DLP in mGy.cm, SSDE in mGy."""


@dataclass(frozen=True)
class Scan:
    """What a machine did from the first to the last irradiation; the total in mGy.cm is as the machine says it."""

    started: str
    ended: str
    events: tuple[Event, ...]
    total: str


TOPOGRAM = Event("Topogram", codes.DCM.ConstantAngleAcquisition, "3.1", "512.0", "35")
CHEST = Scan(  # the total is not the sum of what the machine says of each event
    "20240517093105.250+0200",
    "20240517093512+0200",
    (
        TOPOGRAM,
        Event("Chest routine", SPIRAL, "4.25", "310.5", "180", ("8.21", "254.92", "10.40")),
        Event("Chest late", SPIRAL, "4.25", "310.5", "182", ("8.29", "257.38", "10.50")),
    ),
    "512.30",
)
LOW_DOSE = Scan(
    "20241120141500.500+0100",
    "20241120141623+0100",
    (TOPOGRAM, Event("Chest low dose", SPIRAL, "3.75", "298.0", "22", ("1.12", "33.38", "1.43"))),
    "33.38",
)


def ct_dose(header: Header, scan: Scan = CHEST) -> Dataset:
    """Return the dose report of a CT of the chest: a localizer and its spirals."""
    root = container(
        "",
        codes.DCM.XRayRadiationDoseReport,
        procedure(CT_X_RAY),
        *device_observer(header, "CT"),
        datetime(CONTEXT, codes.DCM.StartOfXRayIrradiation, scan.started),
        datetime(CONTEXT, codes.DCM.EndOfXRayIrradiation, scan.ended),
        scope_of_study(header),
        container(
            CONTAINS,
            codes.DCM.CTAccumulatedDoseData,
            num(CONTAINS, codes.DCM.TotalNumberOfIrradiationEvents, str(len(scan.events)), unit("{events}", "events")),
            num(CONTAINS, codes.DCM.CTDoseLengthProductTotal, scan.total, MILLIGRAY_CENTIMETRE),
        ),
        *(acquisition(header, number, event) for number, event in enumerate(scan.events, 1)),
        coded(CONTAINS, codes.DCM.SourceOfDoseInformation, codes.DCM.AutomatedDataCollection),
        template="10011",
    )
    return document(header, machine(header, "CT", 11), XRayRadiationDoseSRStorage, root)


def acquisition(header: Header, number: int, event: Event) -> Attributes:
    """Return one CT Acquisition (TID 10013)."""
    return container(
        CONTAINS,
        codes.DCM.CTAcquisition,
        text(CONTAINS, codes.DCM.AcquisitionProtocol, event.protocol),
        coded(CONTAINS, codes.DCM.TargetRegion, THORAX),
        coded(CONTAINS, codes.DCM.CTAcquisitionType, event.kind),
        uidref(CONTAINS, codes.DCM.IrradiationEventUID, uid(header.name, "event", number)),
        parameters(event),
        *dose(event),
        authorising_person(),
        irradiating_device("CT"),
    )


def parameters(event: Event) -> Attributes:
    """Return how the X-rays were made (TID 10014)."""
    return container(
        CONTAINS,
        codes.DCM.CTAcquisitionParameters,
        num(CONTAINS, codes.DCM.ExposureTime, event.exposure_time, SECOND),
        num(CONTAINS, codes.DCM.ScanningLength, event.length, MILLIMETRE),
        num(CONTAINS, codes.DCM.NominalSingleCollimationWidth, "0.60", MILLIMETRE),
        num(CONTAINS, codes.DCM.NominalTotalCollimationWidth, "38.40", MILLIMETRE),
        num(CONTAINS, codes.DCM.NumberOfXRaySources, "1", unit("{X-Ray sources}", "X-Ray sources")),
        container(
            CONTAINS,
            codes.DCM.CTXRaySourceParameters,
            text(CONTAINS, codes.DCM.IdentificationOfTheXRaySource, "A"),
            num(CONTAINS, codes.DCM.KVP, "120", KILOVOLT),
            num(CONTAINS, codes.DCM.MaximumXRayTubeCurrent, "300", MILLIAMPERE),
            num(CONTAINS, codes.DCM.XRayTubeCurrent, event.current, MILLIAMPERE),
        ),
    )


def dose(event: Event) -> tuple[Attributes, ...]:
    """Return what the patient got (TID 10013 row 13), nothing for a localizer."""
    if event.dose is None:
        return ()
    ctdi, dlp, ssde = event.dose
    body = coded(CONTAINS, codes.DCM.CtdiwPhantomType, codes.DCM.IECBodyDosimetryPhantom)
    estimate = num(CONTAINS, codes.DCM.SizeSpecificDoseEstimate, ssde, MILLIGRAY)
    return (
        container(
            CONTAINS,
            codes.DCM.CTDose,
            num(CONTAINS, codes.DCM.MeanCtdivol, ctdi, MILLIGRAY),
            body,
            num(CONTAINS, codes.DCM.DLP, dlp, MILLIGRAY_CENTIMETRE),
            estimate,
        ),
    )


def ct_dose_in_enhanced_sr(header: Header) -> Dataset:
    """Return a dose report as older machines write it: Enhanced SR, retired codes, units that are no UCUM.

    What is wrong in it was seen in real reports of that kind: `mGycm` under the designator of UCUM, the spelling
    of meanings, no intent, no device for an event.
    """
    body = Code("113691", "DCM", "IEC Body Dosimetry Phantom")
    root = container(
        "",
        Code("113701", "DCM", "X-ray Radiation Dose Report"),
        coded(MOD, codes.DCM.ProcedureReported, Code("P5-08000", "SRT", "Computed Tomography X-Ray")),
        *device_observer(header, "CT")[:5],
        datetime(CONTEXT, Code("113809", "DCM", "Start of X-ray Irradiation"), "20240517093105"),
        datetime(CONTEXT, Code("113810", "DCM", "End of X-ray Irradiation"), "20240517093512"),
        scope_of_study(header),
        container(
            CONTAINS,
            codes.DCM.CTAccumulatedDoseData,
            num(CONTAINS, codes.DCM.TotalNumberOfIrradiationEvents, "1", unit("{events}", "events")),
            num(CONTAINS, codes.DCM.CTDoseLengthProductTotal, "415.82", unit("mGycm")),
        ),
        container(
            CONTAINS,
            codes.DCM.CTAcquisition,
            coded(CONTAINS, codes.DCM.TargetRegion, Code("T-D4000", "SRT", "Abdomen")),
            coded(CONTAINS, codes.DCM.CTAcquisitionType, Code("P5-08001", "SRT", "Spiral Acquisition")),
            uidref(CONTAINS, codes.DCM.IrradiationEventUID, uid(header.name, "event", 1)),
            container(
                CONTAINS,
                codes.DCM.CTAcquisitionParameters,
                num(CONTAINS, codes.DCM.ExposureTime, "5.27", SECOND),
                num(CONTAINS, codes.DCM.NumberOfXRaySources, "1", unit("X-ray sources")),
            ),
            container(
                CONTAINS,
                codes.DCM.CTDose,
                num(CONTAINS, codes.DCM.MeanCtdivol, "9.85", MILLIGRAY),
                coded(CONTAINS, codes.DCM.CtdiwPhantomType, body),
                num(CONTAINS, codes.DCM.DLP, "415.82", unit("mGycm")),
            ),
        ),
        template="10011",
    )
    return document(header, machine(header, "CT", 12), EnhancedSRStorage, root)
