"""Every structured report and document by its name; why it is there stands above it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from pydicom import Dataset

from samples import documents
from samples.dataset import Attributes
from samples.header import Header
from samples.sr import ct_dose, projection_dose, radiopharmaceutical_dose, text_report
from samples.sr.dcmqi import measurement_report_by_dcmqi
from samples.sr.every_value_type import every_value_type
from samples.sr.measurements import Case, Reading, case, measurement_report

FIRST = Reading("1", "12.40", "998.10", "-24.50")
CORRECTED = Reading("1", "12.80", "998.10", "-24.50")
SECOND = Reading("2", "15.00", "1767.10", "-22.75")
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
    # for readers: everything that can stand in a content tree
    "every-value-type": of("sr-every-value-type", "boris", every_value_type),
}
"""Maker of each structured report."""

DOCUMENTS: dict[str, Callable[[], Dataset]] = {
    "encapsulated-pdf": of("sr-pdf", "boris", documents.encapsulated_pdf),
    "encapsulated-cda": of("sr-cda", "boris", documents.encapsulated_cda),
}
"""Maker of each encapsulated document."""
