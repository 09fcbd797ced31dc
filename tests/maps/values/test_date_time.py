"""DA, TM, DT and offsets -> FHIR dates, on a machine whose own clock stands at UTC+4: it may not matter."""

import os
import time
from collections.abc import Iterator

import pytest

from mapper.maps.values.date_time import birth_date, date, date_time, dt_date_time
from tests.support.datasets import BERLIN, run, site
from tests.support.tables import rows

STARTED = "StudyDate StudyTime TimezoneOffsetFromUTC"


@pytest.fixture(autouse=True)
def _machine_at_utc_plus_4() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Dubai"
    time.tzset()
    assert time.timezone == -4 * 3600
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def given(**values: str | None) -> dict[str, str | None]:
    """Return attributes: `-` in a table is absent, '' is there but empty."""
    return {keyword: value or None for keyword, value in values.items() if value is not None}


@rows(
    "da, tm, offset, zone, started, recorded",
    """
    20240517    093105         -      Europe/Berlin  2024-05-17T09:31:05+02:00      no
    20240117    093105         -      Europe/Berlin  2024-01-17T09:31:05+01:00      no
    20240517    093105         -      -              2024-05-17                     no
    20240517    093105         -0500  Europe/Berlin  2024-05-17T09:31:05-05:00      no   # the attribute wins
    20240517    093105         -0000  -              2024-05-17                     no
    20240517    093105         -0000  Europe/Berlin  2024-05-17T09:31:05+02:00      no
    20240517    093105         +1500  -              2024-05-17                     yes
    20240517    093105         +1400  -              2024-05-17T09:31:05+14:00      no
    20240517    093105         -1201  -              2024-05-17                     yes
    20240517    093105         CEST   -              2024-05-17                     yes
    20240517    0931           +0530  -              2024-05-17T09:31:00+05:30      no
    20240517    09             +0200  -              2024-05-17                     no   # minutes unknown
    20240517    -              +0200  -              2024-05-17                     no
    20240517    ''             +0200  -              2024-05-17                     no
    20240517    093105.100000  +0200  -              2024-05-17T09:31:05.100+02:00  no
    20240517    093105.123956  +0200  -              2024-05-17T09:31:05.123+02:00  no   # cut, not rounded
    20240517    093105.000000  +0200  -              2024-05-17T09:31:05+02:00      no
    20240517    093105.000999  +0200  -              2024-05-17T09:31:05+02:00      no
    20240517    250000         +0200  -              2024-05-17                     yes
    20240517    240000         +0200  -              2024-05-17                     yes
    20240517    256199         +0200  -              2024-05-17                     yes
    20240517    noon           +0200  -              2024-05-17                     yes
    20240517    235960         +0200  -              2024-05-17T23:59:59+02:00      yes
    2024.05.17  09:31:05       +0200  -              2024-05-17T09:31:05+02:00      no   # ACR-NEMA
    ''          093105         +0200  -              -                              no
    -           093105         +0200  -              -                              no
    20240230    093105         +0200  -              -                              yes
    00000000    093105         +0200  -              -                              yes
    202405      093105         +0200  -              2024-05                        yes  # no day, so no time
    20240101-20240131  093105  +0200  -              -                              yes  # a query
    # daylight saving and old zones
    20240331    023000         -      Europe/Berlin  2024-03-31                     yes  # does not exist
    20241027    023000         -      Europe/Berlin  2024-10-27T02:30:00+02:00      yes  # twice
    20241027    033000         -      Europe/Berlin  2024-10-27T03:30:00+01:00      no
    18800101    120000         -      Europe/Berlin  1880-01-01                     yes  # +00:53:28
    00010101    000000         -      Europe/Berlin  0001-01-01                     yes
    20240517    093105         -      America/St_Johns  2024-05-17T09:31:05-02:30   no
    19000101    000000         +0100  -              1900-01-01T00:00:00+01:00      no   # a sentinel, perhaps
    """,
)
def test_study_date_and_time_become_started(da, tm, offset, zone, started, recorded):
    attributes = given(StudyDate=da, StudyTime=tm, TimezoneOffsetFromUTC=offset)
    made, reasons = run(date_time, STARTED, site(timezone=zone), **attributes)
    assert made == started
    assert bool(reasons) == (recorded == "yes"), reasons


@rows(
    "institution, station, started",
    """
    Ost   -   2024-05-17T09:31:05+09:00
    -     X1  2024-05-17T09:31:05-10:00
    Ost   X1  2024-05-17T09:31:05+09:00
    West  -   2024-05-17T09:31:05+02:00
    -     -   2024-05-17T09:31:05+02:00
    """,
)
def test_the_zone_of_the_institution_or_station_wins_over_the_sites(institution, station, started):
    zones = {"Ost": "Asia/Tokyo", "X1": "Pacific/Honolulu"}
    attributes = given(StudyDate="20240517", StudyTime="093105", InstitutionName=institution, StationName=station)
    assert run(date_time, STARTED, site(timezone=BERLIN, timezones=zones), **attributes)[0] == started


@rows(
    "da, born, recorded",
    """
    19700228    1970-02-28  no
    1970.02.28  1970-02-28  no
    1970        1970        yes
    197002      1970-02     yes
    19700000    1970        yes
    19700200    1970-02     yes
    1970-02-28  1970-02-28  yes
    00000000    -           yes
    UNKNOWN     -           yes
    19700230    -           yes
    19700028    -           yes
    20991231    2099-12-31  yes   # after the study
    18500101    1850-01-01  yes   # too old
    19000101    1900-01-01  no
    ''          -           no
    -           -           no
    """,
)
def test_birth_dates(da, born, recorded):
    attributes = given(PatientBirthDate=da, StudyDate="20240517")
    made, reasons = run(birth_date, "PatientBirthDate StudyDate", site(timezone=BERLIN), **attributes)
    assert made == born
    assert bool(reasons) == (recorded == "yes"), reasons


@rows(
    "dt, offset, moment, recorded",
    """
    20240517093105+0200         -0500  2024-05-17T09:31:05+02:00      no   # its own offset wins
    20240517093105              -0500  2024-05-17T09:31:05-05:00      no
    20240517093105.5            -0500  2024-05-17T09:31:05.500-05:00  no
    20240517                    -0500  2024-05-17                     no
    202405                      -      2024-05                        no   # DT may be short
    2024                        -      2024                           no
    2024051709                  -0500  2024-05-17                     no
    202405170931                -0500  2024-05-17T09:31:00-05:00      no
    20240517093105              -      2024-05-17                     no
    20240517093105+1500         -0500  2024-05-17T09:31:05-05:00      yes
    20240230093105              -0500  -                              yes
    yesterday                   -0500  -                              yes
    -                           -0500  -                              no
    """,
)
def test_dt_becomes_date_time(dt, offset, moment, recorded):
    attributes = given(AcquisitionDateTime=dt, TimezoneOffsetFromUTC=offset)
    made, reasons = run(dt_date_time, "AcquisitionDateTime TimezoneOffsetFromUTC", **attributes)
    assert made == moment
    assert bool(reasons) == (recorded == "yes"), reasons


def test_dates_that_deidentification_removed_are_dummies():
    removed = {"LongitudinalTemporalInformationModified": "REMOVED"}
    attributes = given(StudyDate="20240517", StudyTime="093105", PatientBirthDate="19700228")
    for by, dicom in ((date_time, STARTED), (date, "PatientBirthDate")):
        made, reasons = run(by, dicom, site(timezone=BERLIN), **attributes, **removed)
        assert (made, len(reasons)) == (None, 1)
