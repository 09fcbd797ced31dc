"""The engine that runs the mapping tables: what a row reads, and what becomes of what it makes."""

from typing import Any

import pytest

from mapper.dicom.item import Item, tag_of
from mapper.dicom.layers import Layers
from mapper.errors import Problem
from mapper.maps.engine import apply, make, resource
from mapper.maps.rule import MUST, Made, MissingElement, Rule, many
from mapper.maps.silence import STUDY, Silences, of_instances, of_series
from mapper.maps.values.context import Context
from tests.support.datasets import dataset, element, site, study_of


def text(cx: Context, value: Any) -> Any:
    """Text -> string."""
    return value


def texts(cx: Context, values: Any) -> Any:
    """Texts -> strings."""
    return list(values)


def constant(cx: Context) -> str:
    """The same for all."""
    return "constant"


def refuses(cx: Context, *values: Any) -> Any:
    """Nothing is good enough."""
    raise ValueError("not good enough")


def doubts(cx: Context, value: Any) -> Any:
    """Text -> string, with doubt."""
    cx.note("may be doubted")
    return value


def nothing(cx: Context, *values: Any) -> Any:
    """Anything -> nothing."""
    return None


def context(**choices: Any) -> Context:
    return Context(site(**choices), study_of(Item()))


def applied(rules: list[Rule], **attributes: Any) -> tuple[Made, list[Problem]]:
    cx = context()
    made = apply(rules, cx, Item(dataset(**attributes)), "Test")
    return made, list(cx.problems)


# -- reading -------------------------------------------------------------------------------------


def seen(cx: Context, *values: Any) -> Any:
    """Whatever is read."""
    return {"seen": values}


READS: dict[str, tuple[str, dict[str, Any], Any]] = {  # keywords, attributes -> what the converter is given
    "one": ("PatientID", {"PatientID": "A"}, ("A",)),
    "absent": ("PatientID", {}, (None,)),
    "two": ("PatientID IssuerOfPatientID", {"PatientID": "A"}, ("A", None)),
    "every value": ("OtherPatientIDs*", {"OtherPatientIDs": ["A", None, "B"]}, (["A", "B"],)),
    "every value of nothing": ("OtherPatientIDs*", {}, ([],)),
    "none": ("", {"PatientID": "A"}, ()),
}


@pytest.mark.parametrize(("dicom", "attributes", "expected"), READS.values(), ids=READS)
def test_a_row_hands_its_values_to_the_converter(dicom: str, attributes: dict[str, Any], expected: Any) -> None:
    made = make(Rule("Test.element", dicom, seen), context(), Item(dataset(**attributes)))
    assert made == {"seen": expected}


def test_what_goes_together_is_read_in_one_place() -> None:
    """The offset belongs to the series whose date it is, not to the first series that has an offset."""
    study = Layers(
        [
            Item(dataset(TimezoneOffsetFromUTC="+0900")),
            Item(dataset(StudyDate="20240229", TimezoneOffsetFromUTC="+0100")),
        ]
    )
    made = make(Rule("Test.started", "StudyDate TimezoneOffsetFromUTC", seen), context(), study)
    assert made == {"seen": ("20240229", "+0100")}


def unreadable(keyword: str) -> dict[str, Any]:
    return {tag_of(keyword): {"vr": "IS", "Value": ["x"]}}


def test_what_is_unreadable_drops_the_row_and_is_recorded() -> None:
    cx = context()
    item = Item({**unreadable("SeriesNumber"), tag_of("Modality"): element("Modality", "CT")})
    assert make(Rule("Test.number", "SeriesNumber Modality", seen), cx, item) is None
    assert [(one.element, one.attribute) for one in cx.problems] == [("Test.number", "SeriesNumber Modality")]


def test_what_only_completes_the_rest_may_be_unreadable() -> None:
    cx = context()
    item = Item({**unreadable("SeriesNumber"), tag_of("Modality"): element("Modality", "CT")})
    assert make(Rule("Test.number", "Modality SeriesNumber?", seen), cx, item) == {"seen": ("CT", None)}
    (problem,) = cx.problems
    assert "SeriesNumber" in problem.reason


# -- what becomes of it --------------------------------------------------------------------------


def test_a_refusal_drops_the_element_alone() -> None:
    made, problems = applied([Rule("Test.a", "PatientID", refuses), Rule("Test.b", "PatientID", text)], PatientID="A")
    assert made == {"b": "A"}
    assert problems == [Problem("Test.a", "PatientID", "not good enough")]


def test_a_doubt_keeps_the_element() -> None:
    made, problems = applied([Rule("Test.a", "PatientID", doubts)], PatientID="A")
    assert made == {"a": "A"}
    assert problems == [Problem("Test.a", "PatientID", "may be doubted")]


def test_an_absent_value_is_silence() -> None:
    assert applied([Rule("Test.a", "PatientID", text), Rule("Test.b", "OtherPatientIDs*", texts)]) == ({}, [])


def test_the_first_single_value_wins() -> None:
    rules = [Rule("Test.a", "PatientID", text), Rule("Test.a", "StudyID", text), Rule("Test.a", "", constant)]
    assert applied(rules, PatientID="A", StudyID="B")[0] == {"a": "A"}
    assert applied(rules, StudyID="B")[0] == {"a": "B"}
    assert applied(rules)[0] == {"a": "constant"}


def test_lists_add_up_each_value_once() -> None:
    rules = [Rule("Test.a", "OtherPatientIDs*", texts), Rule("Test.a", "OtherPatientNames*", texts)]
    made, _ = applied(rules, OtherPatientIDs=["A", "B", "A"], OtherPatientNames=["X"])
    assert made["a"][:2] == ["A", "B"]
    assert len(made["a"]) == 3


def test_a_row_for_otherwise_works_only_where_nothing_was_made() -> None:
    rules = [Rule("Test.a", "OtherPatientIDs*", texts), Rule("Test.a", "PatientID*", texts, otherwise=True)]
    assert applied(rules, OtherPatientIDs=["A"], PatientID="B")[0] == {"a": ["A"]}
    assert applied(rules, PatientID="B")[0] == {"a": ["B"]}


def test_a_path_inside_an_element_makes_the_elements_around_it() -> None:
    made, _ = applied(
        [Rule("Test.outer.inner.a", "PatientID", text), Rule("Test.outer.b", "StudyID", text)],
        PatientID="A",
        StudyID="B",
    )
    assert made == {"outer": {"inner": {"a": "A"}, "b": "B"}}
    assert applied([Rule("Test.outer.inner.a", "PatientID", text)])[0] == {}, "nothing around nothing"


def test_a_required_element_that_is_absent_drops_what_encloses_it() -> None:
    for by in (nothing, refuses):
        with pytest.raises(MissingElement, match=r"Test\.a"):
            applied([Rule("Test.a", "PatientID", by, MUST)], PatientID="A")


def test_of_several_required_rows_one_is_enough() -> None:
    rules = [Rule("Test.a", "PatientID", text), Rule("Test.a", "", constant, MUST)]
    assert applied(rules)[0] == {"a": "constant"}
    assert applied(rules, PatientID="A")[0] == {"a": "A"}


def test_each_part_remembers_the_row_that_made_it() -> None:
    first, second = Rule("Test.a", "PatientID*", texts), Rule("Test.a", "StudyID*", texts)
    single = Rule("Test.b", "", constant)
    made, _ = applied([first, second, single], PatientID="A", StudyID="B")
    assert made.rules == {"a": [first, second], "b": [single]}


def test_a_resource_names_its_type_first() -> None:
    made = resource([Rule("Test.id", "", constant, MUST)], context(), Item(), "Test")
    assert list(made) == ["resourceType", "id"]
    assert made.rules["id"]


def test_a_row_of_an_option_works_only_where_the_site_asks_for_it() -> None:
    rules = [Rule("Test.a", "", constant, option="serviceRequests")]
    assert apply(rules, context(), Item(), "Test") == {}


# -- what makes values doubtful ------------------------------------------------------------------

DOUBTS: dict[str, tuple[str, Any, str]] = {
    "undecodable": ("StudyDescription", "caf\ufffd", "undecodable"),
    "undecodable inside a name": ("PatientName", "caf\ufffd", "undecodable"),
    "too long": ("StudyDescription", "x" * 65, "longer"),
    "several": ("Modality", ["CT", "MR"], "several"),
}


@pytest.mark.parametrize(("keyword", "value", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_a_doubtful_value_is_kept_and_recorded(keyword: str, value: Any, reason: str) -> None:
    made, problems = applied([Rule("Test.a", keyword, text)], **{keyword: value})
    assert "a" in made
    assert [reason in one.reason for one in problems] == [True]
    assert "caf" not in str(problems[0])


def test_series_that_disagree_are_recorded_once() -> None:
    cx = context()
    study = Layers([Item(dataset(StudyDescription="A")), Item(dataset(StudyDescription="B"))])
    for _ in range(2):
        assert make(Rule("Test.a", "StudyDescription", text), cx, study) == "A"
    assert len(cx.problems) == 1
    assert "disagree" in next(iter(cx.problems)).reason


def test_a_row_prints_itself() -> None:
    row = Rule("Test.a", "PatientID OtherPatientIDs* StudyID?", text)
    assert row.keywords == ("PatientID", "OtherPatientIDs", "StudyID")
    assert row.tags == ("(0010,0020)", "(0010,1000)", "(0020,0010)")
    assert row.words == "Text -> string."


# -- what makes nothing --------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "made"), [("A", ["A"]), (None, []), ({}, []), ("", [])], ids=repr)
def test_the_only_one_of_a_list(value: Any, made: list[Any]) -> None:
    by = many(text)
    assert by(context(), value) == made
    assert (by.__doc__, by.__name__, by.__module__) == (text.__doc__, text.__name__, text.__module__)
    assert many(text) is by, "rows with one converter are equal"


SILENT: dict[str, tuple[list[Rule], dict[str, Any], list[str]]] = {  # rows, attributes -> why the rows made nothing
    "all made something": ([Rule("Test.a", "PatientID", text)], {"PatientID": "A"}, []),
    "absent": ([Rule("Test.a", "PatientID StudyID?", nothing)], {}, ["none of PatientID, StudyID"]),
    "empty": (
        [Rule("Test.a", "PatientID", text)],
        {"PatientID": None},
        ["none of PatientID; there, but empty: PatientID"],
    ),
    "no attribute": ([Rule("Test.a", "", nothing)], {}, ["nothing to say here"]),
    "no value that counts": (
        [Rule("Test.a", "PatientID", nothing)],
        {"PatientID": "A"},
        ["what is there makes nothing by this rule"],
    ),
    "refused": (
        [Rule("Test.a", "PatientID", refuses)],
        {"PatientID": "A"},
        ["dropped and recorded: not good enough"],
    ),
    "unreadable": ([Rule("Test.a", "PatientID", text)], {"PatientID": {}}, ["dropped and recorded: not a text"]),
    "off": ([Rule("Test.a", "PatientID", text, option="age")], {"PatientID": "A"}, ["option age is off"]),
    "an earlier one": (
        [Rule("Test.a", "PatientID", text), Rule("Test.a", "StudyID", text)],
        {"PatientID": "A", "StudyID": "B"},
        ["an earlier row made it"],
    ),
    "otherwise": (
        [Rule("Test.a", "OtherPatientIDs*", texts), Rule("Test.a", "StudyID*", texts, otherwise=True)],
        {"OtherPatientIDs": ["A"], "StudyID": "B"},
        ["an earlier row made it"],
    ),
    "said already": (
        [Rule("Test.a", "OtherPatientIDs*", texts), Rule("Test.a", "StudyID*", texts)],
        {"OtherPatientIDs": ["A"], "StudyID": "A"},
        ["an earlier row said all of it"],
    ),
}


@pytest.mark.parametrize(("rules", "attributes", "why"), SILENT.values(), ids=SILENT)
def test_who_wants_to_know_is_told_which_rows_made_nothing(
    rules: list[Rule], attributes: dict[str, Any], why: list[str]
) -> None:
    cx = context()
    cx.silences = Silences()
    made = apply(rules, cx, Item(dataset(**attributes)), "Test")
    assert [one.why for one in cx.silences] == why
    assert made == apply(rules, context(), Item(dataset(**attributes)), "Test"), "to ask changes nothing"


def test_thousands_that_are_silent_for_one_reason_are_one_line() -> None:
    silences, rule = Silences(), Rule("Test.a", "PatientID", text)
    for series in range(1, 31):
        for _ in range(100):
            silences.add(rule, "none of PatientID", of_instances(series))
        silences.add(rule, "none of PatientID", of_series(series))
    silences.add(rule, "none of PatientID", STUDY)
    assert [one.where for one in silences] == [
        "3000 instances of series 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 20 more",
        "the first instance of series 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 20 more",
        "the first instance of any series",
    ]
