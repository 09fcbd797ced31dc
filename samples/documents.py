"""Encapsulated documents: a PDF and a CDA."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import EncapsulatedCDAStorage

from samples import letter
from samples.dataset import Attributes, code, uid
from samples.header import Header

LINES = ("Example Hospital, Department of Radiology", "", "A synthetic report. Not for diagnosis.")
DISCHARGE = Code("18842-5", "LN", "Discharge summary")
CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <id root="{document}"/>
  <code code="18842-5" codeSystem="2.16.840.1.113883.6.1" displayName="Discharge summary"/>
  <title>Discharge summary</title>
  <effectiveTime value="20240517110000+0200"/>
  <component><nonXMLBody><text>A synthetic summary. Not for treatment.</text></nonXMLBody></component>
</ClinicalDocument>
"""


def encapsulated_pdf(header: Header) -> Dataset:
    """Return a report as a PDF."""
    (made,) = letter.report(header, header.series(41, "DOC", "Report", 95), LINES)
    return made


def encapsulated_cda(header: Header) -> Dataset:
    """Return a discharge summary as a CDA document of HL7 (PS3.3 A.45.2)."""
    identifier = uid(header.name, "cda")
    document = CDA.format(document=identifier).encode()
    attributes: Attributes = {
        "AcquisitionDateTime": "20240517110000+0200",
        "ConversionType": "WSD",
        "BurnedInAnnotation": "YES",
        "DocumentTitle": "Discharge summary",
        "ConceptNameCodeSequence": [code(DISCHARGE)],
        "HL7InstanceIdentifier": identifier,
        "MIMETypeOfEncapsulatedDocument": "text/XML",
        "EncapsulatedDocument": document + b"\0" * (len(document) % 2),
        "EncapsulatedDocumentLength": len(document),
    }
    series = header.series(42, "DOC", "Discharge summary", 96)
    (made,) = header.instances(series, EncapsulatedCDAStorage, [attributes])
    return made
