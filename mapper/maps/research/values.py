"""Values of cells -> FHIR datatypes."""

import re
from datetime import date
from functools import cache
from typing import Any

from mapper.fhir import systems
from mapper.maps.values.coding import Concept
from mapper.maps.values.context import Context
from mapper.maps.values.pydicom_codes import cid
from mapper.records.sds.columns import name_key
from mapper.records.sds.description import Contributor, is_orcid
from mapper.records.sds.species import MAN, species_of
from mapper.records.sds.words import rrid_of, sex_of

GENDERS = {"F": "female", "M": "male"}
DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
ORCID = re.compile(r"((?:[0-9]{4}-){3}[0-9]{3}[0-9Xx])\s*$")


def gender(cx: Context, sex: Any) -> str | None:
    """Cell `sex` -> code; only what clearly says female or male."""
    return None if sex is None else GENDERS[sex_of(sex)]


def birth_date(cx: Context, text: Any) -> str | None:
    """Cell `date of birth` -> date, as exact as it is written (FHIR R4 date)."""
    return None if text is None else day_of(text)


def day_of(text: str) -> str:
    """Return a date as FHIR R4 has it, of a day, a month or a year; raises ValueError."""
    if not DAY.fullmatch(text):
        raise ValueError("not a date such as 1978-03-15")
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        raise ValueError("not a date such as 1978-03-15") from None  # Python's own words may have parts of it
    return text


@cache
def species_codes() -> dict[str, tuple[str, str]]:
    """Return {name of a species: its code and meaning}, PS3.16 CID 7454."""
    return {name_key(meaning): (code, meaning) for code, meaning in cid(7454, "SCT").items()}


def species(cx: Context, text: Any) -> Concept | None:
    """Cell `species` -> CodeableConcept, with a code where PS3.16 CID 7454 has the species."""
    if text is None:
        return None
    known = species_codes().get(name_key(kind_of(text) or ""))
    coding = [{"system": systems.SCT, "code": known[0], "display": known[1]}] if known else []
    return {**({"coding": coding} if coding else {}), "text": text}


def strain(cx: Context, text: Any, rrid: Any = None) -> Concept | None:
    """Cells `strain` and `RRID for strain` -> CodeableConcept."""
    coding = []
    if rrid is not None:
        try:
            coding = [{"system": systems.DESIGNATORS["RRID"], "code": rrid_of(rrid)}]
        except ValueError as error:
            cx.note(f"{error}: left out")
    made: Concept = {"coding": coding} if coding else {}
    return {**made, **({"text": text} if text else {})} or None


def is_animal(text: str | None) -> bool:
    """Tell whether a cell names a species that is known, and not the human one: a slip of the pen makes no animal."""
    return text is not None and kind_of(text) not in (None, MAN)


def kind_of(text: str) -> str | None:
    """Return the scientific name of a species, None where it is none that is known."""
    try:
        return species_of(text)
    except ValueError:
        return None


def orcid_of(contributor: Contributor) -> str | None:
    """Return the bare ORCID iD of a contributor, None without one or with a wrong one."""
    if not contributor.orcid or not is_orcid(contributor.orcid):
        return None
    found = ORCID.search(contributor.orcid)
    return found[1].upper() if found else None
