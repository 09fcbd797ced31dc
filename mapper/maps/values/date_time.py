"""Dates and times: DA, TM, DT and an offset (PS3.5 table 6.2-1) -> date, dateTime (FHIR R4 datatypes.html).

Nothing is invented: without a zone a time becomes its date, without minutes too; never midnight, never UTC.
"""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mapper.dicom.characters import composed
from mapper.maps.values.context import Context, beside
from mapper.maps.values.text import as_code, as_text

DA = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})\.([0-9]{2})\.([0-9]{2})")  # the second: ACR-NEMA
NEARLY_DA = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{4})([0-9]{2})|([0-9]{4})")
TM = re.compile(r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(?:\.([0-9]+))?)?)?")
DT = re.compile(r"([0-9]{4}(?:[0-9]{2}){0,2})((?:[0-9]{2}){0,3}(?:\.[0-9]+)?)([+-][0-9]{4})?")
OFFSET = re.compile(r"([+-])([0-9]{2})([0-5][0-9])")
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
OLDEST = 150  # years: an older patient is possible, but doubtful


def date(cx: Context, da: Any) -> str | None:
    """DA -> date, as precise as it is; never moved by a zone."""
    if dates_are_dummies(cx):
        return None
    return day(cx, as_text(da))


def birth_date(cx: Context, da: Any, study_date: Any = None) -> str | None:
    """PatientBirthDate, StudyDate -> date; the study's date only tells whether the birth is credible."""
    born = date(cx, da)
    if born is None:
        return None
    found = DA.fullmatch(study_date.strip()) if isinstance(study_date, str) else None
    if found:
        studied = "-".join(part for part in found.groups() if part)
        if born > studied:
            cx.note("born after the study")
        elif int(studied[:4]) - int(born[:4]) > OLDEST:
            cx.note(f"more than {OLDEST} years before the study")
    return born


def date_time(cx: Context, da: Any, tm: Any = None, offset: Any = None) -> str | None:
    """DA + TM + TimezoneOffsetFromUTC -> dateTime; the date alone where the zone or the minutes are unknown."""
    if dates_are_dummies(cx):
        return None
    on = day(cx, as_text(da))
    if on is None or len(on) < 10:
        return on
    at = time_of_day(cx, tm)
    return moment(cx, on, at, offset_of(cx, offset)) if at else on


def dt_date_time(cx: Context, dt: Any, offset: Any = None) -> str | None:
    """DT + TimezoneOffsetFromUTC -> dateTime; the offset inside DT wins."""
    value = as_text(dt)
    if value is None or dates_are_dummies(cx):
        return None
    found = DT.fullmatch(value.strip())
    if found is None:
        raise ValueError("not a date and time")
    own = offset_of(cx, found[3])
    on = day(cx, found[1], precise=False)
    if on is None or len(on) < 10 or not found[2]:
        return on
    at = time_of_day(cx, found[2])
    return moment(cx, on, at, own or offset_of(cx, offset)) if at else on


def instant(cx: Context, da: Any, tm: Any, offset: Any) -> datetime:
    """Return a moment to sort by, never to be written: unknown parts are the earliest, an unknown zone is UTC."""
    try:
        on = day(cx, as_text(da))
    except ValueError:
        on = None
    if on is None:
        return EARLIEST
    year, month, number = map(int, f"{on}-01-01".split("-")[:3])
    found = TM.fullmatch(tm.strip()) if isinstance(tm, str) else None
    hour, minute, second = (int(part or 0) for part in found.groups()[:3]) if found else (0, 0, 0)
    if found is None or hour > 23 or minute > 59:
        local = datetime(year, month, number)
    else:
        fraction = int((found[4] or "")[:6].ljust(6, "0"))
        local = datetime(year, month, number, hour, minute, min(second, 59), fraction)
    return datetime.fromisoformat(f"{local.isoformat()}{offset_of(cx, offset) or site_offset(cx, local) or '+00:00'}")


def dates_are_dummies(cx: Context) -> bool:
    """Tell whether de-identification replaced all dates (PS3.15 annex E)."""
    if as_code(beside(cx, "LongitudinalTemporalInformationModified")) != "REMOVED":
        return False
    cx.note("de-identification removed the real dates")
    return True


def day(cx: Context, value: str | None, *, precise: bool = True) -> str | None:
    """Return a FHIR date, shorter when day or month are unknown; raises ValueError when it is no real day."""
    if value is None:
        return None
    legal = DA.fullmatch(value.strip())
    found = legal or NEARLY_DA.fullmatch(value.strip())
    if found is None:
        raise ValueError("not a date")
    year, month, number = [*(int(part) for part in found.groups() if part), 0, 0][:3]
    if year == 0 or month > 12 or (month == 0 and number) or (month and number > monthrange(year, month)[1]):
        raise ValueError("not a real day")
    if precise and not (legal and month and number):
        cx.note("not a date as DICOM writes it: read as precisely as it is")
    return f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{number:02}" if number else "")


def time_of_day(cx: Context, tm: Any) -> tuple[str, str] | None:
    """Return `hh:mm:ss` and the milliseconds (or nothing), None when minutes are unknown or it is no time."""
    try:
        return clock(cx, as_text(tm))
    except ValueError:
        cx.note("not a time of day: the date alone is kept")
        return None


def tm_time(cx: Context, tm: Any) -> str | None:
    """TM -> time, which has seconds; one without minutes is none."""
    value = as_text(tm)
    at = clock(cx, value)
    if value and at is None:
        raise ValueError("a time of day without minutes, which FHIR cannot hold")
    return "".join(at) if at else None


def clock(cx: Context, value: str | None) -> tuple[str, str] | None:
    """Return the same of a text; raises ValueError when it is no time of day."""
    if value is None:
        return None
    found = TM.fullmatch(value.strip())
    if found is None:
        raise ValueError("not a time of day")
    hour, minute, second, fraction = found.groups()
    second = second or "00"
    if int(hour) > 23 or int(minute or 0) > 59 or int(second) > 60:
        raise ValueError("not a time of day")
    if minute is None:
        return None
    if second == "60":
        cx.note("a leap second: written as the second before it")
        second, fraction = "59", None
    fraction = (fraction or "")[:3].ljust(3, "0")
    return f"{hour}:{minute}:{second}", "" if fraction == "000" else f".{fraction}"


def offset_of(cx: Context, value: Any) -> str | None:
    """Return TimezoneOffsetFromUTC as FHIR writes it, None when it is absent or no legal offset."""
    text = value.strip() if isinstance(value, str) else value
    if text in (None, "", "-0000"):  # PS3.3 C.12.1.1.8 forbids -0000: it says nothing
        return None
    found = OFFSET.fullmatch(text) if isinstance(text, str) else None
    if found is None or not -1200 <= int(found[0]) <= 1400:
        cx.note("not a legal offset from UTC: ignored")
        return None
    return f"{found[1]}{found[2]}:{found[3]}"


def moment(cx: Context, on: str, at: tuple[str, str], offset: str | None) -> str:
    """Return a date and a time of day with its offset, the date alone when there is none."""
    clock, fraction = at
    offset = offset or site_offset(cx, datetime.fromisoformat(f"{on}T{clock}"))
    return f"{on}T{clock}{fraction}{offset}" if offset else on


def site_offset(cx: Context, local: datetime) -> str | None:
    """Return the offset of the site's zone at a local time, None when none is configured or it has none."""
    zones = cx.site.timezones
    places = [one for one in (beside(cx, "InstitutionName"), beside(cx, "StationName")) if isinstance(one, str)]
    name = next((zones[place] for place in map(composed, places) if place in zones), cx.site.timezone)
    if name is None:
        return None
    zone = ZoneInfo(name)
    before, after = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert before is not None
    assert after is not None
    if before < after:  # PEP 495: a gap
        cx.note("a local time that daylight saving skips: the date alone is kept")
        return None
    if before > after:
        cx.note("a local time that daylight saving repeats: the first is meant")
    minutes, rest = divmod(abs(before), timedelta(minutes=1))
    if rest or minutes > 14 * 60:
        cx.note("the site's zone had an offset that FHIR cannot hold: the date alone is kept")
        return None
    return f"{'-' if before < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"
