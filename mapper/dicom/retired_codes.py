"""SNOMED RT style codes of older objects (SRT, SNM3, 99SDM), and the codes that took their place.

PS3.16 annex J (edition 2020) replaces single codes, annex O maps the rest; where both know a code, annex J is right:
T-D2500 is the hip there, and the hip region in annex O. Most became codes of SNOMED CT, three those of other schemes.
"""

import csv
from functools import cache
from importlib.resources import files

Concept = tuple[str, str]
"""A code and its CodingSchemeDesignator."""


@cache
def annex_j() -> dict[str, Concept]:
    """Return PS3.16 annex J: retired code -> the code with its meaning."""
    table = files("mapper.dicom").joinpath("retired_codes.csv").read_text(encoding="utf-8")
    return {
        row["retired"]: (row["CodeValue"], row["CodingSchemeDesignator"]) for row in csv.DictReader(table.splitlines())
    }


@cache
def annex_o() -> dict[str, str]:
    """Return PS3.16 annex O as pydicom has it: SNOMED RT code -> SNOMED CT code."""
    from pydicom.sr._snomed_dict import mapping

    return dict(mapping["SRT"])


def successor(code: str) -> Concept | None:
    """Return the code that took the place of a retired one such as `T-D3000`, None when there is none."""
    if found := annex_j().get(code):
        return found
    partner = annex_o().get(code)
    return (partner, "SCT") if partner else None
