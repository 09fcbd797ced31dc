"""An SR document around its content tree: flags, evidence, observers (PS3.3 C.17.2)."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from samples.dataset import Attributes, uid
from samples.equipment import EQUIPMENT
from samples.header import Header
from samples.sr.content import CONTEXT, coded, text, uidref

SPIRAL = Code("116152004", "SCT", "Spiral Acquisition")


def document(header: Header, series: Attributes, sop_class: str, root: Attributes, **more: object) -> Dataset:
    """Return an SR document that is complete and not verified, unless `more` says otherwise."""
    flags: Attributes = {
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
        "ReferencedPerformedProcedureStepSequence": [],
        "PerformedProcedureCodeSequence": [],
    }
    (made,) = header.instances(series, sop_class, [{**flags, **root, **more}])
    return made


def instances_of(study_uid: str, series_uid: str, sops: Iterable[tuple[str, str]]) -> list[Attributes]:
    """Return what evidence and predecessor sequences hold: (SOP class, SOP instance) of one series."""
    named = [{"ReferencedSOPClassUID": sop[0], "ReferencedSOPInstanceUID": sop[1]} for sop in sops]
    series = [{"ReferencedSOPSequence": named, "SeriesInstanceUID": series_uid}]
    return [{"ReferencedSeriesSequence": series, "StudyInstanceUID": study_uid}]


def machine(header: Header, modality: str, number: int) -> Attributes:
    """Return a series of reports that an imaging machine writes itself."""
    return {**header.series(number, "SR", "Dose Report", 20), **EQUIPMENT[modality]}


def device_observer(header: Header, modality: str) -> tuple[Attributes, ...]:
    """Return the machine as the observer (TID 1002, TID 1004)."""
    equipment = EQUIPMENT[modality]
    return (
        coded(CONTEXT, codes.DCM.ObserverType, codes.DCM.Device),
        uidref(CONTEXT, codes.DCM.DeviceObserverUID, uid("device", modality)),
        text(CONTEXT, codes.DCM.DeviceObserverName, equipment["StationName"]),
        text(CONTEXT, codes.DCM.DeviceObserverManufacturer, equipment["Manufacturer"]),
        text(CONTEXT, codes.DCM.DeviceObserverModelName, equipment["ManufacturerModelName"]),
        text(CONTEXT, codes.DCM.DeviceObserverSerialNumber, equipment["DeviceSerialNumber"]),
    )
