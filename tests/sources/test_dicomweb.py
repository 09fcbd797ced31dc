"""A DICOMweb archive with the manners that archives have: each is a case, as none of them says which it has."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mapper.dicom.item import tag_of
from mapper.dicom.reader import Reader
from mapper.errors import BadUID, SourceBusy, SourceChanged, SourceDown, StudyGone, TwoPatients
from mapper.http.peer import Bound
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.sources.dicomweb import search
from mapper.sources.dicomweb.auth import Auth, by_password, by_token_file, nobody
from mapper.sources.dicomweb.client import DicomwebClient
from mapper.sources.dicomweb.search import Search
from mapper.sources.dicomweb.source import Dicomweb
from mapper.sources.source import Sighting
from tests.support.datasets import dataset
from tests.support.http_fake import Answer, HttpFake

TODAY = date(2024, 12, 31)
BOUND = Bound(8, 10.0)


def study(number: int, day: str = "20240517", **attributes: Any) -> dict[str, Any]:
    """Return one instance, the only one of its study."""
    uid = f"1.2.{number}"
    uids = {"StudyInstanceUID": uid, "SeriesInstanceUID": f"{uid}.1", "SOPInstanceUID": f"{uid}.1.1"}
    frame = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT", "PatientID": "P1"}
    return dataset(**{**uids, **frame, "StudyDate": day, **attributes})


@dataclass
class Manners:
    """An archive: what it holds, and how it answers."""

    held: list[dict[str, Any]] = field(default_factory=list)
    most: int = 10_000
    """Studies of one answer, or of all pages together."""
    page_most: int = 10_000
    """Studies of one page, however many are asked for."""
    pages: bool = True
    """Whether it knows `offset`."""
    says_more: bool = False
    """Whether it says with a Warning that there is more."""
    keys: str = "both"
    needs: str = ""
    """What must stand in a question."""
    spelled: Callable[[str], str] = str
    """How it writes a tag."""
    told: tuple[str, ...] = ("StudyInstanceUID", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
    empty: int = 200
    loose: bool = False
    """Whether it finds everything, whatever it is asked for."""
    wado: str = "/rs"

    def __call__(self, path: str) -> Answer:
        asked = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(asked.query, keep_blank_values=True).items()}
        parts = asked.path.strip("/").split("/")
        if parts[0] == "rs" and parts[1:] == ["studies"]:
            return self.studies(query)
        uid = parts[2]
        mine = [one for one in self.held if value(one, "StudyInstanceUID") == uid]
        if parts[-1] == "series" and parts[0] == "rs":
            found = {value(one, "SeriesInstanceUID"): one for one in mine}
            return self.listed([only(one, ("SeriesInstanceUID",)) for one in found.values()], query)
        if parts[-1] == "metadata" and f"/{parts[0]}" == self.wado:
            mine = [one for one in mine if value(one, "SeriesInstanceUID") == parts[4]]
            return Answer(200, mine) if mine else Answer(404)
        return Answer(404)

    def studies(self, query: dict[str, str]) -> Answer:
        names = set(query) - {"limit", "offset", "includefield"}
        if self.needs and self.needs not in query:
            return Answer(400)
        if self.keys != "both" and any(
            (name.isalnum() and name[0].isdigit()) != (self.keys == "hex") for name in names
        ):
            return Answer(400)
        found = list(self.held) if self.loose else [one for one in self.held if matches(one, query)]
        return self.listed([only(self.counted(one), self.told) for one in found], query)

    def counted(self, one: dict[str, Any]) -> dict[str, Any]:
        return {**one, **dataset(NumberOfStudyRelatedSeries=1, NumberOfStudyRelatedInstances=1)}

    def listed(self, found: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        offset = int(query.get("offset", 0)) if self.pages else 0
        page = found[: self.most][offset : offset + min(int(query.get("limit", 100)), self.page_most)]
        page = [{self.spelled(tag): element for tag, element in one.items()} for one in page]
        more = {"Warning": '299 - "There are additional results"'} if self.says_more and len(found) > self.most else {}
        return Answer(200, page, headers=more) if page else Answer(self.empty, [] if self.empty == 200 else b"")


def value(one: dict[str, Any], keyword: str) -> str:
    return str((one.get(tag_of(keyword), {}).get("Value") or [""])[0])


def only(one: dict[str, Any], keywords: tuple[str, ...]) -> dict[str, Any]:
    wanted = set(map(tag_of, keywords))
    return {tag: element for tag, element in one.items() if tag in wanted}


def matches(one: dict[str, Any], query: dict[str, str]) -> bool:
    for name in ("StudyInstanceUID", tag_of("StudyInstanceUID")):
        if name in query and query[name] != value(one, "StudyInstanceUID"):
            return False
    for name in ("StudyDate", tag_of("StudyDate")):
        if name in query:
            first, _, last = query[name].partition("-")
            if not (value(one, "StudyDate") and first <= value(one, "StudyDate") <= (last or "9")):
                return False
    return True


Opened = Callable[..., Dicomweb]


@pytest.fixture
def opened() -> Iterator[Callable[..., Dicomweb]]:
    """Give what opens an archive of these manners as a source."""
    running: list[HttpFake] = []

    def open_it(
        manners: Callable[[str], Answer], *, auth: Auth = nobody, wado: str = "/rs", **of_search: Any
    ) -> Dicomweb:
        running.append(HttpFake(answering=manners).__enter__())
        url = running[-1].url
        qido = DicomwebClient(f"{url}/rs", BOUND, auth)
        found = Search(qido, today=lambda: TODAY, **of_search)
        reader = Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS)
        source = Dicomweb(found, DicomwebClient(f"{url}{wado}", BOUND, auth), reader)
        source.fake = running[-1]  # type: ignore[attr-defined]
        return source

    yield open_it
    for one in running:
        one.__exit__(None, None, None)


def uids(source: Dicomweb) -> list[str]:
    return sorted((one.study_uid for one in source.listing()), key=lambda uid: [int(part) for part in uid.split(".")])


HELD = [study(number, f"2024{1 + number % 12:02}{1 + number % 28:02}") for number in range(1, 41)]
HELD_UIDS = [f"1.2.{number}" for number in range(1, 41)]
UNDATED = [study(41, ""), *HELD]
ROWS = ("StudyInstanceUID", "PatientID", "StudyDate")
TWICE = [study(number, PatientID=f"P{row}") for number in range(1, 41) for row in (1, 2)]
CASES: dict[str, tuple[Manners, dict[str, Any]]] = {
    "all at once": (Manners(HELD), {}),
    "in pages": (Manners(HELD), {}),
    "knows no offset and has few": (Manners(HELD, pages=False), {}),
    "gives five a page, however many are asked for": (Manners(HELD, page_most=5), {}),
    "gives five a page, and ends at ten": (Manners(HELD, page_most=5, most=10), {"most": 10}),
    "wants a PatientID in every question, knows keywords alone, and ends at ten": (
        Manners(HELD, needs="PatientID", keys="keyword", most=10),
        {"always": {"PatientID": "*"}, "most": 10},
    ),
    "ends at ten in silence": (Manners(HELD, most=10), {"most": 10}),
    "ends at ten and says so": (Manners(HELD, most=10, says_more=True), {}),
    "ends at ten and knows no offset": (Manners(HELD, most=10, pages=False), {"most": 10}),
    "knows keywords alone": (Manners(HELD, keys="keyword"), {}),
    "knows tags alone": (Manners(HELD, keys="hex"), {"hex_keys": True}),
    "knows tags alone, and ends at ten": (Manners(HELD, most=10, keys="hex"), {"hex_keys": True, "most": 10}),
    "wants a PatientID in every question": (Manners(HELD, needs="PatientID"), {"always": {"PatientID": "*"}}),
    "tells the UID alone": (Manners(HELD, told=("StudyInstanceUID",)), {}),
    "says 204 where nothing matches": (Manners(HELD, empty=204), {}),
    "says 204 and ends at ten": (Manners(HELD, empty=204, most=10), {"most": 10}),
}

MANY = [study(number, f"2024{1 + number % 12:02}{1 + number % 28:02}") for number in range(300)]
NO_UID = [study(1, StudyInstanceUID="", PatientID=f"P{number}") for number in range(16)]
FAR = [study(1, "18500101"), study(2, "18950101"), study(3, "20240517"), study(4, "20251231"), study(5, "20991231")]
LISTED: dict[str, tuple[Manners, dict[str, Any], int]] = {
    "two rows a study": (Manners(TWICE, told=ROWS), {}, 40),
    "two rows a study, patient by patient": (Manners(TWICE[::2] + TWICE[1::2], told=ROWS), {}, 40),
    "two rows a study, five rows a page": (Manners(TWICE, told=ROWS, page_most=5), {}, 40),
    "knows no offset, and ends at fifty in silence": (Manners(MANY, most=50, pages=False), {}, 300),
    "knows no offset, and ends at our page": (Manners(MANY, page_most=100, pages=False), {}, 300),
    "more on a day than it doubts, in pages": (Manners([study(number) for number in range(1, 26)]), {"most": 10}, 25),
    "as many on a day as it doubts, of more that it answers": (
        Manners([study(number) for number in range(10, 30)] + HELD[30:]),
        {"most": 10},
        30,
    ),
    "years before and after ours": (Manners(FAR + HELD[5:], most=20), {"most": 20}, 40),
    "one of many has no UID": (Manners([study(1, StudyInstanceUID=""), *HELD]), {}, 41),
    "many have no UID": (Manners(NO_UID + HELD, told=ROWS), {}, 41),
}


@pytest.mark.parametrize("name", LISTED)
def test_a_listing_is_never_short_in_silence(opened: Opened, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE", 100 if "offset" in name else 7)
    manners, of_search, number = LISTED[name]
    source = opened(manners, **of_search)
    listed = [one.study_uid for one in source.listing()]
    assert len(listed) == len(set(listed)) == number
    assert source.count() == number


NAMELESS: dict[str, Callable[[str], str]] = {
    "by keywords": lambda tag: f"Keyword{tag}",
    "in small letters": str.lower,
    "with a comma": lambda tag: f"{tag[:4]},{tag[4:]}",
}


@pytest.mark.parametrize("name", NAMELESS)
def test_an_archive_that_names_nothing_by_its_tag_is_told_and_nothing_of_it_is_gone(opened: Opened, name: str) -> None:
    source = opened(Manners(HELD, spelled=NAMELESS[name]))
    for ask in (
        lambda: list(source.listing()),
        source.count,
        lambda: source.holds("1.2.1"),
        lambda: source.read("1.2.1", []),
        lambda: source.search.series("1.2.1"),
    ):
        with pytest.raises(SourceBusy, match="names none by the tag of S"):
            ask()


def test_one_day_that_is_too_large_hides_no_other(opened: Opened) -> None:
    many = [study(number, "20200101") for number in range(100, 130)]
    source = opened(Manners([*many, *HELD], most=10), most=10)
    listed = deque[Sighting]()
    with pytest.raises(SourceBusy, match=r"one day has more \(20200101-20200101\)"):
        listed.extend(source.listing())
    assert {one.study_uid for one in listed} >= set(HELD_UIDS)


def test_an_archive_that_looks_at_no_date_is_not_asked_for_each_day(opened: Opened) -> None:
    source = opened(Manners(HELD, most=10, loose=True), most=10)
    with pytest.raises(SourceBusy, match="one day has more"):
        list(source.listing())
    assert len(source.fake.asked) < 200  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CASES)
def test_every_study_is_listed_once_and_read(opened: Opened, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name != "all at once":
        monkeypatch.setattr(search, "PAGE", 7 if "offset" not in name else 100)
    manners, of_search = CASES[name]
    source = opened(manners, **of_search)
    assert uids(source) == HELD_UIDS
    assert source.count() == 40
    for uid in ("1.2.1", "1.2.40"):
        assert source.holds(uid)
        reading = source.read(uid, [])
        assert [one.uid for one in reading.study.series] == [f"{uid}.1"]
        assert reading.sighting in list(source.listing())
    assert not source.holds("1.2.41")
    with pytest.raises(StudyGone, match=r"1\.2\.41"):
        source.read("1.2.41", [])
    source.probe()
    assert all(one.level != "problem" for one in source.check())


def test_a_study_without_a_date_is_found_as_far_as_the_first_question_tells_it(opened: Opened) -> None:
    assert "1.2.41" in uids(opened(Manners(UNDATED)))
    assert "1.2.41" in uids(opened(Manners(UNDATED, most=10), most=10))


def test_an_archive_that_answers_5000_studies_at_most_is_listed_whole(opened: Opened) -> None:
    days = [f"20{year:02}{month:02}01" for year in range(24) for month in range(1, 13)]
    held = [study(number, days[number % len(days)]) for number in range(5_600)]
    source = opened(Manners(held, most=5_000))
    listed = [one.study_uid for one in source.listing()]
    assert len(listed) == len(set(listed)) == 5_600


def test_a_firewall_that_refuses_what_names_no_program_of_its_own_lets_us_pass(opened: Opened) -> None:
    source = opened(Manners(HELD))
    source.probe()
    source.read("1.2.3", [])
    agents = {one.headers["User-Agent"] for one in source.fake.asked}  # type: ignore[attr-defined]
    assert agents == {"orthanc-fhir"}, "the default of python-requests is answered 403 by some"


def test_a_day_that_is_never_small_enough_is_told(opened: Opened) -> None:
    source = opened(Manners([study(number) for number in range(1, 31)], most=10), most=10)
    with pytest.raises(SourceBusy, match="one day has more"):
        list(source.listing())
    assert len(source.fake.asked) < 200  # type: ignore[attr-defined]


def test_wado_may_stand_elsewhere(opened: Opened) -> None:
    source = opened(Manners(HELD, wado="/wado"), wado="/wado")
    assert source.read("1.2.3", []).study.uid == "1.2.3"
    with pytest.raises(SourceChanged):
        opened(Manners(HELD, wado="/wado")).read("1.2.3", [])


def test_an_archive_that_finds_everything_has_no_more_than_it_has(opened: Opened) -> None:
    source = opened(Manners(HELD, loose=True))
    assert source.holds("1.2.3")
    assert not source.holds("1.2.99")
    with pytest.raises(StudyGone):
        source.read("1.2.99", [])


def test_one_uid_twice_is_two_patients(opened: Opened) -> None:
    source = opened(Manners([study(1), study(1, PatientID="P2")]))
    with pytest.raises(TwoPatients):
        source.read("1.2.1", [])


def test_what_changes_while_it_is_read_is_read_again(opened: Opened) -> None:
    manners = Manners([study(1)])

    def changing(path: str) -> Answer:
        answer = manners(path)
        if path.endswith("/metadata"):
            manners.counted = lambda one: {**one, **dataset(NumberOfStudyRelatedInstances=2)}  # type: ignore[method-assign]
        return answer

    with pytest.raises(SourceChanged):
        opened(changing).read("1.2.1", [])


@pytest.mark.parametrize("odd", ["1.2/../x", "1.2?x", "", "1 2"])
def test_a_uid_that_cannot_stand_in_a_url_is_known_by_another_name(opened: Opened, odd: str) -> None:
    source = opened(Manners([study(1), study(2, StudyInstanceUID=odd)]))
    names = [one.study_uid for one in source.listing()]
    (name,) = [one for one in names if one != "1.2.1"]
    assert not odd or odd not in name
    assert source.holds(name)
    with pytest.raises(BadUID, match=name):
        source.read(name, [])
    with pytest.raises(StudyGone):
        source.read(name[:-1] + "x", [])


ANSWERS: dict[str, tuple[Answer, type[Exception]]] = {
    "nobody of ours": (Answer(401), SourceDown),
    "no right": (Answer(403), SourceDown),
    "no QIDO here": (Answer(404), SourceDown),
    "elsewhere": (Answer(302, headers={"Location": "http://127.0.0.1:1/"}), SourceDown),
    "a gateway": (Answer(502), SourceDown),
    "maintenance": (Answer(503), SourceDown),
    "a portal's page": (Answer(200, b"<html>log in</html>"), SourceDown),
    "a fault": (Answer(500), SourceDown),
    "no list": (Answer(200, {"a": 1}), SourceDown),
    "a list of something else": (Answer(200, [1, 2]), SourceDown),
    "cut off": (Answer(200, [], cut=True), SourceDown),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_archive_that_does_not_answer_is_down(opened: Opened, name: str) -> None:
    answer, kind = ANSWERS[name]
    source = opened(lambda path: answer)
    with pytest.raises(kind):
        source.probe()
    for ask in (
        lambda: list(source.listing()),
        source.count,
        lambda: source.holds("1.2.1"),
        lambda: source.read("1.2.1", []),
    ):
        with pytest.raises((SourceDown, SourceBusy)):
            ask()


def test_who_asks_is_said_in_each_request_and_a_token_is_read_anew(opened: Opened, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    source = opened(Manners(HELD), auth=by_token_file(token))
    source.probe()
    token.write_text("second\n")
    source.read("1.2.1", [])
    said = [one.headers["Authorization"] for one in source.fake.asked]  # type: ignore[attr-defined]
    assert said[0] == "Bearer first"
    assert set(said[1:]) == {"Bearer second"}
    for wrong in ("", None, "a b", "ä"):
        token.unlink(missing_ok=True)
        if wrong is not None:
            token.write_text(wrong)
        if wrong != "":
            with pytest.raises(SourceDown, match="token"):
                source.probe()
    named = opened(Manners(HELD), auth=by_password("user", "password"))
    named.probe()
    assert named.fake.asked[0].headers["Authorization"].startswith("Basic ")  # type: ignore[attr-defined]
    assert named.fake.asked[0].headers["User-Agent"] == "orthanc-fhir"  # type: ignore[attr-defined]


def test_a_study_of_several_series_is_read_whole(opened: Opened) -> None:
    parts = [
        study(1, SeriesInstanceUID=f"1.2.1.{number}", SOPInstanceUID=f"1.2.1.{number}.1") for number in range(1, 13)
    ]
    manners = Manners(parts)
    manners.studies = lambda query: manners.listed([only(manners.counted(parts[0]), manners.told)], query)  # type: ignore[method-assign]
    reading = opened(manners).read("1.2.1", [])
    assert len(reading.study.series) == 12
