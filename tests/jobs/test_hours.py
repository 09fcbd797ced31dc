"""Hours of the day in which a job may work."""

from datetime import datetime

import pytest

from mapper.errors import SettingError
from mapper.jobs.hours import hours_of

HOUR = 3600.0
CASES = [
    ("19:00-06:00", "19:00", 0.0),
    ("19:00-06:00", "05:59", 0.0),
    ("19:00-06:00", "06:00", 13 * HOUR),
    ("19:00-06:00", "18:59", 60.0),
    ("19:00-06:00", "00:00", 0.0),
    ("09:30-17:00", "09:30", 0.0),
    ("09:30-17:00", "16:59", 0.0),
    ("09:30-17:00", "17:00", 16.5 * HOUR),
    ("09:30-17:00", "09:00", 1800.0),
    ("00:00-23:59", "23:59", 60.0),
]


@pytest.mark.parametrize(("span", "now", "seconds"), CASES)
def test_hours(span: str, now: str, seconds: float) -> None:
    moment = datetime.fromisoformat(f"2024-05-17T{now}:00")
    assert hours_of(span, lambda: moment).wait() == seconds


@pytest.mark.parametrize("text", ["", "19-6", "19:00", "24:00-06:00", "19:00-19:00", "19:60-20:00", "7:00-8:00", "a-b"])
def test_what_is_no_span_of_hours(text: str) -> None:
    with pytest.raises(SettingError, match="--between"):
        hours_of(text)
