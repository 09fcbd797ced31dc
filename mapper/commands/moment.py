"""Moments as people write them for `--since`: so long ago, a day, or a time."""

import re
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mapper.configuration import WrongArgument

UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
ALLOWED = "--since: so long ago (30m, 12h, 7d, 2w), a day (2024-05-17) or a time (2024-05-17T09:30)"


def since(text: str, zone: str | None = None, now: float | None = None) -> float:
    """Return a moment in seconds since 1970 UTC; one without an offset is in the IANA `zone`, UTC without one.

    Raises WrongArgument where the text is no moment; it is not repeated.
    """
    if found := re.fullmatch(r"([0-9]{1,6})([mhdw])", text):
        return (time.time() if now is None else now) - int(found[1]) * UNITS[found[2]]
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone) if zone else UTC)
        return moment.timestamp()
    except (ValueError, OverflowError):
        raise WrongArgument(ALLOWED) from None
