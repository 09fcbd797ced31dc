"""Codes of a content tree as they are compared: retired ones by those that took their place."""

from mapper.dicom.retired_codes import Concept, successor

RT_DESIGNATORS = frozenset({"SRT", "SNM3", "99SDM"})
"""The designators that SNOMED RT style codes had (PS3.16 section 8); SRT stands for all of them."""


def current(value: str, scheme: str) -> Concept:
    """Return the code that stands today for a code and its scheme; what was never retired comes back as it is.

    A SNOMED RT code under the designator of SNOMED CT is taken for what it is.

    >>> current("G-C0E3", "SRT")
    ('363698007', 'SCT')
    """
    if scheme not in RT_DESIGNATORS and (scheme != "SCT" or value[:1].isdigit()):
        return value, scheme
    return successor(value) or (value, "SRT")
