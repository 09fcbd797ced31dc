"""UIDs of the outside world: which of them may become part of a URL."""

import re

ASKABLE = re.compile(r"(?=[^0-9]*[0-9])[0-9A-Za-z.-]{1,64}", re.ASCII)
"""What FHIR's type `id` allows, and a digit in it: so neither `.` nor `..`, nor anything that has to be quoted."""


def is_askable(uid: str) -> bool:
    """Tell whether a text that claims to be a UID may become part of a URL.

    Wider than PS3.5 section 9 (archives hold letters and leading zeros), narrower than what a file can hold.
    """
    return ASKABLE.fullmatch(uid) is not None
