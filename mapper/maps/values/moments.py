"""Dates and times as a person reads them: DA, TM, DT as ISO 8601 writes them, no more precise than they are."""

from mapper.maps.values.date_time import DT, TM


def date_in_words(value: str) -> str:
    """Return a DA, TM or DT as ISO 8601 writes it, as precise as it is; what is none of them stays as it is.

    >>> date_in_words("20240517101500.25+0200"), date_in_words("202405"), date_in_words("20240517")
    ('2024-05-17T10:15:00.25+02:00', '2024-05', '2024-05-17')
    """
    found = DT.fullmatch(value.strip())
    if found is None:
        return value
    on, at, offset = found[1], found[2], found[3]
    day = "-".join(filter(None, (on[:4], on[4:6], on[6:])))
    whole, point, fraction = at.partition(".")
    hours = ":".join(whole[start : start + 2] for start in range(0, len(whole), 2)) + point + fraction
    zone = f"{offset[:3]}:{offset[3:]}" if offset else ""
    return f"{day}{'T' if hours else ''}{hours}{zone}"


def time_in_words(value: str) -> str:
    """Return a TM with colons; what is none stays as it is.

    >>> time_in_words("101500.25"), time_in_words("1015")
    ('10:15:00.25', '10:15')
    """
    found = TM.fullmatch(value.strip())
    if found is None:
        return value
    *parts, fraction = found.groups()
    return ":".join(filter(None, parts)) + (f".{fraction}" if fraction else "")
