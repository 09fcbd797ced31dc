"""Dose reports -> summaries, as stated; which of two reports counts; events where a site wants them."""

from typing import Any

import pytest
from pydicom.sr.coding import Code

from mapper.maps import documents, doses
from samples.sr.content import CONTAINS, CONTEXT, MOD, coded, container, num, uidref, unit
from tests.support.reported import DOSE, codes_of, instance, mapped, mapped_samples, of_kind, text_of
from tests.support.reported import coded as coded_as
from tests.support.tables import rows

TITLE, CT_DOSE = Code("113701", "DCM", "X-Ray Radiation Dose Report"), Code("113811", "DCM", "CT Accumulated Dose Data")
TOTAL, MGYCM = Code("113813", "DCM", "CT Dose Length Product Total"), unit("mGy.cm")
ACQUISITION, EVENT_UID = Code("113819", "DCM", "CT Acquisition"), Code("113769", "DCM", "Irradiation Event UID")
DLP = Code("113838", "DCM", "DLP")
SUMMARY = "73569-6"

TOLD = (  # sample, a list of components a summary: code, number or code, unit, code of the unit
    ("ct-dose", [[("113812", 3, "events", "{events}"), ("113813", 512.3, "mGy.cm", "mGy.cm"), ("113705", "113014")]]),
    (
        "ct-dose-enhanced-sr",
        [[("113812", 1, "events", "{events}"), ("113813", 415.82, "mGycm", None), ("113705", "113014")]],
    ),
    (
        "projection-dose",
        [
            [
                ("113722", 0.00024126, "Gy.m2", "Gy.m2"),
                ("113725", 0.0117317, "Gy", "Gy"),
                ("113730", 72.46, "second", "s"),
                ("113731", 12, "no units", "1"),
                ("113764", "113622"),
                ("113705", "113014"),
            ]
        ],
    ),
    (
        "mammography-dose",
        [[("111637", 1.3, "mGy", "mGy"), ("111637", 1.28, "mGy", "mGy"), ("113764", "113622"), ("113705", "113014")]],
    ),
    (
        "radiopharmaceutical-dose",
        [
            [
                ("113507", 248, "megabecquerel", "MBq"),
                ("113508", 250.5, "megabecquerel", "MBq"),
                ("113509", 2.5, "megabecquerel", "MBq"),
                ("349358000", "35321007"),
            ]
        ],
    ),
)


def told(component: dict[str, Any]) -> tuple[Any, ...]:
    code = codes_of(component["code"])[0]
    if "valueQuantity" in component:
        value = component["valueQuantity"]
        return code, value["value"], value["unit"], value.get("code")
    return code, codes_of(component["valueCodeableConcept"])[0]


@pytest.mark.parametrize(("name", "expected"), TOLD, ids=[name for name, _ in TOLD])
def test_a_summary_says_what_the_report_says(name: str, expected: list[Any]) -> None:
    found = coded_as(mapped_samples(name), SUMMARY)
    assert [[told(one) for one in each["component"]] for each in found] == expected
    for one in found:
        assert one["focus"][0]["reference"] == one["partOf"][0]["reference"]
        assert one["status"] == "final"


def test_numbers_are_written_as_stated_and_never_summed() -> None:
    made = text_of(mapped_samples("ct-dose"))
    assert '"value":512.30,' in made
    assert "CT Dose Length Product Total 512.30 mGy.cm" in made
    text = text_of(mapped_samples("projection-dose"))
    assert '"value":0.01173170,' in text
    assert '"value":0.00024126,' in text


def test_two_planes_have_a_summary_each_under_its_own_place() -> None:
    found = coded_as(mapped_samples("biplane-dose"), SUMMARY)
    assert len({one["id"] for one in found}) == 2
    planes = [
        codes_of(each["valueCodeableConcept"])
        for one in found
        for each in one["component"]
        if codes_of(each["code"]) == ["113764"]
    ]
    assert sorted(planes) == [["113620"], ["113621"]]
    places = [
        each["value"].partition("#")[2]
        for one in found
        for each in one["identifier"]
        if each["system"].endswith("/sr-item")
    ]
    assert sorted(places) == ["1.12", "1.13"]


def test_the_breasts_are_told_apart() -> None:
    (found,) = coded_as(mapped_samples("mammography-dose"), SUMMARY)
    assert [one["code"].get("text", "").rpartition(", ")[2] for one in found["component"][:2]] == [
        "Left breast",
        "Right breast",
    ]
    assert "Left breast 1.30 mGy" in found["valueString"]


def test_who_authorised_is_the_performer() -> None:
    found = mapped_samples("ct-dose")
    (summary,) = coded_as(found, SUMMARY)
    (person,) = of_kind(found, "Practitioner")
    assert summary["performer"] == [{"reference": f"Practitioner/{person['id']}", "display": "Example, Eva"}]
    assert "performer" not in coded_as(mapped_samples("mammography-dose"), SUMMARY)[0]


def test_what_modifies_a_number_stands_in_its_words() -> None:
    how = coded(MOD, Code("A1", "99X", "Method"), Code("A2", "99X", "estimated"))
    side = coded(MOD, Code("272741003", "SCT", "Laterality"), Code("80248007", "SCT", "Left breast"))
    alone = Code("113812", "DCM", "Total Number of Irradiation Events")
    numbers = (num(CONTAINS, TOTAL, "1", MGYCM, how, side), {**num(CONTAINS, alone, "0", unit("{events}"))})
    double = {"MeasuredValueSequence": [{"FloatingPointValue": 2.5}]}
    root = container("", TITLE, container(CONTAINS, CT_DOSE, numbers[0], {**numbers[1], **double}))
    (found,) = coded_as(mapped(instance(root, DOSE)), SUMMARY)
    assert found["component"][0]["code"]["text"] == "CT Dose Length Product Total, Left breast, Method estimated"
    assert "text" not in found["component"][1]["code"]
    assert found["valueString"] == (
        "CT Dose Length Product Total, Left breast, Method estimated 1 mGy.cm; Total Number of Irradiation Events 2.5"
    )


# -- which reports ----------------------------------------------------------------------------------------------------


def dose(
    number: int, *events: str, total: str = "10.0", sop_class: str = DOSE, title: Code = TITLE, **more: Any
) -> dict[str, Any]:
    root = container(
        "",
        title,
        container(CONTAINS, CT_DOSE, num(CONTAINS, TOTAL, total, MGYCM)),
        *(
            container(CONTAINS, ACQUISITION, uidref(CONTAINS, EVENT_UID, uid), num(CONTAINS, DLP, total, MGYCM))
            for uid in events
        ),
    )
    return instance(root, sop_class, number, **{"ContentTime": f"10{number:02}00", **more})


@rows(
    "sop_class, summaries",
    """
    88.67    1
    88.22    1    # Enhanced SR, as older machines write it
    88.33    1
    88.73    0    # patient dose: listed only
    88.76    0    # enhanced X-ray dose: listed only
    88.59    0
    """,
)
def test_the_title_decides_not_the_sop_class(sop_class: str, summaries: str) -> None:
    assert len(coded_as(mapped(dose(1, "1.2.1", sop_class=sop_class)), SUMMARY)) == int(summaries)


def test_a_dose_sop_class_under_another_title_says_nothing() -> None:
    found = mapped(dose(1, "1.2.1", title=Code("A1", "99X", "Other")))
    assert of_kind(found, "Observation") == of_kind(found, "DiagnosticReport") == []


def test_without_a_container_of_accumulated_doses_there_is_no_summary() -> None:
    root = container("", TITLE, container(CONTAINS, ACQUISITION, uidref(CONTAINS, EVENT_UID, "1.2.1")))
    assert of_kind(mapped(instance(root, DOSE)), "Observation") == []


TWO: dict[str, tuple[tuple[str, ...], tuple[str, ...], list[float], bool]] = {  # events of both, totals, recorded
    "the later has all of the earlier": (("1.1",), ("1.1", "1.2"), [2], False),
    "the earlier has all of the later": (("1.1", "1.2"), ("1.1",), [1], False),
    "the same events": (("1.1", "1.2"), ("1.2", "1.1"), [2], False),
    "nothing in common": (("1.1",), ("1.2",), [1, 2], False),
    "something in common": (("1.1", "1.2"), ("1.2", "1.3"), [1, 2], True),
    "one without events": (("1.1",), (), [1, 2], False),
    "none with events": ((), (), [1, 2], False),
}


@pytest.mark.parametrize(("one", "other", "totals", "recorded"), TWO.values(), ids=TWO)
def test_of_two_reports_which_count(one: Any, other: Any, totals: list[float], recorded: bool) -> None:
    reports = [dose(1, *one, total="1"), dose(2, *other, total="2")]
    for order in (reports, reports[::-1]):
        found = mapped(*order)
        values = [each["component"][0]["valueQuantity"]["value"] for each in coded_as(found, SUMMARY)]
        assert sorted(values) == totals
        assert (doses.OVERLAPPING in found.problems) is recorded


FINISHED, UNFINISHED = {"CompletionFlag": "COMPLETE"}, {"CompletionFlag": "PARTIAL"}
AFTER: dict[str, tuple[list[tuple[tuple[str, ...], dict[str, str]]], list[float], bool]] = {
    "a partial one for a complete one": ([(("1.1",), FINISHED), (("1.1", "1.2"), UNFINISHED)], [2], True),
    "with the same events": ([(("1.1",), FINISHED), (("1.1",), UNFINISHED)], [2], True),
    "a preliminary one for a final one": ([(("1.1",), {}), (("1.1",), {"PreliminaryFlag": "PRELIMINARY"})], [2], True),
    "a complete one for a partial one": ([(("1.1",), UNFINISHED), (("1.1", "1.2"), FINISHED)], [2], False),
    "a partial one for a partial one": ([(("1.1",), UNFINISHED), (("1.1", "1.2"), UNFINISHED)], [2], False),
    "a partial one beside another": ([(("1.1",), FINISHED), (("1.2",), UNFINISHED)], [1, 2], False),
    "a complete one has all too": (
        [(("1.1",), FINISHED), (("1.1", "1.2"), UNFINISHED), (("1.1", "1.2", "1.3"), FINISHED)],
        [3],
        False,
    ),
}


@pytest.mark.parametrize(("stated", "totals", "recorded"), AFTER.values(), ids=AFTER)
def test_an_unfinished_report_that_replaces_a_finished_one_is_recorded(
    stated: Any, totals: list[float], recorded: bool
) -> None:
    reports = [dose(number, *events, total=str(number), **flags) for number, (events, flags) in enumerate(stated, 1)]
    for order in (reports, reports[::-1]):
        found = mapped(*order)
        values = [each["component"][0]["valueQuantity"]["value"] for each in coded_as(found, SUMMARY)]
        assert sorted(values) == totals
        assert (doses.UNFINISHED in found.problems) is recorded


def test_a_choice_that_no_site_has_is_refused() -> None:
    with pytest.raises(TypeError, match="dose_events"):
        mapped_samples("ct-dose", dose_events=True)


# -- events -----------------------------------------------------------------------------------------------------------


def test_events_are_told_where_a_site_wants_them() -> None:
    assert coded_as(mapped_samples("ct-dose"), "113819") == []
    found = coded_as(mapped_samples("ct-dose", options=("dose_events",)), "113819")
    assert len(found) == 2, "the localizer has no dose"
    for one in found:
        assert [codes_of(each["code"])[0] for each in one["component"]] == ["113830", "113838", "113930", "113835"]
        assert codes_of(one["bodySite"]) == ["51185008"]


def test_an_event_of_several_reports_is_told_once_by_the_newest() -> None:
    reports = [dose(1, "1.1", "1.2", total="1"), dose(2, "1.2", "1.3", total="2")]
    for order in (reports, reports[::-1]):
        found = coded_as(mapped(*order, options=("dose_events",)), "113819")
        values = {one["identifier"][0]["value"]: one["component"][0]["valueQuantity"]["value"] for one in found}
        assert values == {"urn:oid:1.1": 1, "urn:oid:1.2": 2, "urn:oid:1.3": 2}


def test_the_time_of_an_event_is_its_own_and_its_side_is_told() -> None:
    found = coded_as(mapped_samples("mammography-dose", options=("dose_events",)), "113706")
    assert {one["effectiveDateTime"] for one in found} == {"2024-05-17T09:31:01+02:00", "2024-05-17T09:31:02+02:00"}
    assert {one["bodySite"]["text"] for one in found} == {"Left Breast", "Right Breast"}


def test_an_event_without_a_uid_is_left_out_and_recorded() -> None:
    root = container("", TITLE, container(CONTAINS, ACQUISITION, num(CONTAINS, DLP, "1", MGYCM)))
    found = mapped(instance(root, DOSE), options=("dose_events",))
    assert of_kind(found, "Observation") == []
    assert found.problems


@rows(
    "preliminary, completion, status",
    """
    -              COMPLETE    final
    -              -           final
    FINAL          COMPLETE    final
    PRELIMINARY    COMPLETE    preliminary
    -              PARTIAL     preliminary
    """,
)
def test_status(preliminary: str | None, completion: str | None, status: str) -> None:
    flags = {"PreliminaryFlag": preliminary, "CompletionFlag": completion, "VerificationFlag": "UNVERIFIED"}
    (found,) = coded_as(mapped(dose(1, "1.1", **flags)), SUMMARY)
    assert found["status"] == status


def test_plane_and_scope_are_components_beside_the_numbers() -> None:
    scope = coded(
        CONTEXT, Code("113705", "DCM", "Scope of Accumulation"), Code("113016", "DCM", "Performed Procedure Step")
    )
    plane = coded(MOD, Code("113764", "DCM", "Acquisition Plane"), Code("113620", "DCM", "Plane A"))
    root = container("", TITLE, scope, container(CONTAINS, Code("113702", "DCM", "Accumulated X-Ray Dose Data"), plane))
    (found,) = coded_as(mapped(instance(root, DOSE)), SUMMARY)
    assert [told(one) for one in found["component"]] == [("113764", "113620"), ("113705", "113016")]
    assert "valueString" not in found


# -- totals, titles, repeated events ----------------------------------------------------------------------------------


def without_totals(number: int, *events: str) -> dict[str, Any]:
    """Return a dose report that has events and no container of accumulated doses."""
    told = (
        container(CONTAINS, ACQUISITION, uidref(CONTAINS, EVENT_UID, uid), num(CONTAINS, DLP, str(number), MGYCM))
        for uid in events
    )
    return instance(container("", TITLE, *told), DOSE, number, ContentTime=f"10{number:02}00")


WITHOUT: dict[str, tuple[list[dict[str, Any]], list[float], bool]] = {  # reports, totals, recorded
    "all events, later": ([dose(1, "1.1", total="1"), without_totals(2, "1.1", "1.2")], [1], True),
    "all events, earlier": ([without_totals(1, "1.1", "1.2"), dose(2, "1.1", total="2")], [2], True),
    "the same events, later": ([dose(1, "1.1", total="1"), without_totals(2, "1.1")], [1], True),
    "fewer events": ([dose(1, "1.1", "1.2", total="1"), without_totals(2, "1.1")], [1], False),
    "some events": ([dose(1, "1.1", "1.2", total="1"), without_totals(2, "1.2", "1.3")], [1], False),
    "both without": ([without_totals(1, "1.1"), without_totals(2, "1.1", "1.2")], [], False),
    "a third one with totals": (
        [dose(1, "1.1", total="1"), without_totals(2, "1.1", "1.2"), dose(3, "1.1", "1.2", "1.3", total="3")],
        [3],
        True,
    ),
}


@pytest.mark.parametrize(("reports", "totals", "recorded"), WITHOUT.values(), ids=WITHOUT)
def test_what_has_no_totals_replaces_no_totals(
    reports: list[dict[str, Any]], totals: list[float], recorded: bool
) -> None:
    for order in (reports, reports[::-1]):
        found = mapped(*order)
        values = [each["component"][0]["valueQuantity"]["value"] for each in coded_as(found, SUMMARY)]
        assert sorted(values) == totals
        assert (doses.WITHOUT_TOTALS in found.problems) is recorded


@rows(
    "sop_class, code, scheme, summaries, recorded",
    """
    88.67    113701    DCM      1    no
    88.67    113701    dcm      0    yes    # another designator
    88.67    113701    99X      0    yes
    88.67    113701    -        0    yes
    88.67    A1        99X      0    yes
    88.68    113701    99X      0    yes
    88.68    113500    99X      0    yes
    88.22    113701    99X      0    no     # a report of some other kind: it may be of anything
    """,
)
def test_a_dose_report_that_is_not_recognised_is_recorded(
    sop_class: str, code: str, scheme: str | None, summaries: str, recorded: str
) -> None:
    found = mapped(dose(1, "1.2.1", sop_class=sop_class, title=Code(code, scheme or "", "x")))
    assert len(coded_as(found, SUMMARY)) == int(summaries)
    assert (documents.UNTITLED in found.problems) == (recorded == "yes")


@pytest.mark.parametrize(
    ("uids", "values", "recorded"),
    [(("1.1", "1.2"), [1, 2], False), (("1.1", "1.1"), [1], True), (("1.1", "1.2", "1.1"), [1, 2], True)],
    ids=["two events", "one twice", "one twice, another between"],
)
def test_an_event_that_a_report_has_twice_is_told_once_and_recorded(
    uids: tuple[str, ...], values: list[float], recorded: bool
) -> None:
    told = (
        container(CONTAINS, ACQUISITION, uidref(CONTAINS, EVENT_UID, uid), num(CONTAINS, DLP, str(number), MGYCM))
        for number, uid in enumerate(uids, 1)
    )
    found = mapped(instance(container("", TITLE, *told), DOSE), options=("dose_events",))
    assert [one["component"][0]["valueQuantity"]["value"] for one in coded_as(found, "113819")] == values
    assert (doses.EVENT_TWICE in found.problems) is recorded


def test_an_event_of_several_reports_is_none_twice() -> None:
    found = mapped(dose(1, "1.1", "1.2"), dose(2, "1.2", "1.3"), options=("dose_events",))
    assert doses.EVENT_TWICE not in found.problems
