"""Reports, doses, documents, key objects and segmentations as a dice makes them: few lesions, few algorithms."""

from copy import deepcopy
from random import Random
from typing import Any

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import (
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    KeyObjectSelectionDocumentStorage,
    SegmentationStorage,
    XRayRadiationDoseSRStorage,
)

from samples.dataset import Attributes, code, dataset
from samples.letter import pdf
from samples.sr.content import CONTAINS, CONTEXT, coded, container, num, referring, text, uidref, unit
from samples.sr.ct_dose import CT_X_RAY
from samples.sr.document import instances_of
from samples.sr.dose import procedure
from samples.sr.measurements import LONG_AXIS, LUNG, MASS, VOLUME
from tests.convergence.samples import uid

LESIONS, ALGORITHMS = 2, 2
DOCUMENTS = ("SR", "DOC", "KO", "SEG")
TITLES = ("113000", "113001", "113037", "113038", "113039")
"""Titles of key objects: of interest, three that reject, one that does neither (PS3.16 CID 7010)."""
OF_STUDY = (
    *("SpecificCharacterSet", "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID"),
    *("StudyID", "StudyDate", "StudyTime", "StudyDescription", "TimezoneOffsetFromUTC", "AccessionNumber"),
    *("ReferringPhysicianName", "ReferringPhysicianIdentificationSequence", "Manufacturer", "DeviceSerialNumber"),
)
FLAGS: Attributes = {
    "CompletionFlag": "COMPLETE",
    "VerificationFlag": "UNVERIFIED",
    "ReferencedPerformedProcedureStepSequence": [],
    "PerformedProcedureCodeSequence": [],
}


def report(random: Random, like: Dataset, name: str) -> Dataset:
    """Return measurements of some of a walk's lesions, one group each; one of two groups has an ObservationUID."""
    groups = [group(random, name, lesion) for lesion in range(1, random.randint(1, LESIONS) + 1)]
    imaging = container(CONTAINS, codes.DCM.ImagingMeasurements, *groups)
    root = container("", codes.DCM.ImagingMeasurementReport, imaging, template="1500")
    return document(random, like, "SR", ComprehensiveSRStorage, {**FLAGS, **root})


def group(random: Random, name: str, lesion: int) -> Attributes:
    """Return what was measured of one lesion: of one patient it has the same Tracking UID in all studies."""
    identity = {"ObservationUID": uid(random)} if random.random() < 0.5 else {}
    made = container(
        CONTAINS,
        codes.DCM.MeasurementGroup,
        text(CONTEXT, codes.DCM.TrackingIdentifier, f"Lesion {lesion}"),
        uidref(CONTEXT, codes.DCM.TrackingUniqueIdentifier, tracking_uid(name, lesion)),
        text(CONTEXT, codes.DCM.AlgorithmName, f"{name} finder {random.randint(1, ALGORITHMS)}"),
        text(CONTEXT, codes.DCM.AlgorithmVersion, "1"),
        coded(CONTAINS, codes.DCM.Finding, MASS),
        coded(CONTAINS, codes.SCT.FindingSite, LUNG),
        num(CONTAINS, LONG_AXIS, f"{random.randint(10, 300) / 10:.1f}", unit("mm", "millimeter")),
        num(CONTAINS, VOLUME, f"{random.randint(10, 9999)}", unit("mm3", "cubic millimeter")),
    )
    return {**made, **identity}


def tracking_uid(name: str, lesion: int) -> str:
    """Return the UID of one lesion of a walk: another patient's lesion of that UID is another BodyStructure."""
    return uid(Random(f"{name} lesion {lesion}"))


def dose(random: Random, like: Dataset, name: str) -> Dataset:
    """Return a CT dose report of one irradiation event."""
    root = container(
        "",
        codes.DCM.XRayRadiationDoseReport,
        procedure(CT_X_RAY),
        container(
            CONTAINS,
            codes.DCM.CTAccumulatedDoseData,
            num(CONTAINS, codes.DCM.TotalNumberOfIrradiationEvents, "1", unit("{events}", "events")),
            num(CONTAINS, codes.DCM.CTDoseLengthProductTotal, f"{random.randint(1, 9999) / 10}", unit("mGy.cm")),
        ),
        container(CONTAINS, codes.DCM.CTAcquisition, uidref(CONTAINS, codes.DCM.IrradiationEventUID, uid(random))),
        template="10011",
    )
    return document(random, like, "SR", XRayRadiationDoseSRStorage, {**FLAGS, **root})


def letter(random: Random, like: Dataset, name: str) -> Dataset:
    """Return a report as a PDF."""
    whole = pdf((f"Report {random.randint(1, 999)}",))
    attributes: dict[str, Any] = {
        "ConversionType": "WSD",
        "BurnedInAnnotation": "YES",
        "DocumentTitle": f"Report {random.randint(1, 9)}",
        "ConceptNameCodeSequence": [],
        "MIMETypeOfEncapsulatedDocument": "application/pdf",
        "EncapsulatedDocument": whole + b"\0" * (len(whole) % 2),
        "EncapsulatedDocumentLength": len(whole),
    }
    return document(random, like, "DOC", EncapsulatedPDFStorage, attributes)


def selection(random: Random, like: Dataset, of: list[Dataset]) -> Dataset:
    """Return key objects that name some of the instances of a study, or all of them: as a choice or as rejected."""
    named = of if random.random() < 0.3 else random.sample(of, random.randint(1, len(of)))
    references = [(str(one.SOPClassUID), str(one.SOPInstanceUID)) for one in named]
    root = container(
        "",
        Code(random.choice(TITLES), "DCM", "A title"),
        *(referring(CONTAINS, "IMAGE", None, one) for one in references),
        template="2010",
    )
    evidence = instances_of(str(like.StudyInstanceUID), str(like.SeriesInstanceUID), references)
    named_in = {"CurrentRequestedProcedureEvidenceSequence": evidence}
    return document(random, like, "KO", KeyObjectSelectionDocumentStorage, {**root, **named_in})


def outline(random: Random, like: Dataset, name: str) -> Dataset:
    """Return the description of a segmentation without its pixels: a lesion of the walk, and what nobody tracks."""
    tracked = {"TrackingID": "Lesion 1", "TrackingUID": tracking_uid(name, 1)}
    segments = [
        {
            "SegmentNumber": number,
            "SegmentLabel": f"Segment {random.randint(1, 9)}",
            "SegmentAlgorithmType": "MANUAL",
            "SegmentedPropertyCategoryCodeSequence": [code(codes.SCT.MorphologicallyAbnormalStructure)],
            "SegmentedPropertyTypeCodeSequence": [code(MASS)],
            **more,
        }
        for number, more in enumerate((tracked, {}), 1)
    ]
    return document(random, like, "SEG", SegmentationStorage, {"SegmentSequence": segments})


def document(random: Random, like: Dataset, modality: str, sop_class: str, attributes: Attributes) -> Dataset:
    """Return one more instance of a study, in a series of its own."""
    made = Dataset()
    made.update({element.tag: element for element in deepcopy(like) if element.keyword in OF_STUDY})
    made.update(
        dataset(
            {
                "SOPClassUID": sop_class,
                "SOPInstanceUID": uid(random),
                "SeriesInstanceUID": uid(random),
                "SeriesNumber": random.randint(100, 999),
                "InstanceNumber": 1,
                "Modality": modality,
                "ContentDate": "20240517",
                "ContentTime": "093105",
                **attributes,
            }
        )
    )
    return made


def amended(random: Random, before: Dataset) -> Dataset:
    """Return what comes after a report, as its dates say or not: other values under the same ObservationUIDs."""
    made = deepcopy(before)
    made.SOPInstanceUID, made.SeriesInstanceUID = uid(random), uid(random)
    made.ContentDate, made.ContentTime = f"202405{random.randint(10, 28)}", f"{random.randint(10, 23)}3105"
    for each in numbers(made):
        each.NumericValue = f"{random.randint(10, 300) / 10:.1f}"
    replaced = {
        "ReferencedSOPSequence": [
            {"ReferencedSOPClassUID": before.SOPClassUID, "ReferencedSOPInstanceUID": before.SOPInstanceUID}
        ],
        "SeriesInstanceUID": before.SeriesInstanceUID,
    }
    study = {"ReferencedSeriesSequence": [replaced], "StudyInstanceUID": before.StudyInstanceUID}
    made.update(dataset({"PredecessorDocumentsSequence": [study]}))
    return made


def numbers(of: Dataset) -> list[Dataset]:
    """Return every measured value of a document."""
    found: list[Dataset] = []
    for item in of.get("ContentSequence", ()):
        found += [*item.get("MeasuredValueSequence", ()), *numbers(item)]
    return found


def is_document(data: Dataset) -> bool:
    """Tell whether an instance is a report or a document."""
    return data.get("Modality") in DOCUMENTS


def is_report(data: Dataset) -> bool:
    """Tell whether an instance is one that can be amended."""
    return bool(numbers(data))
