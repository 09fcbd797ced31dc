"""Write DICOM data sets as tables of keywords, with UIDs that are the same in every run."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.uid import UID, ExplicitVRLittleEndian

Attributes = Mapping[str, Any]

# Every UID of the demo is `2.25.` and the UUIDv5 of its path (PS3.5 B.2) in this namespace.
NAMESPACE = uuid5(NAMESPACE_URL, "urn:orthanc-fhir:demo")
EDITION = "1"  # part of every path: raise it when the content of a study changes


def uid(*path: str | int) -> UID:
    """Return the UID that belongs to a path such as (study, series number, instance number)."""
    return UID(f"2.25.{uuid5(NAMESPACE, '/'.join((EDITION, *map(str, path)))).int}")


def dataset(attributes: Attributes) -> Dataset:
    """Return a data set of these keywords; a list of tables becomes a sequence."""
    made = Dataset()
    for keyword, value in attributes.items():
        items = isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
        setattr(made, keyword, Sequence(dataset(item) for item in value) if items else value)
    return made


def code(entry: Code) -> Attributes:
    """Return the attributes of one code sequence item."""
    return {
        "CodeValue": entry.value,
        "CodingSchemeDesignator": entry.scheme_designator,
        "CodeMeaning": entry.meaning,
    }


def issuer(entity: str) -> Attributes:
    """Return an HL7v2 hierarchic designator of an invented organisation."""
    return {"UniversalEntityID": uid("issuer", entity), "UniversalEntityIDType": "ISO"}


def part10(data: Dataset) -> bytes:
    """Return the data set as a DICOM file."""
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.ImplementationClassUID = uid("implementation")
    data.file_meta.ImplementationVersionName = "ORTHANC_FHIR"
    buffer = BytesIO()
    dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()
