"""A part of a document read as a data set: the part, the document and the study each answer for their own attributes."""

from collections.abc import Set
from typing import Any

from mapper.dicom.item import Item

OF_STUDY = frozenset(
    {
        "AccessionNumber",
        "BodyPartExamined",
        "ClinicalTrialProtocolID",
        "ClinicalTrialSubjectID",
        "DeidentificationMethodCodeSequence",
        "IssuerOfAccessionNumberSequence",
        "IssuerOfPatientID",
        "IssuerOfPatientIDQualifiersSequence",
        "LongitudinalTemporalInformationModified",
        "PatientBirthDate",
        "PatientID",
        "PatientIdentityRemoved",
        "QualityControlSubject",
        "StudyDate",
        "StudyTime",
    }
)
"""Attributes that the whole study answers for: a report is of the same patient, and of the same time, as its images."""


class PartItem(Item):
    """A part of a document, such as a content item or a segment, with its document and its study."""

    __slots__ = ("_of_part", "_part", "document", "study")

    def __init__(self, part: Item, of_part: Set[str], document: Item, study: Item) -> None:
        """Take a part, the attributes that are its own, the data set that it stands in, and the study's."""
        super().__init__()
        self._part, self._of_part, self.document, self.study = part, of_part, document, study

    def _of(self, keyword: str) -> Item:
        if keyword in self._of_part:
            return self._part
        return self.study if keyword in OF_STUDY else self.document

    def element(self, keyword: str) -> Any:
        return self._of(keyword).element(keyword)

    def values_of_all(self, keyword: str) -> list[Any]:
        return self._of(keyword).values_of_all(keyword)

    def layer(self, keyword: str) -> Item:
        """Return the data set that speaks; for a part's own attribute the whole: its offset is the document's."""
        return self if keyword in self._of_part else self._of(keyword).layer(keyword)

    def is_settled(self, keyword: str) -> bool:
        return keyword in OF_STUDY and self.study.is_settled(keyword)

    def disagrees(self, keyword: str) -> bool:
        return keyword in OF_STUDY and self.study.disagrees(keyword)
