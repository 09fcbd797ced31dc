"""The equipment of the demo, by modality, all of it invented."""

from __future__ import annotations

from samples.dataset import Attributes

HOSPITAL: Attributes = {"InstitutionName": "Example Hospital", "Manufacturer": "ACME Medical"}


def _machine(model: str, serial: str, station: str, software: str) -> Attributes:
    return {
        **HOSPITAL,
        "ManufacturerModelName": model,
        "DeviceSerialNumber": serial,
        "StationName": station,
        "SoftwareVersions": software,
    }


EQUIPMENT: dict[str, Attributes] = {
    "CT": _machine("Scan 5000", "CT-0123", "CT01", "VB20A"),
    "MR": _machine("Spin 3T", "MR-0456", "MR02", "XA31"),
    "CR": _machine("Plate 10", "CR-0789", "CR03", "1.4"),
    "DX": _machine("Flat 40", "DX-1011", "DX01", "7.0.2"),
    "MG": _machine("Mamma 2D", "MG-1213", "MG01", "3.1"),
    "US": _machine("Echo S", "US-1415", "US05", "R9"),
    "XC": _machine("Camera 1", "XC-1617", "XC01", "1.0"),
    "DOC": _machine("Report Writer", "DOC-1819", "REPORT01", "2.6"),
    "SEG": _machine("Lesion Finder", "AI-2021", "READ01", "0.9"),
    "SR": _machine("Reading Station", "WS-2223", "READ01", "5.2"),
    "KO": _machine("Reading Station", "WS-2223", "READ01", "5.2"),
}
