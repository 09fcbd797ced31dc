"""One instance as `/tools/find` answers it -> its attributes in the DICOM JSON Model, as DICOMweb would send them.

Only what is written the plainest way is taken: of anything else a database and DICOMweb may think differently.
"""

import re
from typing import Any

from msgspec import Struct

from mapper.dicom.decoding import PARAGRAPHS
from mapper.dicom.item import tag_of, vr_of
from mapper.sources.orthanc import reasons as why
from mapper.sources.orthanc.answers import Id
from mapper.sources.orthanc.raw_texts import is_trusted

PLAIN = re.compile(r"[!-\[\]-~]([ -\[\]-~]*[!-\[\]-~])?")
"""ASCII without a backslash, and without blanks around it."""
UID = re.compile(r"(?=.{1,64}\Z)[0-9]+(\.[0-9]+)*")
NUMBER = re.compile(r"-?[0-9]{1,9}")
NEEDED = ("SOPInstanceUID", "SOPClassUID", "InstanceNumber", "Modality", "PatientID")
"""Attributes without which nothing is believed: one of them that is absent may only be one that was not kept."""
CHARSET = "SpecificCharacterSet"


class InstanceRow(Struct):
    """An instance of `/tools/find`."""

    ID: Id
    MainDicomTags: dict[str, Any] = {}
    """Texts by keyword."""

    @property
    def sop_class(self) -> str:
        """Its SOP class, empty where that is not kept."""
        return str(self.MainDicomTags.get("SOPClassUID", ""))


class Unfit(Exception):
    """A series has to be read by metadata; it says why."""


def row_of(row: InstanceRow, keywords: frozenset[str], known: dict[tuple[str, str], Any]) -> tuple[str, dict[str, Any]]:
    """Return an instance's UID and its attributes by tag, without those that Orthanc files it by; raises Unfit.

    `known` keeps what was made of a text, from instance to instance: what repeats is that very object.
    """
    found = {keyword: text for keyword, text in row.MainDicomTags.items() if keyword in keywords}
    if not all(map(found.get, NEEDED)):
        raise Unfit(why.ABSENT)
    if (charset := found.get(CHARSET)) and not is_trusted((str(charset),)):
        raise Unfit(why.TEXTS)
    elements = {}
    for keyword, text in found.items():
        if not isinstance(text, str):  # a sequence
            raise Unfit(why.SEQUENCES)
        if (keyword, text) not in known:
            known[keyword, text] = element(vr_of(keyword), text)
        elements[tag_of(keyword)] = known[keyword, text]
    return found["SOPInstanceUID"], elements


def element(vr: str, text: str) -> dict[str, Any]:
    """Return one attribute; raises Unfit for a value that is not plain.

    >>> element("CS", "ORIGINAL\\\\PRIMARY"), element("IS", "7"), element("LO", "")
    ({'vr': 'CS', 'Value': ['ORIGINAL', 'PRIMARY']}, {'vr': 'IS', 'Value': [7]}, {'vr': 'LO'})
    """
    if not text:
        return {"vr": vr}
    if vr in ("IS", "UI"):
        if not (NUMBER if vr == "IS" else UID).fullmatch(text):
            raise Unfit(why.ODD)
        return {"vr": vr, "Value": [int(text) if vr == "IS" else text]}
    values = [text] if vr in PARAGRAPHS else text.split("\\")
    if not all(PLAIN.fullmatch(value) for value in values if value):
        raise Unfit(why.ODD)
    return {"vr": vr, "Value": [value or None for value in values]}
