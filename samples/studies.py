"""The sample studies: small, synthetic, and the same bytes in every run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset

from demo.private import private_file, private_folder
from samples import letter, pictures, projections, sections
from samples.catalogue import CATALOGUE
from samples.dataset import Attributes, part10, uid
from samples.evidence import Lesion, key_images, measurements, segmentation
from samples.header import Header
from samples.sr.cad import mammography_cad
from samples.sr.ct_dose import CHEST, LOW_DOSE, ct_dose
from samples.sr.echo import echo_report
from samples.sr.key_objects import REJECTED, selection
from samples.sr.text_report import GROWN, text_report

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

    @property
    def in_use(self) -> int:
        """Return how many of its instances no rejection note takes out."""
        notes = (data for data in self.datasets if data.Modality == "KO")
        rejecting = (note for note in notes if note.ConceptNameCodeSequence[0].CodeValue == REJECTED.value)
        named = [item for note in rejecting for item in note.ContentSequence if item.ValueType == "IMAGE"]
        return len(self.datasets) - len(named)


def studies() -> Iterator[DemoStudy]:
    """Make the sample studies, one at a time."""
    for name, (patient, attributes) in CATALOGUE.items():
        header = Header(name, patient, attributes)
        yield DemoStudy(name, header.study_uid, attributes["StudyDescription"], tuple(MAKERS[name](header)))


def write(folder: Path) -> Iterator[tuple[DemoStudy, Path]]:
    """Write the sample studies as files, one folder a study."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for study in studies():
        place = private_folder(folder / study.name)
        for data in study.datasets:
            file = place / f"{int(data.SeriesNumber):02}-{int(data.InstanceNumber):04}.dcm"
            private_file(file).write_bytes(part10(data))
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
    yield ct_dose(header, CHEST)


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
    yield ct_dose(header, LOW_DOSE)
    yield text_report(header, GROWN)


def _brain_mr(header: Header) -> Iterator[Dataset]:
    yield from sections.mr_brain(header, header.series(1, "MR", "T1 axial"), "T1", 12, sections.BRAIN)
    head: Attributes = {"BodyPartExamined": "BRAIN"}
    yield from sections.mr_brain(header, header.series(2, "MR", "FLAIR axial", 6), "FLAIR", 12, head)
    yield from letter.report(header, header.series(3, "DOC", "Report", 50), FINDINGS)


def _deidentified_ct(header: Header) -> Iterator[Dataset]:
    series = {**header.series(1, "CT", "Lung 5.0"), "InstitutionName": "", "StationName": "", "DeviceSerialNumber": ""}
    yield from sections.ct_chest(header, series, "lung", range(150, 125, -5))


def _breast_mg(header: Header) -> Iterator[Dataset]:
    yield from projections.mg_screening(header, header.series(1, "MG", "Screening"))
    yield mammography_cad(header, image=2, scale=0.09)


def _heart_us(header: Header) -> Iterator[Dataset]:
    yield from pictures.us_heart(header, header.series(1, "US", "Apical four chamber view"))
    yield echo_report(header)


def _chest_dx(header: Header) -> Iterator[Dataset]:
    series = header.series(1, "DX", "Chest PA and lateral")
    images = projections.dx_chest(header, series, ("frontal", "frontal", "lateral"))
    yield from images
    yield selection(header, 2, REJECTED, images[:1])  # the first one was made again


MAKERS: dict[str, Callable[[Header], Iterable[Dataset]]] = {
    "chest-ct": _chest_ct,
    "chest-ct-follow-up": _follow_up,
    "brain-mr": _brain_mr,
    "hand-cr": lambda header: projections.cr_hand(header, header.series(1, "CR", "Left hand")),
    "breast-mg": _breast_mg,
    "heart-us": _heart_us,
    "chest-dx": _chest_dx,
    "emergency-dx": lambda header: projections.dx_chest(header, header.series(1, "DX", "Chest"), ("frontal",)),
    "skin-xc": lambda header: pictures.xc_skin(header, header.series(1, "XC", "Dermatoscope")),
    "deidentified-ct": _deidentified_ct,
}
