"""A radiopharmaceutical dose report (PS3.16 TID 10021): what was injected, and the dose of two organs."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import RadiopharmaceuticalRadiationDoseSRStorage

from samples.dataset import Attributes, uid
from samples.header import Header
from samples.sr.content import (
    CONTAINS,
    CONTEXT,
    MOD,
    PROPERTY,
    coded,
    container,
    datetime,
    num,
    pname,
    text,
    uidref,
    unit,
)
from samples.sr.document import document, machine
from samples.sr.dose import AUTHORISED_BY, authorising_person

FDG = Code("35321007", "SCT", "Fluorodeoxyglucose F^18^")
FLUORINE_18 = Code("77004003", "SCT", "^18^Fluorine")
AGENT = Code("349358000", "SCT", "Radiopharmaceutical agent")
RADIONUCLIDE = Code("89457008", "SCT", "Radionuclide")
HALF_LIFE = Code("304283002", "SCT", "Radionuclide Half Life")
ROUTE, INTRAVENOUS = Code("410675002", "SCT", "Route of administration"), Code("47625008", "SCT", "Intravenous route")
ASSOCIATED = Code("363589002", "SCT", "Associated Procedure")
PET_CT = Code("443271005", "SCT", "PET-CT FDG imaging")
MEGABECQUEREL = unit("MBq", "megabecquerel")
ORGANS = (
    (Code("64033007", "SCT", "Kidney"), codes.SCT.RightAndLeft, "6.70"),
    (Code("80891009", "SCT", "Heart"), None, "26.4"),
)


def radiopharmaceutical_dose(header: Header) -> Dataset:
    """Return the report of an injection of FDG."""
    root = container(
        "",
        codes.DCM.RadiopharmaceuticalRadiationDoseReport,
        coded(MOD, ASSOCIATED, PET_CT, coded(MOD, codes.SCT.HasIntent, codes.SCT.DiagnosticIntent)),
        administration(header),
        template="10021",
    )
    return document(header, machine(header, "CT", 16), RadiopharmaceuticalRadiationDoseSRStorage, root)


def administration(header: Header) -> Attributes:
    """Return what was injected (TID 10022).

    Its observer is what the template asks for and what PS3.3 A.35.14 forbids below a container; machines write it.
    """
    return container(
        CONTAINS,
        codes.DCM.RadiopharmaceuticalAdministration,
        coded(
            CONTAINS,
            AGENT,
            FDG,
            coded(PROPERTY, RADIONUCLIDE, FLUORINE_18),
            num(PROPERTY, HALF_LIFE, "6586.2", unit("s", "second")),
        ),
        uidref(CONTAINS, codes.DCM.RadiopharmaceuticalAdministrationEventUID, uid(header.name, "administration")),
        datetime(CONTAINS, codes.DCM.RadiopharmaceuticalStartDatetime, "20240517084500"),
        datetime(CONTAINS, codes.DCM.RadiopharmaceuticalStopDatetime, "20240517084530"),
        num(CONTAINS, codes.DCM.AdministeredActivity, "248.0", MEGABECQUEREL),
        num(CONTAINS, codes.DCM.PreAdministrationMeasuredActivity, "250.5", MEGABECQUEREL),
        num(CONTAINS, codes.DCM.PostAdministrationMeasuredActivity, "2.5", MEGABECQUEREL),
        coded(CONTAINS, ROUTE, INTRAVENOUS),
        coded(CONTEXT, codes.DCM.ObserverType, codes.DCM.Person),
        pname(CONTEXT, codes.DCM.PersonObserverName, AUTHORISED_BY),
        authorising_person(),
        *(organ_dose(*organ) for organ in ORGANS),
    )


def organ_dose(organ: Code, side: Code | None, dose: str) -> Attributes:
    """Return the dose of one organ (TID 10023)."""
    sides = (coded(MOD, codes.SCT.Laterality, side),) if side else ()
    return container(
        CONTAINS,
        codes.DCM.OrganDoseInformation,
        coded(MOD, codes.SCT.FindingSite, organ, *sides),
        num(
            CONTAINS,
            codes.DCM.OrganDose,
            dose,
            unit("mGy"),
            text(PROPERTY, codes.DCM.ReferenceAuthority, "ICRP Publication 128"),
        ),
    )
