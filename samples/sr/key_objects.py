"""Key object selections (PS3.3 A.35.4, PS3.16 TID 2010): images worth a look, and images that should not be used."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import KeyObjectSelectionDocumentStorage

from samples.dataset import Attributes
from samples.header import Header
from samples.sr.content import CONTAINS, CONTEXT, coded, container, pname, referring, text
from samples.sr.document import instances_of

READER = "Example^Rita^^Dr."
REJECTED = Code("113001", "DCM", "Rejected for Quality Reasons")
DESCRIPTION = "Largest extent of the nodule"


def selection(
    header: Header, number: int, title: Code, images: Sequence[Dataset], description: str | None = None
) -> Dataset:
    """Return key objects with a title; one that rejects images is a rejection note (IHE RAD TF-2 4.66)."""
    named = [(image.SOPClassUID, image.SOPInstanceUID) for image in images]
    items = [
        coded(CONTEXT, codes.DCM.ObserverType, codes.DCM.Person),
        pname(CONTEXT, codes.DCM.PersonObserverName, READER),
        *([text(CONTAINS, codes.DCM.KeyObjectDescription, description)] if description else []),
        *(referring(CONTAINS, "IMAGE", None, one) for one in named),
    ]
    first = images[0]
    evidence = instances_of(first.StudyInstanceUID, first.SeriesInstanceUID, named)
    more: Attributes = {"CurrentRequestedProcedureEvidenceSequence": evidence}
    series = header.series(number, "KO", title.meaning, 20)
    root = container("", title, *items, template="2010")
    (made,) = header.instances(series, KeyObjectSelectionDocumentStorage, [{**root, **more}])
    return made
