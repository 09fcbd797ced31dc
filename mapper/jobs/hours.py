"""Hours of the day in which a job may work: a PACS is left alone while people need it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from mapper.errors import SettingError

SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """From one time of day to another, by the clock of this machine; over midnight where the second is earlier."""

    first: time
    last: time
    now: Callable[[], datetime] = datetime.now

    def wait(self) -> float:
        """Return the seconds until one may work, 0.0 where one may now."""
        now = self.now()
        at = now.time()
        inside = self.first <= at < self.last if self.first < self.last else at >= self.first or at < self.last
        if inside:
            return 0.0
        opens = now.replace(hour=self.first.hour, minute=self.first.minute, second=0, microsecond=0)
        return ((opens if opens > now else opens + timedelta(days=1)) - now).total_seconds()


def hours_of(text: str, now: Callable[[], datetime] = datetime.now) -> Hours:
    """Return the hours that `19:00-06:00` names; raises SettingError where it is none."""
    found = SPAN.fullmatch(text)
    if not found or found.groups()[:2] == found.groups()[2:]:
        raise SettingError("--between: say hours of a day, as 19:00-06:00")
    first_hour, first_minute, last_hour, last_minute = map(int, found.groups())
    return Hours(time(first_hour, first_minute), time(last_hour, last_minute), now)
