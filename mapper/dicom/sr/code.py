"""Coded entries of a content tree as plain data (PS3.3 section 8.8, Code Sequence Macro)."""

from dataclasses import dataclass, field

from mapper.dicom.retired_codes import Concept
from mapper.dicom.sr.reading import Reading
from mapper.dicom.sr.retired import current

VALUES = ("CodeValue", "LongCodeValue", "URNCodeValue")
"""Where a code can stand; one of them is there, and a URN names its own scheme."""


@dataclass(frozen=True, slots=True)
class Code:
    """A coded entry; every part may be absent, and two are the same concept when `means` says so."""

    value: str | None = None
    scheme: str | None = None
    version: str | None = None
    meaning: str | None = None
    equivalents: tuple["Code", ...] = ()
    keyword: str | None = field(default=None, compare=False, repr=False)
    """Which of VALUES it stands in; two codes are the same wherever they stand."""

    @property
    def concept(self) -> Concept:
        """The code that stands today for this one, and its scheme; empty where absent."""
        return current(self.value or "", self.scheme or "")

    def means(self, *concepts: Concept) -> bool:
        """Tell whether this code, or an equivalent one, is one of these concepts, retired codes included."""
        wanted = {current(*concept) for concept in concepts}
        return self.concept in wanted or any(one.concept in wanted for one in self.equivalents)


def read_code(reading: Reading, keyword: str) -> Code | None:
    """Return the one code of a sequence, or None where there is none; of several the first, recorded."""
    entry = reading.only(keyword)
    if entry is None:
        return None
    code = code_of(entry, tuple(code_of(one) for one in entry.items("EquivalentCodeSequence")))
    return code if code != Code() else None


def code_of(entry: Reading, equivalents: tuple[Code, ...] = ()) -> Code:
    """Return the code of one item of a code sequence."""
    values = ((entry.one(keyword), keyword) for keyword in VALUES)
    value, keyword = next((one for one in values if one[0] is not None), (None, None))
    return Code(
        value,
        entry.one("CodingSchemeDesignator"),
        entry.one("CodingSchemeVersion"),
        entry.one("CodeMeaning"),
        equivalents,
        keyword,
    )
