"""Context groups of PS3.16 and meanings of codes: what the mapper names of them, printed from pydicom's (`make docs`).

pydicom's own tables take 15 MB and half a second: they are asked only for what context_groups.csv lacks.
"""

import csv
from functools import cache
from importlib.resources import files

from mapper.maps.values import pydicom_codes


def cid(number: int, scheme: str = "DCM") -> dict[str, str]:
    """Return one scheme's codes of a context group of PS3.16 with their meanings, in order of the code."""
    found = printed().get((str(number), scheme))
    return pydicom_codes.cid(number, scheme) if found is None else found


def meaning(scheme: str, code: str) -> str | None:
    """Return the meaning that most context groups give to a code, or None."""
    return printed().get(("", scheme), {}).get(code) or pydicom_codes.meaning(scheme, code)


@cache
def printed() -> dict[tuple[str, str], dict[str, str]]:
    """Return the codes with their meanings, by group and scheme; those that are named alone have no group."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    text = files("mapper.maps.values").joinpath("context_groups.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        found.setdefault((row["cid"], row["scheme"]), {})[row["code"]] = row["meaning"]
    return found
