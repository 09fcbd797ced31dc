"""A report as an encapsulated PDF."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import EncapsulatedPDFStorage

from samples.dataset import Attributes, code
from samples.header import Header


def pdf(lines: Sequence[str]) -> bytes:
    """Return the smallest PDF that shows these lines of ASCII text on one page."""
    shown = b"".join(b"(%s) Tj T*\n" % _escaped(line) for line in lines)
    page = b"BT /F1 14 Tf 22 TL 72 770 Td\n" + shown + b"ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    made, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return made + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(made))
    )


def report(header: Header, series: Attributes, lines: Sequence[str]) -> list[Dataset]:
    """Return the report of a study as one document."""
    document = pdf(lines)
    attributes: Attributes = {
        "AcquisitionDateTime": f"{header.study['StudyDate']}{header.study['StudyTime']}",
        "ConversionType": "WSD",
        "BurnedInAnnotation": "YES",
        "DocumentTitle": "Radiology report",
        "ConceptNameCodeSequence": [code(codes.LN.DiagnosticImagingReport)],
        "MIMETypeOfEncapsulatedDocument": "application/pdf",
        "EncapsulatedDocument": document + b"\0" * (len(document) % 2),
        "EncapsulatedDocumentLength": len(document),
    }
    return header.instances(series, EncapsulatedPDFStorage, [attributes])


def _escaped(line: str) -> bytes:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("ascii")
