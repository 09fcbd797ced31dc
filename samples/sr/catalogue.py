"""Every structured report and document by its name; why it is there stands above it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from highdicom.seg import SegmentationTypeValues as Kind
from pydicom import Dataset
from pydicom.sr.coding import Code

from samples import documents
from samples.dataset import Attributes
from samples.header import Header
from samples.sr import cad, ct_dose, echo, projection_dose, radiopharmaceutical_dose, text_report, ultrasound
from samples.sr.dcmqi import measurement_report_by_dcmqi
from samples.sr.every_value_type import every_value_type
from samples.sr.key_objects import DESCRIPTION, REJECTED, selection
from samples.sr.measurements import Case, Reading, case, measurement_report
from samples.sr.monai import segmentation

FIRST = Reading("1", "12.40", "998.10", "-24.50")
CORRECTED = Reading("1", "12.80", "998.10", "-24.50")
SECOND = Reading("2", "15.00", "1767.10", "-22.75")
OF_INTEREST = Code("113000", "DCM", "Of Interest")
STUDY: Attributes = {
    "StudyID": "SR-1",
    "StudyDate": "20240517",
    "StudyTime": "093105",
    "TimezoneOffsetFromUTC": "+0200",
}
LATER: Attributes = {
    "StudyID": "SR-2",
    "StudyDate": "20241120",
    "StudyTime": "141500",
    "TimezoneOffsetFromUTC": "+0100",
}


@cache
def lesion_case() -> Case:
    """Return the CT of the first time point."""
    return case(Header("sr-chest-ct", "anna", STUDY), 6)


@cache
def later_case() -> Case:
    """Return the CT of the second time point: the same lesion, larger."""
    return case(Header("sr-chest-ct-later", "anna", LATER), 7.5)


def of(name: str, patient: str, make: Callable[[Header], Dataset]) -> Callable[[], Dataset]:
    """Return a maker that gives a study of its own to an object."""
    return lambda: make(Header(name, patient, STUDY))


MAKERS: dict[str, Callable[[], Dataset]] = {
    # one lesion, three groups, at two times: one tracking id, other observations
    "measurements": lambda: measurement_report(lesion_case(), FIRST),
    "measurements-later": lambda: measurement_report(later_case(), SECOND),
    # what replaces the first: a longer axis, the same Observation UID
    "measurements-amended": lambda: measurement_report(lesion_case(), CORRECTED, 5, MAKERS["measurements"]()),
    # its first group once more, by a second writer that knows nothing of the first
    "measurements-by-dcmqi": lambda: measurement_report_by_dcmqi(lesion_case(), FIRST),
    # today's CT dose report; and the same in an Enhanced SR, with retired codes and units that are no UCUM
    "ct-dose": of("sr-ct-dose", "anna", ct_dose.ct_dose),
    "ct-dose-enhanced-sr": of("sr-ct-dose-old", "boris", ct_dose.ct_dose_in_enhanced_sr),
    # one accumulated dose, two of them, one a breast
    "projection-dose": of("sr-projection-dose", "boris", projection_dose.projection_dose),
    "biplane-dose": of("sr-biplane-dose", "boris", projection_dose.biplane_dose),
    "mammography-dose": of("sr-mammography-dose", "anna", projection_dose.mammography_dose),
    # a dose without any container of accumulated doses
    "radiopharmaceutical-dose": of("sr-nm-dose", "boris", radiopharmaceutical_dose.radiopharmaceutical_dose),
    # verified, with umlauts in ISO_IR 100; and what replaces it
    "text-report": of("sr-text", "käthe", text_report.text_report),
    "text-report-amended": of("sr-text", "käthe", text_report.amended_report),
    # sixty measurements, two of them chosen among repeated ones, one under a scheme of its machine
    "echo": of("sr-echo", "boris", echo.echo_report),
    # today's shorter template: what is said of a measurement stands at it alone
    "simplified-echo": of("sr-simplified-echo", "boris", ultrasound.simplified_echo),
    # vessels of two sides, and of none
    "vascular": of("sr-vascular", "käthe", ultrasound.vascular),
    "congenital": of("sr-congenital", "anna", ultrasound.congenital),
    # marks that are for people, may be, and are not
    "mammography-cad": of("sr-mammography-cad", "anna", cad.mammography_cad),
    "chest-cad": of("sr-chest-cad", "boris", cad.chest_cad),
    # for readers: everything that can stand in a content tree
    "every-value-type": of("sr-every-value-type", "boris", every_value_type),
}
"""Maker of each structured report."""

DOCUMENTS: dict[str, Callable[[], Dataset]] = {
    "encapsulated-pdf": of("sr-pdf", "boris", documents.encapsulated_pdf),
    "encapsulated-cda": of("sr-cda", "boris", documents.encapsulated_cda),
}
"""Maker of each encapsulated document."""

OBJECTS: dict[str, Callable[[], Dataset]] = {
    # two images worth a look; one that should not be used
    "key-objects": lambda: selection(lesion_case().header, 7, OF_INTEREST, lesion_case().images[2:4], DESCRIPTION),
    "rejection-note": lambda: selection(lesion_case().header, 8, REJECTED, lesion_case().images[:1]),
    # the tracked lesion that the reports measure; three organs under one code, in both SOP classes
    "segmentation": lambda: lesion_case().outline,
    "monai-segmentation": lambda: segmentation(lesion_case().header, lesion_case().images, Kind.BINARY, 9),
    "monai-label-map": lambda: segmentation(lesion_case().header, lesion_case().images, Kind.LABELMAP, 10),
}
"""Maker of each key object selection and segmentation: all of the CT of the first time point."""
