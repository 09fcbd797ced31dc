"""The sample studies: small, synthetic, and the same bytes in every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset
from pydicom.sr.codedict import codes

from demo import letter, pictures, projections, sections
from demo.dataset import Attributes, code, issuer, part10, uid
from demo.evidence import CHEST_CT, Lesion, key_images, measurements, segmentation
from demo.header import Header

ACQUIRED: Attributes = {"PerformingPhysicianName": "Example^Eva^^Dr.", "OperatorsName": "Example^Otto"}
CONTRAST: Attributes = {**ACQUIRED, "ContrastBolusAgent": "Example contrast agent"}
FINDINGS = (
    "Example Hospital, Department of Radiology",
    "",
    "MR of the brain: DEMO-0002, Example, Boris",
    "Four small bright spots in the white matter (FLAIR).",
    "Ventricles of normal width.",
    "",
    "A synthetic report about a synthetic brain. Not for diagnosis.",
)


@dataclass(frozen=True)
class DemoStudy:
    """One study and all its instances."""

    name: str
    study_uid: str
    description: str
    datasets: tuple[Dataset, ...]

    @property
    def modalities(self) -> str:
        """Return the modalities of its series, in order, once each."""
        return "/".join(dict.fromkeys(str(data.Modality) for data in self.datasets))


def studies() -> Iterator[DemoStudy]:
    """Make the sample studies, one at a time."""
    for (name, patient, attributes), make in STUDIES:
        header = Header(name, patient, attributes)
        yield DemoStudy(name, header.study_uid, attributes["StudyDescription"], tuple(make(header)))


def write(folder: Path) -> Iterator[tuple[DemoStudy, Path]]:
    """Write the sample studies as files, one folder a study."""
    for study in studies():
        place = folder / study.name
        place.mkdir(parents=True, exist_ok=True)
        for data in study.datasets:
            file = place / f"{int(data.SeriesNumber):02}-{int(data.InstanceNumber):04}.dcm"
            file.write_bytes(part10(data))
        yield study, place


def _nodule(radius: float) -> Lesion:
    return Lesion("Nodule 1", uid("anna", "nodule 1"), (84, -18, 170), radius)


def _chest_ct(header: Header) -> Iterator[Dataset]:
    lesion, heights = _nodule(9), range(205, 105, -5)
    shape = (lesion.centre, lesion.radius)
    soft = sections.ct_chest(header, header.series(1, "CT", "Soft tissue 5.0"), "soft", heights, shape, CONTRAST)
    lung = sections.ct_chest(header, header.series(2, "CT", "Lung 5.0", 1), "lung", heights, shape, CONTRAST)
    outline = segmentation(header, header.series(3, "SEG", "Nodule 1", 12), soft, lesion)
    yield from (*soft, *lung, outline)
    yield measurements(header, header.series(4, "SR", "Measurements", 14), soft, outline, lesion)
    yield key_images(header, header.series(5, "KO", "Key images", 15), lung[6:9])


def _follow_up(header: Header) -> Iterator[Dataset]:
    lesion, heights = _nodule(12), range(195, 145, -5)
    images = sections.ct_chest(
        header,
        header.series(1, "CT", "Lung 5.0 low dose"),
        "lung",
        heights,
        (lesion.centre, lesion.radius),
        ACQUIRED,
    )
    outline = segmentation(header, header.series(2, "SEG", "Nodule 1", 8), images, lesion)
    yield from (*images, outline)
    yield measurements(header, header.series(3, "SR", "Measurements", 9), images, outline, lesion)


def _brain_mr(header: Header) -> Iterator[Dataset]:
    yield from sections.mr_brain(header, header.series(1, "MR", "T1 axial"), "T1", 12, sections.BRAIN)
    head: Attributes = {"BodyPartExamined": "BRAIN"}
    yield from sections.mr_brain(header, header.series(2, "MR", "FLAIR axial", 6), "FLAIR", 12, head)
    yield from letter.report(header, header.series(3, "DOC", "Report", 50), FINDINGS)


def _deidentified_ct(header: Header) -> Iterator[Dataset]:
    series = {**header.series(1, "CT", "Lung 5.0"), "InstitutionName": "", "StationName": "", "DeviceSerialNumber": ""}
    yield from sections.ct_chest(header, series, "lung", range(150, 125, -5))


STUDIES: tuple[tuple[tuple[str, str, Attributes], Callable[[Header], Iterator[Dataset]]], ...] = (
    (
        (
            "chest-ct",
            "anna",
            {
                "StudyDescription": "CT chest with contrast",
                "StudyDate": "20240517",
                "StudyTime": "093105",
                "TimezoneOffsetFromUTC": "+0200",
                "StudyID": "CT-1",
                "AccessionNumber": "A2024-001",
                "IssuerOfAccessionNumberSequence": [issuer("orders of the hospital")],
                "ReferringPhysicianName": "Example^Karl^^Dr.",
                "ProcedureCodeSequence": [code(CHEST_CT)],
                "ReasonForTheRequestedProcedure": "Cough for six weeks",
                "PatientAge": "054Y",
                "PatientSize": "1.68",
                "PatientWeight": "64.5",
            },
        ),
        _chest_ct,
    ),
    (
        (
            "chest-ct-follow-up",
            "anna",
            {
                "StudyDescription": "CT chest low dose, follow-up",
                "StudyDate": "20241120",
                "StudyTime": "141500",
                "TimezoneOffsetFromUTC": "+0100",
                "StudyID": "CT-2",
                "AccessionNumber": "A2024-117",
                "IssuerOfAccessionNumberSequence": [issuer("orders of the hospital")],
                "ReferringPhysicianName": "Example^Karl^^Dr.",
                "ProcedureCodeSequence": [code(CHEST_CT)],
                "PatientAge": "054Y",
                "PatientSize": "1.68",
                "PatientWeight": "63",
            },
        ),
        _follow_up,
    ),
    (
        (
            "brain-mr",
            "boris",
            {
                "StudyDescription": "MR brain",
                "StudyDate": "20240306",
                "StudyTime": "101530",
                "AccessionNumber": "A2024-031",
                "ReferringPhysicianName": "Example^Nora",
                "PatientWeight": "81",
            },
        ),
        _brain_mr,
    ),
    (
        (
            "hand-cr",
            "hanako",
            {
                "StudyDescription": "左手 2方向",  # left hand, two views
                "StudyDate": "20240709",
                "StudyTime": "1642",
                "TimezoneOffsetFromUTC": "+0900",
                "AccessionNumber": "A2024-077",
            },
        ),
        lambda header: iter(projections.cr_hand(header, header.series(1, "CR", "Left hand"))),
    ),
    (
        (
            "breast-mg",
            "käthe",
            {
                "StudyDescription": "Mammographie beidseits, Früherkennung",
                "StudyDate": "20240212",
                "StudyTime": "110000",
                "TimezoneOffsetFromUTC": "+0100",
                "AccessionNumber": "A2024-019",
                "PatientAge": "061Y",
            },
        ),
        lambda header: iter(projections.mg_screening(header, header.series(1, "MG", "Screening"))),
    ),
    (
        (
            "heart-us",
            "eleni",
            {
                "StudyDescription": "Echocardiogram, four chambers",
                "StudyDate": "20240827",
                "StudyTime": "083012.250",
                "TimezoneOffsetFromUTC": "+0300",
                "AccessionNumber": "A2024-090",
                "PatientSize": "1.59",
                "PatientWeight": "58",
            },
        ),
        lambda header: iter(pictures.us_heart(header, header.series(1, "US", "Apical four chamber view"))),
    ),
    (
        (
            "chest-dx",
            "oliver",
            {
                "StudyDescription": "XR chest, two views",
                "StudyDate": "20240112",
                "StudyTime": "195905",
                "TimezoneOffsetFromUTC": "-0500",
                "AccessionNumber": "7781",
            },
        ),
        lambda header: iter(
            projections.dx_chest(header, header.series(1, "DX", "Chest PA and lateral"), ("frontal", "lateral"))
        ),
    ),
    (
        (
            "emergency-dx",
            "nobody",
            {
                "StudyDescription": "XR chest, emergency room",
                "StudyDate": "20240430",
                "StudyTime": "031742",
            },
        ),
        lambda header: iter(projections.dx_chest(header, header.series(1, "DX", "Chest"), ("frontal",))),
    ),
    (
        (
            "skin-xc",
            "mia",
            {
                "StudyDescription": "Photograph of a mole, right forearm",
                "StudyDate": "20240603",
                "StudyTime": "120000",
                "TimezoneOffsetFromUTC": "+0000",
            },
        ),
        lambda header: iter(pictures.xc_skin(header, header.series(1, "XC", "Dermatoscope"))),
    ),
    (
        (
            "deidentified-ct",
            "pseudonym",
            {
                "StudyDescription": "CT chest",
                "StudyDate": "20190103",
                "StudyTime": "",
                "PatientIdentityRemoved": "YES",
                "DeidentificationMethodCodeSequence": [
                    code(codes.DCM.BasicApplicationConfidentialityProfile),
                    code(codes.DCM.RetainLongitudinalTemporalInformationModifiedDatesOption),
                ],
                "LongitudinalTemporalInformationModified": "MODIFIED",
            },
        ),
        _deidentified_ct,
    ),
)
