"""A DICOM file -> DICOM JSON that loses nothing: numbers of type DS and IS stay the text that stands in the file."""

from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement


def dicom_json(file: Path) -> dict[str, Any]:
    """Return the attributes of a file, pixels left out."""
    return model(dcmread(file, stop_before_pixels=True, force=True))


def model(data: Dataset) -> dict[str, Any]:
    """Return the attributes of a data set as the DICOM JSON Model (PS3.18 F.2)."""
    return {f"{element.tag:08X}": attribute(element) for element in data}


def attribute(element: DataElement) -> dict[str, Any]:
    if element.VR == "SQ":
        return {"vr": "SQ", "Value": [model(item) for item in element.value]}
    if element.VR in ("DS", "IS") and element.value is not None and element.value != "":
        values = element.value if element.VM > 1 else [element.value]
        return {"vr": element.VR, "Value": [str(value) for value in values]}
    found: dict[str, Any] = element.to_json_dict(lambda _: "", 0)
    return found
