"""Orthanc as a source over real HTTP on loopback: what its answers mean, and what is never said of them."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from datasets import dataset
from http_fake import CUT, Answer, HttpFake

from mapper.dicom.reader import Reader
from mapper.errors import BadMetadata, MapperError, SourceBusy, SourceChanged, SourceDown, StudyGone, TwoPatients
from mapper.sources.orthanc import Orthanc, parse_version, sighting, state_of
from mapper.sources.orthanc import parse_time as time_of
from mapper.sources.web import Web, route

UID = "1.2.840.99.1"
ID = "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d"
OTHER = "11111111-22222222-33333333-44444444-55555555"
SECRET = "SECRET^PATIENT"
SYSTEM = Answer(200, {"Version": "1.12.7"})
COUNT = Answer(200, {"CountStudies": 3})
NOW = Answer(200, b"20240101T120000")


def orthanc(url: str, **given: Any) -> Orthanc:
    return Orthanc(url, Reader(["PatientID"], ()), **{"timeout": 2.0, **given})


def study(last_update: str = "20240101T110000", **given: Any) -> dict[str, Any]:
    tags = {"StudyInstanceUID": UID}
    return {"ID": ID, "Type": "Study", "LastUpdate": last_update, "IsStable": True, "MainDicomTags": tags, **given}


def fails(ask: Callable[[Orthanc], object], *answers: Answer, **given: Any) -> MapperError:
    with HttpFake(*answers) as http, pytest.raises(MapperError) as failed:
        ask(orthanc(http.url, **given))
    assert SECRET not in str(failed.value)
    assert ID not in str(failed.value)
    return failed.value


# -- answers -------------------------------------------------------------------------------------

STATUSES: dict[int, type[MapperError]] = {
    401: SourceDown,
    403: SourceDown,
    404: SourceDown,
    400: SourceBusy,
    500: SourceBusy,
    502: SourceDown,
    503: SourceDown,
    504: SourceDown,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_every_status_has_its_meaning(status: int, kind: type[MapperError]) -> None:
    error = fails(lambda source: source.count(), Answer(status, SECRET.encode()))
    assert type(error) is kind
    assert "http://127.0.0.1" in str(error)


@pytest.mark.parametrize("body", [b"<html>SECRET^PATIENT</html>", b"", b"\xff"], ids=repr)
def test_an_answer_that_is_no_json(body: bytes) -> None:
    assert type(fails(lambda source: source.count(), Answer(200, body))) is BadMetadata


def test_what_is_no_orthanc_is_said_to_be_none() -> None:
    error = fails(lambda source: source.check(), Answer(404))
    assert type(error) is SourceDown
    assert "orthanc_url" in str(error)


SILENCES: dict[str, Answer] = {
    "a cut connection": CUT,
    "an answer that breaks off": Answer(200, {"CountStudies": 3}, cut=True),
    "an answer that does not come in time": Answer(200, wait=3.0),
}


@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
def test_a_request_that_is_not_answered_by_an_orthanc_that_lives(silence: Answer) -> None:
    error = fails(lambda source: source.read(UID, []), silence, COUNT, timeout=0.3)
    assert type(error) is SourceBusy
    assert not error.outage


def test_a_request_that_is_not_answered_by_an_orthanc_that_hangs() -> None:
    assert type(fails(lambda source: source.read(UID, []), CUT, Answer(503), timeout=0.3)) is SourceDown
    assert type(fails(lambda source: source.read(UID, []), CUT, CUT, timeout=0.3)) is SourceDown


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(SourceDown):
            orthanc(f"http://127.0.0.1:{free.getsockname()[1]}").count()


def test_who_we_are() -> None:
    with HttpFake(COUNT, COUNT) as http:
        assert orthanc(http.url, user="u", password="p").count() == 3
        orthanc(http.url).count()
    assert [asked.headers.get("Authorization") for asked in http.asked] == ["Basic dTpw", None]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"/studies/{ID}", "/studies/*"),
        (f"/dicom-web/studies/{UID}/series/1.2/metadata", "/dicom-web/studies/*/series/*/metadata"),
        ("/tools/lookup", "/tools/lookup"),
    ],
)
def test_a_message_names_the_route_without_ids(path: str, words: str) -> None:
    assert route(path) == words


def test_a_404_is_an_answer() -> None:
    with HttpFake(Answer(404)) as http:
        assert Web(http.url).json("GET", "/studies/x") is None


# -- one study -----------------------------------------------------------------------------------

HIT = Answer(200, [{"ID": ID, "Type": "Study"}, {"ID": OTHER, "Type": "Series"}])
SERIES = Answer(200, [{"MainDicomTags": {"SeriesInstanceUID": f"{UID}.1"}}])
METADATA = Answer(
    200,
    [
        dataset(
            StudyInstanceUID=UID,
            SeriesInstanceUID=f"{UID}.1",
            SOPInstanceUID=f"{UID}.1.1",
            SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
            PatientID="P1",
        )
    ],
)


def looked(one: dict[str, Any]) -> list[Answer]:
    """Answer one look at a study by an Orthanc that dates deletions."""
    return [Answer(200, one), NOW]


def test_a_study_is_read_between_two_looks_that_agree() -> None:
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, METADATA, *looked(study())]
    with HttpFake(*answers) as http:
        reading = orthanc(http.url).read(UID, [])
    assert reading.study.uid == UID
    assert reading.sighting == sighting(study(), time_of("20240101T120000"))
    assert http.asked[0].body == UID.encode()
    metadata = next(asked for asked in http.asked if asked.path.endswith("/metadata"))
    assert metadata.headers["Accept"] == "application/dicom+json"


def test_time_that_passes_is_no_change() -> None:
    """A state that was young and grew older is the same state; it keeps the young mark, to be read again."""
    young = study("20240101T115959")
    later = [Answer(200, young), Answer(200, b"20240101T120010")]
    answers = [HIT, Answer(200, young), SYSTEM, NOW, SERIES, METADATA, *later]
    with HttpFake(*answers) as http:
        reading = orthanc(http.url).read(UID, [])
    assert reading.sighting.fingerprint.endswith("/young")


@pytest.mark.parametrize("after", [Answer(404), Answer(200, study("20240101T113000"))], ids=["it went", "it moved"])
def test_a_study_that_changed_while_it_was_read(after: Answer) -> None:
    more = [NOW] if after.status == 200 else []
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, METADATA, after, *more]
    error = fails(lambda source: source.read(UID, []), *answers)
    assert type(error) is SourceChanged


def test_a_series_that_dicomweb_does_not_have_proves_nothing() -> None:
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, Answer(404)]
    assert type(fails(lambda source: source.read(UID, []), *answers)) is SourceChanged


@pytest.mark.parametrize(
    ("answers", "known"),
    [
        ([Answer(200, [])], []),
        ([Answer(200, []), Answer(404)], [ID]),
        ([Answer(200, [{"ID": ID, "Type": "Patient"}])], []),
    ],
    ids=["no hit", "no hit and no known id", "a hit that is no study"],
)
def test_gone_is_what_orthanc_itself_says(answers: list[Answer], known: list[str]) -> None:
    with HttpFake(*answers) as http, pytest.raises(StudyGone, match=UID):
        orthanc(http.url).read(UID, known)


def test_an_outage_is_never_taken_for_gone() -> None:
    for answer in (Answer(503), Answer(401), Answer(500)):
        assert not isinstance(fails(lambda source: source.read(UID, [ID]), answer), StudyGone)


def test_two_hits_are_two_patients_and_named_by_orthancs_ids() -> None:
    hits = Answer(200, [{"ID": ID, "Type": "Study"}, {"ID": OTHER, "Type": "Study"}])
    with HttpFake(hits) as http, pytest.raises(TwoPatients) as failed:
        orthanc(http.url).read(UID, [])
    assert ID in str(failed.value)
    assert OTHER in str(failed.value)


# -- what a look tells ---------------------------------------------------------------------------

LOOKS: dict[str, tuple[dict[str, Any], int | None, str]] = {  # the study, instances -> fingerprint at noon
    "an Orthanc that dates deletions": (study(), None, "20240101T110000"),
    "young": (study("20240101T115959"), None, "20240101T115959/young"),
    "two seconds old": (study("20240101T115958"), None, "20240101T115958"),
    "of the future": (study("20240101T120500"), None, "20240101T120500/young"),
}


@pytest.mark.parametrize(("one", "instances", "fingerprint"), LOOKS.values(), ids=LOOKS)
def test_a_fingerprint(one: dict[str, Any], instances: int | None, fingerprint: str) -> None:
    assert sighting(one, time_of("20240101T120000"), instances).fingerprint == fingerprint


def test_an_orthanc_that_does_not_date_deletions_is_counted() -> None:
    now = time_of("20240101T120000")
    one = sighting(study(Series=["a", "b"]), now, 7)
    assert one == sighting(study(Series=["b", "a"]), now, 7), "in any order"
    assert one.fingerprint != sighting(study(Series=["a", "b"]), now, 6).fingerprint
    assert one.fingerprint != sighting(study(Series=["a", "c"]), now, 7).fingerprint


def test_states_are_told_apart_by_content_alone() -> None:
    now = time_of("20240101T120000")
    first = sighting(study("20240101T115959"), now)
    assert state_of(first) == state_of(sighting(study("20240101T115959", IsStable=False), time_of("20240101T120100")))
    assert state_of(first) != state_of(sighting(study("20240101T115958"), now))


@pytest.mark.parametrize(
    ("text", "version"),
    [("1.10.1", (1, 10, 1)), ("1.12.7", (1, 12, 7)), ("1.12.10", (1, 12, 10)), ("mainline", (999, 0, 0))],
)
def test_a_version(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


# -- all studies and what happened to them -------------------------------------------------------


def test_the_listing_comes_in_pages() -> None:
    first = [{**study(), "ID": f"id-{number}"} for number in range(500)]
    answers = [NOW, SYSTEM, Answer(200, first), Answer(200, [study()]), Answer(200, [])]
    with HttpFake(*answers) as http:
        assert len(list(orthanc(http.url).listing())) == 501
    pages = [asked.path for asked in http.asked if asked.path.startswith("/studies")]
    assert ["since=0" in pages[0], "since=500" in pages[1], "since=501" in pages[2]] == [True] * 3


def test_changes_are_followed_from_a_cursor() -> None:
    log = [
        {"ID": ID, "ChangeType": "StableStudy", "Seq": 8},
        {"ID": OTHER, "ChangeType": "NewStudy", "Seq": 9},
        {"ID": ID, "ChangeType": "StableStudy", "Seq": 10},
    ]
    with HttpFake(Answer(200, {"Changes": log, "Last": 10, "Done": False}), Answer(200, study())) as http:
        found = orthanc(http.url).changes(7)
    assert (found.study_uids, found.cursor, found.more, found.sweep) == ((UID,), 10, True, False)
    assert "since=7" in http.asked[0].path


def test_a_log_that_ends_before_the_cursor_asks_for_a_sweep() -> None:
    with HttpFake(Answer(200, {"Changes": [], "Last": 5, "Done": True})) as http:
        found = orthanc(http.url).changes(1000)
    assert (found.study_uids, found.cursor, found.sweep) == ((), 5, True)


def test_a_changed_study_that_is_gone_is_left_to_the_sweep() -> None:
    log = [{"ID": ID, "ChangeType": "StableStudy", "Seq": 8}]
    with HttpFake(Answer(200, {"Changes": log, "Last": 8, "Done": True}), Answer(404)) as http:
        assert orthanc(http.url).changes(7).study_uids == ()


@pytest.mark.parametrize(
    ("plugins", "problems"),
    [(["dicom-web", "python"], []), (["dicom-web"], ["Python"]), ([], ["DICOMweb", "Python"])],
    ids=str,
)
def test_doctor_hears_which_plugins_are_missing(plugins: list[str], problems: list[str]) -> None:
    with HttpFake(SYSTEM, Answer(200, plugins)) as http:
        said = orthanc(http.url).check()
    assert "1.12.7" in said[0]
    found = [line for line in said if line.startswith("problem: ")]
    assert len(found) == len(problems)
    assert all(word in line for word, line in zip(problems, found, strict=True))


def test_no_answer_is_quoted() -> None:
    body = json.dumps({"Message": SECRET, "Details": SECRET}).encode()
    for status in STATUSES:
        fails(lambda source: source.count(), Answer(status, body))
