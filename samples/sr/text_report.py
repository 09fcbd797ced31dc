"""Text reports (PS3.16 TID 2000): one that was verified, and the amendment that took its place."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import BasicTextSRStorage

from samples.dataset import Attributes
from samples.header import Header
from samples.sr.content import CONTAINS, CONTEXT, MOD, coded, container, pname, text
from samples.sr.document import document, instances_of

IMAGING_REPORT = Code("18748-4", "LN", "Diagnostic Imaging Report")
READER = "Example^Karl^^Dr."
GERMAN, AUSTRIA = Code("de", "RFC5646", "German"), Code("AT", "ISO3166_1", "Austria")


def text_report(header: Header) -> Dataset:
    """Return a report in German that its reader verified."""
    findings = (
        "Kein Nachweis einer Lungenembolie.",
        "Rundherd im linken Oberlappen, 9 mm.\nKeine vergrößerten Lymphknoten.",
    )
    root = report(findings, "Kein Anhalt für eine Lungenembolie; Verlaufskontrolle des Rundherds.")
    return document(header, series(header, 21), BasicTextSRStorage, root, **verified(header, "20240517121500+0200"))


def amended_report(header: Header) -> Dataset:
    """Return the report that replaces `text_report`, with one sentence more."""
    findings = ("Kein Nachweis einer Lungenembolie.", "Rundherd im linken Oberlappen, 12 mm (berichtigt).")
    root = report(findings, "Kein Anhalt für eine Lungenembolie; Kontrolle nach drei Monaten.")
    before = text_report(header)
    named = [(before.SOPClassUID, before.SOPInstanceUID)]
    more: Attributes = {
        **verified(header, "20240518090000+0200"),
        "PredecessorDocumentsSequence": instances_of(header.study_uid, before.SeriesInstanceUID, named),
    }
    later = {**series(header, 22), "SeriesDescription": "Report, amended", "ContentDate": "20240518"}
    return document(header, later, BasicTextSRStorage, root, **more)


def series(header: Header, number: int) -> Attributes:
    """Return a series of reports."""
    return header.series(number, "SR", "Report", 90)


def verified(header: Header, when: str) -> Attributes:
    """Return who verified the report, and when."""
    observer: Attributes = {
        "VerifyingObserverName": READER,
        "VerifyingObserverIdentificationCodeSequence": [],
        "VerifyingOrganization": "Example Hospital",
        "VerificationDateTime": when,
    }
    return {"VerificationFlag": "VERIFIED", "VerifyingObserverSequence": [observer]}


def report(findings: tuple[str, ...], impression: str) -> Attributes:
    """Return the content of a report (TID 2000 to 2002)."""
    return container(
        "",
        IMAGING_REPORT,
        coded(
            MOD,
            codes.DCM.LanguageOfContentItemAndDescendants,
            GERMAN,
            coded(MOD, codes.DCM.CountryOfLanguage, AUSTRIA),
        ),
        coded(CONTEXT, codes.DCM.ObserverType, codes.DCM.Person),
        pname(CONTEXT, codes.DCM.PersonObserverName, READER),
        container(CONTAINS, codes.DCM.History, text(CONTAINS, codes.DCM.History, "Husten seit sechs Wochen")),
        container(CONTAINS, codes.DCM.Findings, *(text(CONTAINS, codes.DCM.Finding, one) for one in findings)),
        container(CONTAINS, codes.DCM.Impressions, text(CONTAINS, codes.DCM.Impression, impression)),
        template="2000",
    )
