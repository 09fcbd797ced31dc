"""Text reports (PS3.16 TID 2000): one that was verified, and the amendment that took its place."""

from __future__ import annotations

from dataclasses import dataclass

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
ENGLISH = Code("en", "RFC5646", "English")


@dataclass(frozen=True)
class Text:
    """What a reader dictated, in which language (and country), and when it was verified."""

    language: tuple[Code, ...]
    history: str
    findings: tuple[str, ...]
    impression: str
    verified: str
    reader: str = READER


NO_EMBOLISM = Text(
    (GERMAN, AUSTRIA),
    "Husten seit sechs Wochen",
    ("Kein Nachweis einer Lungenembolie.", "Rundherd im linken Oberlappen, 9 mm.\nKeine vergrößerten Lymphknoten."),
    "Kein Anhalt für eine Lungenembolie; Verlaufskontrolle des Rundherds.",
    "20240517121500+0200",
)
AMENDED = Text(
    (GERMAN, AUSTRIA),
    "Husten seit sechs Wochen",
    ("Kein Nachweis einer Lungenembolie.", "Rundherd im linken Oberlappen, 12 mm (berichtigt)."),
    "Kein Anhalt für eine Lungenembolie; Kontrolle nach drei Monaten.",
    "20240518090000+0200",
)
GROWN = Text(
    (ENGLISH,),
    "Nodule of the left lung, seen on 17 May 2024.",
    ("Nodule 1 of the left lung: long axis 24 mm, before 18 mm.", "No enlarged lymph nodes. No effusion."),
    "The nodule of the left lung has grown. Tissue sampling is recommended.",
    "20241120160000+0100",
    "Example^Rita^^Dr.",
)


def text_report(header: Header, told: Text = NO_EMBOLISM) -> Dataset:
    """Return a report that its reader verified."""
    return document(header, series(header, 21), BasicTextSRStorage, report(told), **verified(told))


def amended_report(header: Header) -> Dataset:
    """Return the report that replaces `text_report`, with one sentence more."""
    before = text_report(header)
    named = [(before.SOPClassUID, before.SOPInstanceUID)]
    more: Attributes = {
        **verified(AMENDED),
        "PredecessorDocumentsSequence": instances_of(header.study_uid, before.SeriesInstanceUID, named),
    }
    later = {**series(header, 22), "SeriesDescription": "Report, amended", "ContentDate": "20240518"}
    return document(header, later, BasicTextSRStorage, report(AMENDED), **more)


def series(header: Header, number: int) -> Attributes:
    """Return a series of reports."""
    return header.series(number, "SR", "Report", 90)


def verified(told: Text) -> Attributes:
    """Return who verified the report, and when."""
    observer: Attributes = {
        "VerifyingObserverName": told.reader,
        "VerifyingObserverIdentificationCodeSequence": [],
        "VerifyingOrganization": "Example Hospital",
        "VerificationDateTime": told.verified,
    }
    return {"VerificationFlag": "VERIFIED", "VerifyingObserverSequence": [observer]}


def report(told: Text) -> Attributes:
    """Return the content of a report (TID 2000 to 2002)."""
    language, *countries = told.language
    return container(
        "",
        IMAGING_REPORT,
        coded(
            MOD,
            codes.DCM.LanguageOfContentItemAndDescendants,
            language,
            *(coded(MOD, codes.DCM.CountryOfLanguage, one) for one in countries),
        ),
        coded(CONTEXT, codes.DCM.ObserverType, codes.DCM.Person),
        pname(CONTEXT, codes.DCM.PersonObserverName, told.reader),
        container(CONTAINS, codes.DCM.History, text(CONTAINS, codes.DCM.History, told.history)),
        container(CONTAINS, codes.DCM.Findings, *(text(CONTAINS, codes.DCM.Finding, one) for one in told.findings)),
        container(CONTAINS, codes.DCM.Impressions, text(CONTAINS, codes.DCM.Impression, told.impression)),
        template="2000",
    )
