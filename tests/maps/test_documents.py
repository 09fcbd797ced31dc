"""The documents of a study as a whole: which of them is the newest."""

from typing import Any

import pytest
from pydicom.sr.coding import Code

from mapper.maps import study_to_fhir
from samples.sr.content import CONTAINS, container, num, text
from tests.support.documented import GROUP, LENGTH, MM, REPORT, TITLE
from tests.support.reported import SITE, instance, of_kind, study_of

ONE, OTHER = "1.2.3.1", "1.2.3.2"


def said(uid: str, value: str, **written: Any) -> dict[str, Any]:
    """Return a report of an observation that several repeat."""
    length = {**num(CONTAINS, LENGTH, value, MM), "ObservationUID": "1.2.77"}
    root = container("", REPORT, container(CONTAINS, GROUP, length), template="1500")
    return instance(root, SOPInstanceUID=uid, **written)


def at(date: Any = "20240517", time: Any = "100200", zone: Any = "+0200") -> dict[str, Any]:
    return {"ContentDate": date, "ContentTime": time, "TimezoneOffsetFromUTC": zone}


WRITTEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # the older, the newer
    "another day": (at("20240517"), at("20240518")),
    "another time": (at(time="100159"), at()),
    "parts of a second": (at(time="100200.25"), at(time="100200.5")),
    "less than a millisecond": (at(time="100200.000001"), at(time="100200.000002")),
    "colons": (at(time="10:01:00"), at()),
    "dots": (at("2024.05.17"), at("20240518")),
    "dots, the later one": (at("20240517"), at("2024.05.18")),
    "zones": (at(time="110000", zone="+0200"), at(time="100000", zone="+0000")),
    "zones over midnight": (at("20240518", "010000", "+0200"), at("20240517", "233000", "+0000")),
    "the zone of the site": (at(time="110000", zone=None), at(time="100000", zone="+0000")),
    "a date alone": (at(time=None), at(time="000001")),
    "hours alone": (at(time="09"), at(time="10")),
    "a time that is none": (at(time="odd"), at(time="000001")),
    "a month alone": (at("202405"), at("20240502")),
    "a date that is none": (at("odd"), at("19000101")),
    "no date": (at(None), at("19000101")),
}


@pytest.mark.parametrize(("older", "newer"), WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("uids", [(ONE, OTHER), (OTHER, ONE)], ids=["first", "second"])
def test_the_newest_speaks(older: Any, newer: Any, uids: tuple[str, str]) -> None:
    reports = [said(uids[0], "1", **older), said(uids[1], "2", **newer)]
    for order in (reports, reports[::-1]):
        (one,) = [
            one for one in of_kind(study_to_fhir(study_of(*order), SITE), "Observation") if "valueQuantity" in one
        ]
        assert one["valueQuantity"]["value"] == 2


@pytest.mark.parametrize("zone", ["+0200", "+0000"])
def test_of_two_of_one_moment_the_larger_uid_speaks(zone: str) -> None:
    same = at(time="120000") if zone == "+0200" else at(time="100000", zone="+0000")
    reports = [said(ONE, "1", **at(time="120000")), said(OTHER, "2", **same)]
    for order in (reports, reports[::-1]):
        (one,) = [
            one for one in of_kind(study_to_fhir(study_of(*order), SITE), "Observation") if "valueQuantity" in one
        ]
        assert one["valueQuantity"]["value"] == 2


# -- groups under any title -------------------------------------------------------------------------------------------

CONCLUDED = text(CONTAINS, Code("121073", "DCM", "Impression"), "A mass.")
MEASURED = container(CONTAINS, GROUP, num(CONTAINS, LENGTH, "1", MM))
BELOW = container(CONTAINS, Code("126010", "DCM", "Imaging Measurements"), MEASURED)
OTHER_TITLE = Code("A1", "99X", "Tumour board")
KINDS: dict[str, tuple[Code, tuple[Any, ...], str | None, int, int]] = {
    # title, items, template, Observations, DiagnosticReports
    "of CID 7021": (REPORT, (BELOW,), None, 2, 0),
    "template 1500": (OTHER_TITLE, (BELOW,), "1500", 2, 0),
    "another title": (OTHER_TITLE, (BELOW,), None, 2, 0),
    "another title, groups alone": (OTHER_TITLE, (MEASURED,), None, 2, 0),
    "another template": (OTHER_TITLE, (BELOW,), "9999", 2, 0),
    "another designator": (Code("126000", "dcm", "x"), (BELOW,), None, 2, 0),
    "no title": (Code("", "", ""), (BELOW,), None, 2, 0),
    "with an impression": (OTHER_TITLE, (BELOW, CONCLUDED), None, 2, 1),
    "an imaging report": (TITLE, (BELOW,), None, 2, 1),
    "numbers without a group": (OTHER_TITLE, (num(CONTAINS, LENGTH, "1", MM),), None, 0, 1),
    "a group of another designator": (
        OTHER_TITLE,
        (container(CONTAINS, Code("125007", "99X", "x"), num(CONTAINS, LENGTH, "1", MM)),),
        None,
        0,
        1,
    ),
    "echocardiography": (Code("125200", "DCM", "Adult Echocardiography Procedure Report"), (BELOW,), None, 2, 1),
    "vascular": (Code("125100", "DCM", "Vascular Ultrasound Procedure Report"), (BELOW,), None, 2, 1),
    "obstetric": (Code("125000", "DCM", "OB-GYN Ultrasound Procedure Report"), (BELOW,), None, 0, 1),
    "CAD": (Code("112000", "DCM", "Chest CAD Report"), (BELOW,), None, 0, 0),
}


@pytest.mark.parametrize(("title", "items", "template", "observed", "reports"), KINDS.values(), ids=KINDS)
def test_groups_make_a_measurement_report_whatever_its_title(
    title: Code, items: Any, template: str | None, observed: int, reports: int
) -> None:
    found = study_to_fhir(study_of(instance(container("", title, *items, template=template))), SITE)
    assert len(of_kind(found, "Observation")) == observed
    assert len(of_kind(found, "DiagnosticReport")) == reports
    if observed and reports:
        assert len(of_kind(found, "DiagnosticReport")[0]["result"]) == 1
