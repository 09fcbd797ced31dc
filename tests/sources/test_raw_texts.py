"""Texts of Orthanc's metadata that are not to be trusted are read again as bytes; all others cost no request.

What Orthanc really answers: tests/live/test_character_sets.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from mapper.dicom.collector import Collector
from mapper.dicom.decoding import TOO_LARGE
from mapper.dicom.item import Item, tag_of
from mapper.sources.orthanc import answers, raw_texts
from mapper.sources.orthanc.raw_texts import RawTexts
from tests.support.datasets import dataset

ID = "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d"
OTHER = "11111111-22222222-33333333-44444444-55555555"
SERIES = answers.Series(ID, ID, answers.Tags(), [msgspec.Raw(f'"{ID}"'.encode())])
SEVERAL = ["ISO 2022 IR 6", "ISO 2022 IR 87"]
YAMADA = b"\x1b$B;3ED\x1b(B"


class Body:
    """An answer that is there."""

    def __init__(self, body: bytes) -> None:
        self.read = lambda: body


class Content:
    """An Orthanc that holds these attributes of one instance, counts questions, and knows no other ones."""

    def __init__(self, found: list[tuple[str, str]] | None = None, **held: bytes | None) -> None:
        self.hits = [answers.Hit(*hit) for hit in (found if found is not None else [(ID, "Instance")])]
        self.held = {f"/instances/{ID}/content/{place}": body for place, body in held.items()}
        self.asked: list[str] = []

    def must(self, method: str, target: Any, kind: Any, data: bytes) -> list[answers.Hit]:
        assert (method, str(target), kind, data) == ("POST", "/tools/lookup", list[answers.Hit], b"1.2.3.1.1")
        self.asked.append("lookup")
        return self.hits

    @contextmanager
    def answer(self, method: str, target: Any, accept: str) -> Iterator[Body | None]:
        assert (method, accept) == ("GET", "*/*")
        self.asked.append(str(target).removeprefix(f"/instances/{ID}/content/"))
        body = self.held[str(target)]
        yield None if body is None else Body(body)


def mended(web: Content, **attributes: Any) -> Item:
    """Return what becomes of an instance's attributes."""
    elements = dataset(**{"SOPInstanceUID": "1.2.3.1.1", **attributes})
    return Item(RawTexts(web).of_series(SERIES)(elements))  # type: ignore[arg-type]


def held(**more: bytes | None) -> dict[str, bytes | None]:
    return {"0008-0005": b"ISO 2022 IR 6\\ISO 2022 IR 87", **more}


TRUSTED: list[Any] = ["ISO_IR 100", "ISO_IR 192", "ISO 2022 IR 13", [None, "ISO 2022 IR 87"], "ISO 2022 IR 149", "GBK"]


@pytest.mark.parametrize("terms", TRUSTED)
def test_a_set_that_orthanc_decodes_right_costs_nothing(terms: Any) -> None:
    web = Content()
    found = mended(web, SpecificCharacterSet=terms, PatientName="M\u00fcller")
    assert (web.asked, found["PatientName"]) == ([], {"Alphabetic": "M\u00fcller"})


@pytest.mark.parametrize("terms", [..., None, [], ""])
@pytest.mark.parametrize(("text", "doubted"), [("Muller", False), ("M\u00fcller", True)])
def test_without_a_set_text_that_is_more_than_ascii_is_doubted(terms: Any, text: str, doubted: bool) -> None:
    web = Content()
    found = mended(web, PatientName=text, **({} if terms is ... else {"SpecificCharacterSet": terms}))
    assert web.asked == []
    assert (found["SpecificCharacterSet"] == "ISO_IR 6") == doubted


UNTRUSTED: list[tuple[Any, bytes, bytes, str, str]] = [  # in metadata, in the file, bytes, text, the set then
    (SEVERAL, b"ISO 2022 IR 6\\ISO 2022 IR 87", YAMADA, "\u5c71\u7530", "ISO_IR 192"),
    (["ISO 2022 IR 87", "ISO 2022 IR 159"], b"\\ISO 2022 IR 87\\ISO 2022 IR 159", YAMADA, "\u5c71\u7530", "ISO_IR 192"),
    ("ISO_IR 203", b"ISO_IR 203", b"\xa4 ", "\u20ac", "ISO_IR 192"),
    ("ISO_IR 6", b"ISO_IR 6", b"Doe", "Doe", "ISO_IR 192"),
    ("ISO_IR 6", b"ISO_IR 6", b"M\xfc", "M\u00fc", "ISO_IR 6"),
    ("ISO IR 100", b"ISO IR 100", b"M\xfc", "M\u00fc", "ISO IR 100"),
    ("ISO_IR 999", b"ISO_IR 999", b"M\xfc", "M\ufffd", "ISO_IR 999"),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "raw", "body", "text", "then"), UNTRUSTED)
def test_any_other_set_has_its_texts_read_again(terms: Any, raw: bytes, body: bytes, text: str, then: str) -> None:
    web = Content(**{"0008-0005": raw, "0010-0010": body, "0008-1030": body})
    found = mended(web, SpecificCharacterSet=terms, PatientName="?", StudyDescription=None, Modality="CT")
    assert (found["PatientName"], found["StudyDescription"]) == ({"Alphabetic": text}, text)
    assert found["Modality"] == "CT"
    assert found["SpecificCharacterSet"] == then
    assert sorted(web.asked) == ["0008-0005", "0008-1030", "0010-0010", "lookup"]


def test_texts_of_items_are_read_again_by_the_set_of_their_item() -> None:
    web = Content(
        **held(
            **{
                "0008-1032/0/0008-0104": YAMADA,
                "0008-1032/0/0008-0100": b"1 ",
                "0008-1032/1/0008-0005": b"ISO_IR 144",
                "0008-1032/1/0008-0104": b"\xbb\xee\xda ",
            }
        )
    )
    codes = [
        {"CodeMeaning": "$B;3ED(B", "CodeValue": "1"},
        {"SpecificCharacterSet": "ISO_IR 144", "CodeMeaning": "?"},
    ]
    found = mended(web, SpecificCharacterSet=SEVERAL, ProcedureCodeSequence=codes)
    assert [one["CodeMeaning"] for one in found.values("ProcedureCodeSequence")] == [
        "\u5c71\u7530",
        "\u041b\u044e\u043a",
    ]


def test_a_set_of_an_item_alone_is_enough() -> None:
    web = Content(**{"0008-1032/0/0008-0005": b"ISO_IR 203", "0008-1032/0/0008-0104": b"\xa4 "})
    codes = [{"SpecificCharacterSet": "ISO_IR 203", "CodeMeaning": None}]
    found = mended(web, ProcedureCodeSequence=codes)
    assert [one["CodeMeaning"] for one in found.values("ProcedureCodeSequence")] == ["\u20ac"]


def test_what_stands_in_every_instance_is_asked_for_once() -> None:
    web = Content(**held(**{"0010-0020": b"P1", "0010-0021": YAMADA, "0070-0081": b"x "}))
    put_right = RawTexts(web).of_series(SERIES)  # type: ignore[arg-type]
    for _ in range(3):
        one = dataset(SOPInstanceUID="1.2.3.1.1", SpecificCharacterSet=SEVERAL, PatientID="P1", IssuerOfPatientID="?")
        assert Item(put_right(one))["IssuerOfPatientID"] == "\u5c71\u7530"
    assert web.asked.count("lookup") == 1, "nothing else is asked, so nobody looks for the instance"
    another = dataset(SOPInstanceUID="1.2.3.1.1", SpecificCharacterSet=SEVERAL, ContentDescription="x")
    for _ in range(2):
        put_right(another)
    assert web.asked.count("0070-0081") == 2, "two instances may have other titles that look the same"


LEFT: dict[str, tuple[Content, dict[str, Any]]] = {
    "the text is not there": (Content(**held(**{"0010-0010": None})), {"PatientName": "?"}),
    "the set is not there": (Content(**{"0008-0005": None}), {"PatientName": "?"}),
    "no instance": (Content([]), {"PatientName": "?"}),
    "two instances": (Content([(ID, "Instance"), (ID, "Instance")]), {"PatientName": "?"}),
    "an instance elsewhere": (Content([(OTHER, "Instance"), (ID, "Series")]), {"PatientName": "?"}),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_to_be_had_stays_as_it_came_and_doubted(name: str) -> None:
    web, attributes = LEFT[name]
    found = mended(web, SpecificCharacterSet=SEVERAL, **attributes)
    assert found["PatientName"] == {"Alphabetic": "?"}
    assert found.values("SpecificCharacterSet") == SEVERAL


def test_garbage_is_left_to_whoever_asks_for_it() -> None:
    web = Content(**held(**{"0010-0010": b"Doe"}))
    odd: dict[str, Any] = {
        tag_of("PatientID"): 5,
        tag_of("StudyDescription"): TOO_LARGE,
        tag_of("ProcedureCodeSequence"): {"vr": "SQ", "Value": ["x", None, 5, {}]},
        "00100010 ": {"vr": "PN", "Value": ["x"]},
        "../x": {"vr": "PN", "Value": ["x"]},
    }
    whole = dataset(SOPInstanceUID="1.2.3.1.1", SpecificCharacterSet=SEVERAL, PatientName="?") | odd
    made = RawTexts(web).of_series(SERIES)(whole)  # type: ignore[arg-type]
    assert {tag: made[tag] for tag in odd} == odd
    assert Item(made)["PatientName"] == {"Alphabetic": "Doe"}
    for uid in (5, {"vr": "UI", "Value": [{}]}, {"vr": "UI"}):
        broken = whole | {tag_of("SOPInstanceUID"): uid}
        assert RawTexts(web).of_series(SERIES)(broken) == broken  # type: ignore[arg-type]


def test_there_is_an_end_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_texts, "MOST", 3)
    monkeypatch.setattr(raw_texts, "KEPT", 0)
    web = Content(**held(**{"0010-0010": YAMADA, "0070-0081": b"x "}))
    put_right = RawTexts(web).of_series(SERIES)  # type: ignore[arg-type]
    one = dataset(SOPInstanceUID="1.2.3.1.1", SpecificCharacterSet=SEVERAL, PatientName="?")
    sets = [Item(put_right(one)).values("SpecificCharacterSet") for _ in range(4)]
    assert sets == [["ISO_IR 192"], ["ISO_IR 192"], SEVERAL, SEVERAL]
    assert len([place for place in web.asked if place != "lookup"]) == 3


KOREAN, PATIENT_ID = ["ISO 2022 IR 6", "ISO 2022 IR 149"], b"\x1b$)C\xb1\xe8-1"


class Many:
    """An Orthanc that holds these attributes of every instance, and counts what it is asked for."""

    def __init__(self, **held: bytes | None) -> None:
        self.held = {"0008-0005": b"ISO 2022 IR 6\\ISO 2022 IR 149", "0010-0020": PATIENT_ID, **held}
        self.asked: list[str] = []

    def must(self, method: str, target: Any, kind: Any, data: bytes) -> list[answers.Hit]:
        return [answers.Hit(ID, "Instance")]

    @contextmanager
    def answer(self, method: str, target: Any, accept: str) -> Iterator[Body | None]:
        place = str(target).partition("/content/")[2]
        self.asked.append(place)
        body = self.held[place]
        yield None if body is None else Body(body)


SINGLE: dict[str, dict[str, Any]] = {  # what every instance has beside the PatientID
    "behind the PatientID": {"ContentDescription": "D"},
    "before it": {"StudyDescription": "D"},
    "on both sides": {"StudyDescription": "D", "ContentDescription": "D", "SeriesDescription": "D"},
    "in many items before it": {"ProcedureCodeSequence": [{"CodeMeaning": "D"}] * 40},
}
TEXT = b"\x1b$)C\xb1\xe8"
BODIES = {"0070-0081": TEXT, "0008-1030": TEXT, "0008-103E": TEXT}
BODIES |= {f"0008-1032/{number}/0008-0104": TEXT for number in range(40)}


@pytest.mark.parametrize("single", SINGLE.values(), ids=SINGLE)
@pytest.mark.parametrize("most", [2, 3, 6, 9, 50, 1000])
def test_when_no_more_may_be_asked_for_a_study_is_still_of_one_patient(
    most: int, single: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_texts, "MOST", most)
    monkeypatch.setattr(raw_texts, "KEPT", 2)
    web, collector = Many(**BODIES), Collector()
    put_right = RawTexts(web).of_series(SERIES)  # type: ignore[arg-type]
    for number in range(6):
        one = dataset(
            SpecificCharacterSet=KOREAN,
            StudyInstanceUID="1.2",
            SeriesInstanceUID="1.2.1",
            SOPInstanceUID=f"1.2.1.{number}",
            SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1",
            PatientID="-1",
            **single,
        )
        made = put_right(one)
        assert Item(made)["PatientID"] == "\uae40-1"
        doubted = Item(made).values("SpecificCharacterSet") == KOREAN
        assert doubted == any(made[tag] == one[tag] for tag in map(tag_of, single)), (
            "what was read as a whole is not doubted, what was not is"
        )
        collector.add(made)
    assert collector.only_study().item["PatientID"] == "\uae40-1"
    assert len(web.asked) <= most


def test_a_patient_who_is_garbled_in_another_way_in_each_series_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_texts, "MOST", 12)
    monkeypatch.setattr(raw_texts, "KEPT", 10)
    texts = RawTexts(Many(**BODIES))  # type: ignore[arg-type]
    for number in range(5):
        one = dataset(
            SOPInstanceUID="1.2.1.1", SpecificCharacterSet=KOREAN, PatientID=f"-1{' ' * number}", ContentDescription="D"
        )
        assert Item(texts.of_series(SERIES)(one))["PatientID"] == "\uae40-1"
