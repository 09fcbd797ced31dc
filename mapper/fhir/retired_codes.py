"""SNOMED RT style codes of older DICOM objects (SRT, SNM3, 99SDM) -> the codes that took their place.

PS3.16 annex J (edition 2020) replaces single codes, annex O maps the rest; where both know a code, annex J is right:
T-D2500 is the hip there, and the hip region in annex O. Most codes became SNOMED CT, three another scheme's.
"""

import csv
from functools import cache
from importlib.resources import files

from mapper.fhir.pydicom_codes import srt_to_sct


@cache
def annex_j() -> dict[str, tuple[str, str]]:
    """Return PS3.16 annex J: retired code -> CodingSchemeDesignator and CodeValue of the one with its meaning."""
    table = files("mapper.fhir").joinpath("retired_codes.csv").read_text(encoding="utf-8")
    return {
        row["retired"]: (row["CodingSchemeDesignator"], row["CodeValue"]) for row in csv.DictReader(table.splitlines())
    }


def successor(code: str) -> tuple[str, str] | None:
    """Return CodingSchemeDesignator and CodeValue that took the place of a retired code, None when there is none."""
    if found := annex_j().get(code):
        return found
    partner = srt_to_sct(code)
    return ("SCT", partner) if partner else None
