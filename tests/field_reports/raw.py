"""DICOM files typed in byte by byte: explicit VR little endian (PS3.5 section 7.1.2), texts as the bytes they are."""

import struct
from typing import Any

from mapper.dicom.item import tag_of, vr_of

LONG = frozenset({"OB", "OW", "SQ", "UC", "UN", "UR", "UT"})
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


def element(keyword: str, value: Any, vr: str = "") -> bytes:
    """Return one attribute; text is bytes, or ASCII; a table is an item of a sequence, a list several."""
    vr = vr or vr_of(keyword)
    if isinstance(value, list | dict):
        items = [data_set(**item) for item in (value if isinstance(value, list) else [value])]
        body = b"".join(struct.pack("<HHL", 0xFFFE, 0xE000, len(item)) + item for item in items)
    else:
        body = value if isinstance(value, bytes) else str(value).encode("ascii")
    body += (b"\0" if vr == "UI" else b" ") * (len(body) % 2)
    length = struct.pack("<HL", 0, len(body)) if vr in LONG else struct.pack("<H", len(body))
    tag = int(tag_of(keyword), 16)
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode() + length + body


def data_set(**attributes: Any) -> bytes:
    """Return a data set in the order of tags; None leaves an attribute out."""
    given = sorted((pair for pair in attributes.items() if pair[1] is not None), key=lambda pair: tag_of(pair[0]))
    return b"".join(element(keyword, value) for keyword, value in given)


def part10(**attributes: Any) -> bytes:
    """Return one CT image of study 1.2.3 as a DICOM file."""
    uids = {
        "SOPClassUID": CT,
        "SOPInstanceUID": "1.2.3.1.1",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.1",
    }
    whole = {**uids, "Modality": "CT", "PatientID": "P1", **attributes}
    meta = data_set(
        MediaStorageSOPClassUID=CT, MediaStorageSOPInstanceUID=whole["SOPInstanceUID"], TransferSyntaxUID=EXPLICIT
    )
    group_length = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(meta))
    return b"\0" * 128 + b"DICM" + group_length + meta + data_set(**whole)
