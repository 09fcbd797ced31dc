"""Retired codes: SNOMED RT style codes and the SNOMED CT concepts that took their place (PS3.16 annexes J and O)."""

import csv
from functools import cache
from importlib.resources import files

Concept = tuple[str, str]
"""A code and its CodingSchemeDesignator."""

RT_DESIGNATORS = frozenset({"SRT", "SNM3", "99SDM"})
"""The designators that SNOMED RT style codes had (PS3.16 section 8); SRT stands for all of them."""


@cache
def sct_by_rt() -> dict[str, str]:
    """Return SNOMED CT code by SNOMED RT code: annex O as pydicom has it, annex J over it."""
    from pydicom.sr._snomed_dict import mapping

    table = files("mapper.dicom.sr").joinpath("annex_j.csv").read_text(encoding="utf-8")
    return {**mapping["SRT"], **{row["srt"]: row["sct"] for row in csv.DictReader(table.splitlines())}}


def current(value: str, scheme: str) -> Concept:
    """Return the code that stands today for a code and its scheme; what was never retired comes back as it is.

    A SNOMED RT code under the designator of SNOMED CT is taken for what it is.

    >>> current("G-C0E3", "SRT")
    ('363698007', 'SCT')
    """
    if scheme not in RT_DESIGNATORS and (scheme != "SCT" or value[:1].isdigit()):
        return value, scheme
    partner = sct_by_rt().get(value)
    return (partner, "SCT") if partner else (value, "SRT")
