"""What a cell of one word or number says: a sex, a side, an age, an RRID. What says none of it is a ValueError.

Check, comparison and mapping read cells by the same functions: what one of them drops, the others know.
"""

import re
from decimal import Decimal

SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}
SIDES = {"l": "L", "left": "L", "r": "R", "right": "R", "b": "B", "both": "B", "bilateral": "B"}
"""Words of the column `laterality` -> DICOM's."""
UNITS = {
    **dict.fromkeys(("d", "day", "days"), "D"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "W"),
    **dict.fromkeys(("mo", "mos", "month", "months"), "M"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "Y"),
}
"""Words for units of age, those of PS3.5 section 6.2 (AS) behind them; a lone `m` may be minutes."""
AGE = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,9})?)\s*([A-Za-z]+)(?:\s+old)?")
RRID = re.compile(r"RRID:\s*\S+", re.IGNORECASE)


def sex_of(text: str) -> str:
    """Return F or M; raises ValueError."""
    return known(SEXES, text, "neither female nor male")


def side_of(text: str) -> str:
    """Return L, R or B; raises ValueError."""
    return known(SIDES, text, "none of left, right and both")


def age_of(text: str) -> tuple[Decimal, str]:
    """Return a number and its unit (D, W, M, Y); raises ValueError.

    >>> age_of("45 years old")
    (Decimal('45'), 'Y')
    """
    found = AGE.fullmatch(text.strip())
    if not found:
        raise ValueError("not an age with a unit")
    return Decimal(found[1]), known(UNITS, found[2], "not an age with a unit")


def rrid_of(text: str) -> str:
    """Return an RRID without blanks; raises ValueError."""
    if not RRID.fullmatch(text.strip()):
        raise ValueError("not an RRID such as RRID:RGD_70508")
    return re.sub(r"\s", "", text)


def known(words: dict[str, str], text: str, otherwise: str) -> str:
    """Return what a word stands for, whatever its case; raises ValueError."""
    found = words.get(text.strip().casefold())
    if found is None:
        raise ValueError(otherwise)
    return found
