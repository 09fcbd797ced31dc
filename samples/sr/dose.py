"""What all radiation dose reports share (PS3.16 TID 1020, 1021, 10001, 10011)."""

from __future__ import annotations

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from samples.dataset import Attributes
from samples.equipment import EQUIPMENT
from samples.header import Header
from samples.sr.content import CONTAINS, CONTEXT, MOD, PROPERTY, coded, pname, text, uidref

AUTHORISED_BY = "Example^Eva^^Dr."
YES = Code("373066001", "SCT", "Yes")
THORAX = Code("51185008", "SCT", "Chest")


def procedure(kind: Code) -> Attributes:
    """Return what was done, and to find something out."""
    return coded(
        MOD,
        codes.DCM.ProcedureReported,
        kind,
        coded(MOD, codes.SCT.HasIntent, codes.SCT.DiagnosticIntent),
    )


def scope_of_study(header: Header) -> Attributes:
    """Return that doses were accumulated over the study."""
    study = uidref(PROPERTY, codes.DCM.StudyInstanceUID, header.study_uid)
    return coded(CONTEXT, codes.DCM.ScopeOfAccumulation, codes.DCM.Study, study)


def authorising_person() -> Attributes:
    """Return who let the irradiation happen (TID 1020)."""
    return pname(
        CONTAINS,
        codes.DCM.PersonName,
        AUTHORISED_BY,
        coded(PROPERTY, codes.DCM.PersonRoleInProcedure, codes.DCM.IrradiationAuthorizing),
        text(PROPERTY, codes.DCM.PersonID, "1234567893"),
        text(PROPERTY, codes.DCM.PersonIDIssuer, "Example Hospital"),
    )


def irradiating_device(modality: str) -> Attributes:
    """Return what irradiated (TID 1021)."""
    equipment = EQUIPMENT[modality]
    return coded(
        CONTAINS,
        codes.DCM.DeviceRoleInProcedure,
        codes.DCM.IrradiatingDevice,
        text(PROPERTY, codes.DCM.DeviceName, equipment["StationName"]),
        text(PROPERTY, codes.DCM.DeviceManufacturer, equipment["Manufacturer"]),
        text(PROPERTY, codes.DCM.DeviceModelName, equipment["ManufacturerModelName"]),
        text(PROPERTY, codes.DCM.DeviceSerialNumber, equipment["DeviceSerialNumber"]),
    )
