"""Further ultrasound reports (PS3.16 TID 5100, TID 5220, TID 5300), each as small as says what it is there for."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage

from samples.dataset import Attributes
from samples.header import Header
from samples.sr import echo
from samples.sr.content import ACQUIRED, CONTAINS, MOD, PROPERTY, coded, container, num, text, unit
from samples.sr.document import document
from samples.sr.echo import GROUP, METHOD, MODE, PULSED, SITE, TWO_D, UNITS

VASCULAR = Code("125100", "DCM", "Vascular Ultrasound Procedure Report")
CONGENITAL = Code("125197", "DCM", "Adult Congenital Cardiac Ultrasound Report")
FINDINGS = Code("59776-5", "LN", "Findings")
SIDE, PART = Code("272741003", "SCT", "Laterality"), Code("106233006", "SCT", "Topographical modifier")
CM, SPEED = UNITS["cm"], UNITS["m/s"]
LEFT, RIGHT, UNILATERAL = (
    Code("7771000", "SCT", "Left"),
    Code("24028007", "SCT", "Right"),
    Code("66459002", "SCT", "Unilateral"),
)
NECK = Code("69105007", "SCT", "Artery of neck")
INTERNAL, COMMON = Code("86117002", "SCT", "Internal carotid artery"), Code("32062004", "SCT", "Common carotid artery")
AORTA = Code("28205006", "SCT", "Infra-renal Aorta")
PROXIMAL, BRANCH, MAIN = (
    Code("40415009", "SCT", "Proximal"),
    Code("125101", "DCM", "Vessel Branch"),
    Code("63161005", "SCT", "Main"),
)
PEAK, DIASTOLIC = Code("11726-7", "LN", "Peak Systolic Velocity"), Code("11653-3", "LN", "End Diastolic Velocity")
VELOCITY_RATIO = Code("33868-1", "LN", "ICA/CCA velocity ratio")
DIAMETER = Code("397413000", "SCT", "Vessel lumen diameter")
PRECOORDINATED = Code("125301", "DCM", "Pre-coordinated Measurements")
POSTCOORDINATED = Code("125302", "DCM", "Post-coordinated Measurements")
LABEL, SEPTUM = (
    Code("125309", "DCM", "Short Label"),
    Code("79969-2", "LN", "Interventricular septum diastolic dimension 2D"),
)
DIMENSION = Code("80007-8", "LN", "Left ventricular internal diastolic dimension 2D")
STROKE_INDEX = Code("LVSIMOD", "99ACME", "Left Ventricle Stroke Index (MOD)")
CHARACTERISTICS, AGE = Code("121118", "DCM", "Patient Characteristics"), Code("121033", "DCM", "Subject Age")


def report(header: Header, title: Code, template: str, *content: Attributes) -> Dataset:
    """Return a report of an ultrasound machine."""
    root = container("", title, *content, template=template)
    return document(header, echo.series(header), ComprehensiveSRStorage, root)


def section(site: Code, side: Code | None, *content: Attributes) -> Attributes:
    """Return what was found at one place, of one side (TID 5103, TID 5222)."""
    sides = (coded(MOD, SIDE, side),) if side else ()
    return container(CONTAINS, FINDINGS, coded(MOD, SITE, site), *sides, *content)


def vascular(header: Header) -> Dataset:
    """Return a report of carotid arteries and aorta: the groups are named by their vessels (TID 5100)."""
    sides = (
        section(
            NECK,
            side,
            container(
                CONTAINS, INTERNAL, coded(MOD, PART, PROXIMAL), velocity(PEAK, peak), velocity(DIASTOLIC, "0.28")
            ),
            container(CONTAINS, COMMON, coded(MOD, BRANCH, MAIN), velocity(PEAK, "0.80")),
            num(CONTAINS, VELOCITY_RATIO, ratio, unit("1", "ratio")),
        )
        for side, peak, ratio in ((LEFT, "0.96", "1.20"), (RIGHT, "1.84", "2.30"))
    )
    aorta = num(CONTAINS, DIAMETER, "1.90", CM, coded(ACQUIRED, MODE, TWO_D))
    abdomen = section(Code("113269003", "SCT", "Artery of abdomen"), UNILATERAL, container(CONTAINS, AORTA, aorta))
    return report(header, VASCULAR, "5100", age("062"), *sides, abdomen)


def velocity(name: Code, value: str) -> Attributes:
    """Return a velocity by pulsed Doppler."""
    return num(CONTAINS, name, value, SPEED, coded(ACQUIRED, MODE, PULSED))


def age(years: str) -> Attributes:
    """Return what is known of the patient (TID 5101)."""
    return container(CONTAINS, CHARACTERISTICS, num(CONTAINS, AGE, years.lstrip("0"), unit("a", "year")))


def congenital(header: Header) -> Dataset:
    """Return a report of one group of the pulmonary valve (TID 5220)."""
    antegrade, regurgitant = (
        num(CONTAINS, Code("20355-4", "LN", "Peak Blood Velocity"), value, SPEED, coded(MOD, echo.FLOW, direction))
        for value, direction in (("2.45", echo.ANTEGRADE), ("1.10", echo.REGURGITANT))
    )
    group = container(CONTAINS, GROUP, coded(MOD, MODE, PULSED), antegrade, regurgitant)
    return report(header, CONGENITAL, "5220", section(Code("39057004", "SCT", "Pulmonary valve"), None, group))


def simplified_echo(header: Header) -> Dataset:
    """Return a report without sections: one value of three is chosen, one is modified (TID 5300)."""
    chosen = coded(PROPERTY, echo.SELECTION, echo.CHOSEN)
    repeated = [
        num(CONTAINS, DIMENSION, value, CM, *said, text(PROPERTY, LABEL, "LVIDd (2D)"))
        for value, said in (("5.00", (chosen,)), ("5.50", ()), ("6.00", ()))
    ]
    index = num(
        CONTAINS,
        STROKE_INDEX,
        "39",
        UNITS["ml/m2"],
        coded(MOD, SITE, Code("87878005", "SCT", "Left Ventricle")),
        coded(MOD, METHOD, echo.DISKS),
        coded(MOD, MODE, TWO_D),
    )
    septum = num(CONTAINS, SEPTUM, "1.00", CM, text(PROPERTY, LABEL, "IVSd (2D)"))
    containers = (
        container(CONTAINS, PRECOORDINATED, septum, *repeated),
        container(CONTAINS, POSTCOORDINATED, index),
    )
    return report(header, echo.TITLE, "5300", *containers)
