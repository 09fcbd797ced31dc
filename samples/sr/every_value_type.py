"""A document with every value type and every way a value can be written, references and empty values included."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import (
    Comprehensive3DSRStorage,
    EnhancedCTImageStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    RealWorldValueMappingStorage,
    SegmentationStorage,
    TwelveLeadECGWaveformStorage,
)

from samples.dataset import Attributes, uid
from samples.header import Header
from samples.sr.content import (
    ACQUIRED,
    CONTAINS,
    CONTEXT,
    INFERRED,
    MOD,
    SELECTED,
    by_reference,
    coded,
    container,
    datetime,
    item,
    not_measured,
    num,
    pname,
    referring,
    text,
    uidref,
    unit,
)
from samples.sr.document import document, instances_of

REFERENCED: dict[str, str] = {  # name -> SOP class
    "image": EnhancedCTImageStorage,
    "outline": SegmentationStorage,
    "ecg": TwelveLeadECGWaveformStorage,
    "state": GrayscaleSoftcopyPresentationStateStorage,
    "map": RealWorldValueMappingStorage,
}
TITLE, SECTION = Code("18748-4", "LN", "Diagnostic Imaging Report"), codes.DCM.Findings
LENGTH = Code("410668003", "SCT", "Length")
MILLIMETRE = unit("mm", "millimeter")


def every_value_type(header: Header) -> Dataset:
    """Return a Comprehensive 3D SR of which no reader would make sense."""
    root = container(
        "",
        TITLE,
        coded(CONTEXT, codes.DCM.ObserverType, codes.DCM.Person),
        pname(CONTEXT, codes.DCM.PersonObserverName, "Example^Rita^Maria^Dr.^MSc"),
        container(CONTAINS, SECTION, *plain(header)),
        container(CONTAINS, SECTION, *numbers()),
        container(CONTAINS, SECTION, *references(header)),
        container(CONTAINS, SECTION, *coordinates(header)),
        template="1500",
    )
    series = header.series(31, "SR", "Every value type", 30)
    evidence = instances_of(header.study_uid, uid(header.name, 1), [of(header, *sop) for sop in REFERENCED.items()])
    return document(header, series, Comprehensive3DSRStorage, root, CurrentRequestedProcedureEvidenceSequence=evidence)


def of(header: Header, name: str, sop_class: str) -> tuple[str, str]:
    """Return SOP class and instance of something that the document refers to."""
    return sop_class, uid(header.name, 1, name)


def plain(header: Header) -> tuple[Attributes, ...]:
    """Return texts, codes, dates, times, UIDs; one observed at a time of its own."""
    observed: Attributes = {
        "ObservationDateTime": "20240517100200+0200",
        "ObservationUID": uid(header.name, "observation"),
    }
    finding = codes.DCM.Finding
    return (
        {**text(CONTAINS, finding, "two lines:\nsecond, with <mark-up> & more"), **observed},
        coded(CONTAINS, finding, Code("4147007", "SCT", "Mass"), coded(MOD, codes.SCT.Laterality, codes.SCT.Left)),
        item(ACQUIRED, "DATE", codes.DCM.StudyDate, {"Date": "20240517"}),
        item(CONTAINS, "TIME", codes.DCM.StudyTime, {"Time": "093105.250"}),
        datetime(CONTAINS, codes.DCM.DatetimeStarted, "20240517093105.250000+0200"),
        uidref(CONTAINS, codes.DCM.TrackingUniqueIdentifier, uid(header.name, "tracked")),
    )


def numbers() -> tuple[Attributes, ...]:
    """Return NUM items: trailing zeros, exponents, more digits than a DS holds, a fraction, none at all."""
    unknown = Code("114010", "DCM", "Value unknown")
    return (
        num(CONTAINS, LENGTH, "12.40", MILLIMETRE),
        num(CONTAINS, LENGTH, "-1.240E+01", MILLIMETRE),
        num(CONTAINS, LENGTH, "0.123456789012", MILLIMETRE, FloatingPointValue=0.1234567890123456),
        num(CONTAINS, LENGTH, "0.3333333333", MILLIMETRE, RationalNumeratorValue=1, RationalDenominatorValue=3),
        not_measured(CONTAINS, LENGTH, unknown),
        not_measured(CONTAINS, LENGTH, None),
        num(
            CONTAINS,
            LENGTH,
            "40",
            MILLIMETRE,
            coded(MOD, codes.DCM.Derivation, Code("373098007", "SCT", "Mean")),
            num(INFERRED, LENGTH, "39", MILLIMETRE),
            by_reference(INFERRED, 1, 4, 1),
        ),
    )


def references(header: Header) -> tuple[Attributes, ...]:
    """Return what points to images, segments, waveforms and other objects."""

    image, outline, ecg, state, values = (of(header, *sop) for sop in REFERENCED.items())
    shown = [{"ReferencedSOPClassUID": state[0], "ReferencedSOPInstanceUID": state[1]}]
    return (
        referring(CONTAINS, "IMAGE", None, image),
        referring(CONTAINS, "IMAGE", codes.DCM.SourceOfMeasurement, image, ReferencedFrameNumber=[1, 3]),
        referring(CONTAINS, "IMAGE", None, outline, ReferencedSegmentNumber=[2]),
        referring(CONTAINS, "IMAGE", None, image, ReferencedSOPSequence=shown),
        referring(CONTAINS, "WAVEFORM", None, ecg, ReferencedWaveformChannels=[1, 1, 1, 2]),
        referring(CONTAINS, "COMPOSITE", codes.DCM.RealWorldValueMapUsedForMeasurement, values),
    )


def coordinates(header: Header) -> tuple[Attributes, ...]:
    """Return graphics in an image, graphics in space, and moments in time."""
    image = referring(SELECTED, "IMAGE", None, of(header, "image", REFERENCED["image"]), ReferencedFrameNumber=1)
    ecg = referring(SELECTED, "WAVEFORM", None, of(header, "ecg", REFERENCED["ecg"]), ReferencedWaveformChannels=[1, 0])
    outline: Attributes = {"GraphicType": "POLYLINE", "GraphicData": [1.5, 2.5, 3.5, 4.5, 1.5, 2.5]}
    place: Attributes = {
        "GraphicType": "POINT",
        "GraphicData": [-84.25, 18.5, 170],
        "ReferencedFrameOfReferenceUID": uid(header.name, "frame of reference"),
    }
    moments: Attributes = {"TemporalRangeType": "MULTIPOINT", "ReferencedTimeOffsets": ["0.25", "1.50"]}
    samples: Attributes = {"TemporalRangeType": "SEGMENT", "ReferencedSamplePositions": [100, 250]}
    dates: Attributes = {"TemporalRangeType": "POINT", "ReferencedDateTime": ["20240517093105"]}
    return (
        item(CONTAINS, "SCOORD", codes.DCM.ImageRegion, outline, image),
        item(CONTAINS, "SCOORD3D", codes.DCM.ImageRegion, place),
        item(CONTAINS, "TCOORD", codes.DCM.Finding, moments, ecg),
        item(CONTAINS, "TCOORD", codes.DCM.Finding, samples, ecg),
        item(CONTAINS, "TCOORD", codes.DCM.Finding, dates, ecg),
    )
