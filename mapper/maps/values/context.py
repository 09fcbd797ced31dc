"""What a converter may know beside the values of its row."""

from typing import Any, Protocol

from mapper.dicom.item import Item
from mapper.dicom.study import Study
from mapper.maps.site import Site

READ_BESIDE = (
    "CodingSchemeIdentificationSequence",
    "InstitutionName",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "LongitudinalTemporalInformationModified",
    "Modality",
    "PatientID",
    "PatientIdentityRemoved",
    "StationName",
)
"""Keywords that converters ask the data set for without naming them in a row: they must be decoded too."""

READ_BESIDE_OF_INSTANCES = (
    "ImageLaterality",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "Modality",
    "PatientID",
)
"""The same, of every instance of a series."""


class Context(Protocol):
    """The site's choices, the study, and the data set that is being read."""

    @property
    def site(self) -> Site:
        """The site's choices."""

    @property
    def study(self) -> Study:
        """The study with all its series."""

    @property
    def item(self) -> Item:
        """The data set, or the sequence item, that the row reads."""

    def note(self, reason: str) -> None:
        """Record why the value that is being made may be doubted."""

    def id(self, *key: str) -> str:
        """Return the id of the resource with this key."""


def beside(cx: Context, keyword: str) -> Any:
    """Return a value that only helps to read another one; unreadable counts as absent."""
    try:
        return cx.item[keyword]
    except ValueError:
        return None


def all_beside(cx: Context, keyword: str) -> list[Any]:
    """Return the values that only help to read another one; unreadable counts as absent."""
    try:
        return cx.item.values(keyword)
    except ValueError:
        return []
