"""An echocardiography report (PS3.16 TID 5200): sixty measurements in sections, groups, and as repeated values."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage

from samples.dataset import Attributes
from samples.equipment import EQUIPMENT
from samples.header import Header
from samples.sr.content import CONTAINS, MOD, PROPERTY, coded, container, num, unit
from samples.sr.document import device_observer, document

TITLE = Code("125200", "DCM", "Adult Echocardiography Procedure Report")
FINDINGS, GROUP = Code("121070", "DCM", "Findings"), Code("125007", "DCM", "Measurement Group")
SITE, METHOD = Code("363698007", "SCT", "Finding Site"), Code("370129005", "SCT", "Measurement Method")
MODE = Code("399264008", "SCT", "Image Mode")
CARDIAC, RESPIRATORY = (
    Code("272518008", "SCT", "Cardiac Cycle Point"),
    Code("272517003", "SCT", "Respiratory Cycle Point"),
)
FLOW, DERIVATION = Code("260674002", "SCT", "Flow Direction"), Code("121401", "DCM", "Derivation")
SELECTION, CHOSEN = Code("121404", "DCM", "Selection Status"), Code("121410", "DCM", "User chosen value")
MEAN = Code("373098007", "SCT", "Mean")
TWO_D, M_MODE = Code("399064001", "SCT", "2D mode"), Code("399155008", "SCT", "M mode")
PULSED, CONTINUOUS = Code("261199008", "SCT", "Doppler Pulsed"), Code("261198000", "SCT", "Doppler Continuous Wave")
END_DIASTOLE, END_SYSTOLE = Code("416190007", "SCT", "End diastole"), Code("416430001", "SCT", "End Systole")
INSPIRATION = Code("14910006", "SCT", "Inspiration")
ANTEGRADE, REGURGITANT = Code("263677008", "SCT", "Antegrade Flow"), Code("397417004", "SCT", "Regurgitant Flow")
DISKS = Code("125207", "DCM", "Method of Disks, Biplane")
UNITS = {
    one.value: one
    for one in (
        *(
            unit("cm", "centimeter"),
            unit("cm2", "square centimeter"),
            unit("ml", "milliliter"),
            unit("ml/m2"),
            unit("g"),
        ),
        *(unit("m/s", "meter per second"), unit("mm[Hg]", "millimeter of mercury"), unit("ms", "millisecond")),
        *(unit("%", "percent"), unit("1", "no units")),
    )
}
SAID = {
    "disks": (MOD, METHOD, DISKS),
    "diastole": (MOD, CARDIAC, END_DIASTOLE),
    "systole": (MOD, CARDIAC, END_SYSTOLE),
    "inspiration": (MOD, RESPIRATORY, INSPIRATION),
    "antegrade": (MOD, FLOW, ANTEGRADE),
    "regurgitant": (MOD, FLOW, REGURGITANT),
    "mean": (MOD, DERIVATION, MEAN),
    "chosen": (PROPERTY, SELECTION, CHOSEN),
}
"""What modifies a measurement, by the word of the tables: relationship, concept name, code."""
LEFT_VENTRICLE = """
    18026-5    LN      118.40  ml      disks,diastole  Left Ventricular End Diastolic Volume
    18148-7    LN      35.10   ml      disks,systole   Left Ventricular End Systolic Volume
    18043-0    LN      70.3    %       disks           Left Ventricular Ejection Fraction by US
    LVSI-MOD   99ACME  39.0    ml/m2   disks           Left Ventricle Stroke Index (MOD)
    90096001   SCT     83.3    ml      -               Stroke Volume
    399109006  SCT     34.20   cm2     -               Left Ventricular Diastolic Area
    399030000  SCT     15.80   cm2     -               Left Ventricular Systolic Area
    399287000  SCT     53.8    %       -               Left Ventricular Fractional Area Change
    18077-8    LN      8.90    cm      -               Left Ventricle diastolic major axis
    18076-0    LN      6.70    cm      -               Left Ventricle systolic major axis
"""
LEFT_VENTRICLE_BY_M_MODE = """
    29436-3    LN      4.90    cm      -               Left Ventricle Internal End Diastolic Dimension
    29436-3    LN      5.10    cm      chosen          Left Ventricle Internal End Diastolic Dimension
    29436-3    LN      5.30    cm      -               Left Ventricle Internal End Diastolic Dimension
    29438-9    LN      3.00    cm      -               Left Ventricle Internal Systolic Dimension
    29438-9    LN      3.20    cm      -               Left Ventricle Internal Systolic Dimension
    29438-9    LN      3.10    cm      mean            Left Ventricle Internal Systolic Dimension
    18154-5    LN      0.95    cm      -               Interventricular Septum Diastolic Thickness
    18158-6    LN      1.35    cm      -               Interventricular Septum Systolic Thickness
    18152-9    LN      0.90    cm      -               Left Ventricle Posterior Wall Diastolic Thickness
    18156-0    LN      1.40    cm      -               Left Ventricle Posterior Wall Systolic Thickness
    18051-3    LN      39.2    %       -               Left Ventricular Fractional Shortening
    18054-7    LN      42.1    %       -               Interventricular Septum % Thickening
    18053-9    LN      55.6    %       -               Left Ventricle Posterior Wall % Thickening
    18087-7    LN      168     g       -               Left Ventricle Mass
"""
LEFT_ATRIUM = """
    29469-4    LN      3.60    cm      -               Left Atrium Antero-posterior Systolic Dimension
    17977-0    LN      18.2    cm2     -               Left Atrium Area A4C view
    399235004  SCT     52.0    ml      -               Left Atrium Systolic Volume
    17985-3    LN      1.10    1       -               Left Atrium to Aortic Root Ratio
"""
RIGHT_VENTRICLE = """
    20304-2    LN      2.60    cm      inspiration     Right Ventricular Internal Diastolic Dimension
    20305-9    LN      1.90    cm      inspiration     Right Ventricular Internal Systolic Dimension
    18153-7    LN      0.40    cm      -               Right Ventricular Anterior Wall Diastolic Thickness
    18157-8    LN      0.60    cm      -               Right Ventricular Anterior Wall Systolic Thickness
    399023006  SCT     28.5    mm[Hg]  -               Right Ventricular Peak Systolic Pressure
    399154007  SCT     0.31    1       -               Right Ventricular Index of Myocardial Performance
"""
MITRAL_VALVE = """
    18037-2    LN      0.82    m/s     antegrade       Mitral Valve E-Wave Peak Velocity
    17978-8    LN      0.61    m/s     antegrade       Mitral Valve A-Wave Peak Velocity
    18038-0    LN      1.34    1       -               Mitral Valve E to A Ratio
    399354002  SCT     178     ms      -               Mitral Valve E-Wave Deceleration Time
    399229004  SCT     131     ms      -               Mitral Valve A-Wave Duration
    399104001  SCT     410     ms      -               Mitral Valve Closure to Opening Time
    20355-4    LN      0.84    m/s     antegrade       Peak Blood Velocity
    20352-1    LN      0.33    m/s     antegrade       Time averaged mean velocity
    20247-3    LN      2.8     mm[Hg]  antegrade       Peak Gradient
    20256-4    LN      1.2     mm[Hg]  antegrade       Mean Gradient
    20280-4    LN      52      ms      -               Pressure Half-Time
"""
AORTIC_VALVE = """
    20355-4    LN      1.32    m/s     antegrade       Peak Blood Velocity
    20352-1    LN      0.74    m/s     antegrade       Time averaged mean velocity
    11692-1    LN      0.91    m/s     antegrade       Time averaged peak velocity
    20247-3    LN      7.0     mm[Hg]  antegrade       Peak Gradient
    20256-4    LN      3.6     mm[Hg]  antegrade       Mean Gradient
    20354-7    LN      24.6    cm      antegrade       Velocity Time Integral
    17996-0    LN      1.80    cm      -               Aortic Valve Cusp Separation
    18041-4    LN      295     ms      -               Aortic Valve Ejection Time
    20168-1    LN      84      ms      -               Acceleration Time
"""
AORTIC_REGURGITATION = """
    20355-4    LN      2.10    m/s     regurgitant     Peak Blood Velocity
    20352-1    LN      1.02    m/s     regurgitant     Time averaged mean velocity
    11692-1    LN      1.40    m/s     regurgitant     Time averaged peak velocity
    20247-3    LN      17.6    mm[Hg]  regurgitant     Peak Gradient
    20256-4    LN      8.4     mm[Hg]  regurgitant     Mean Gradient
    20280-4    LN      520     ms      -               Pressure Half-Time
"""


@dataclass(frozen=True)
class Measurement:
    """One number, and what modifies it."""

    name: Code
    value: str
    unit: Code
    said: tuple[tuple[str, Code, Code], ...]


def measurements(table: str) -> tuple[Measurement, ...]:
    """Return the measurements of a table: code, scheme, value, unit, modifiers, meaning."""
    found = []
    for line in table.strip().splitlines():
        code, scheme, value, measured_in, words, meaning = line.split(maxsplit=5)
        said = tuple(SAID[word] for word in words.split(",") if word != "-")
        found.append(Measurement(Code(code, scheme, meaning), value, UNITS[measured_in], said))
    return tuple(found)


SECTIONS: tuple[tuple[Code, tuple[tuple[Code, str], ...]], ...] = (
    (Code("87878005", "SCT", "Left Ventricle"), ((TWO_D, LEFT_VENTRICLE), (M_MODE, LEFT_VENTRICLE_BY_M_MODE))),
    (Code("82471001", "SCT", "Left Atrium"), ((TWO_D, LEFT_ATRIUM),)),
    (Code("53085002", "SCT", "Right Ventricle"), ((TWO_D, RIGHT_VENTRICLE),)),
    (Code("91134007", "SCT", "Mitral Valve"), ((PULSED, MITRAL_VALVE),)),
    (Code("34202007", "SCT", "Aortic Valve"), ((CONTINUOUS, AORTIC_VALVE), (PULSED, AORTIC_REGURGITATION))),
)
"""A site and its groups, each an image mode and a table."""


def series(header: Header, number: int = 31) -> Attributes:
    """Return a series of reports that an ultrasound machine writes."""
    return {**header.series(number, "SR", "Echo Measurements", 20), **EQUIPMENT["US"]}


def echo_report(header: Header) -> Dataset:
    """Return the report of all sections."""
    sections = (section(site, groups) for site, groups in SECTIONS)
    root = container("", TITLE, *device_observer(header, "US"), *sections, template="5200")
    return document(header, series(header), ComprehensiveSRStorage, root)


def section(site: Code, groups: tuple[tuple[Code, str], ...]) -> Attributes:
    """Return the measurements of one place (TID 5202)."""
    return container(CONTAINS, FINDINGS, coded(MOD, SITE, site), *(group(mode, table) for mode, table in groups))


def group(mode: Code, table: str) -> Attributes:
    """Return the measurements of one image mode."""
    return container(CONTAINS, GROUP, coded(MOD, MODE, mode), *map(measured, measurements(table)))


def measured(one: Measurement) -> Attributes:
    """Return one measurement (TID 5203)."""
    return num(CONTAINS, one.name, one.value, one.unit, *(coded(*said) for said in one.said))
