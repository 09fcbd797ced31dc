"""Orthanc as a source over real HTTP on loopback: what its answers mean, and what is never said of them."""

import gzip
import json
import re
import socket
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mapper.configuration import load
from mapper.dicom.item import tag_of
from mapper.dicom.reader import Reader
from mapper.errors import (
    AnswerTooLarge,
    BadMetadata,
    BadUID,
    MapperError,
    SettingError,
    SinkBusy,
    SourceBusy,
    SourceChanged,
    SourceDown,
    StudyGone,
    TwoPatients,
)
from mapper.http.peer import Bound
from mapper.settings import Settings
from mapper.sources.orthanc.answers import Study
from mapper.sources.orthanc.api import parse_version
from mapper.sources.orthanc.series import UNASKABLE
from mapper.sources.orthanc.sighting import parse_time as time_of
from mapper.sources.orthanc.sighting import sighting, state_of
from mapper.sources.orthanc.source import Orthanc
from mapper.sources.source import Sighting
from mapper.wiring import fhir_server_of, orthanc_of
from tests.support.datasets import dataset
from tests.support.http_fake import CUT, Answer, HttpFake

UID = "1.2.840.99.1"
ID = "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d"
OTHER = "11111111-22222222-33333333-44444444-55555555"
SECRET = "SECRET^PATIENT"
SYSTEM = Answer(200, {"Version": "1.12.7"})
COUNT = Answer(200, {"CountStudies": 3})
NOW = Answer(200, b"20240101T120000")
MISSING = Answer(404, {"HttpError": "Not Found", "HttpStatus": 404, "OrthancError": "Unknown", "OrthancStatus": 17})
"""What Orthanc says of what it does not have."""


def orthanc(url: str, **given: Any) -> Orthanc:
    return Orthanc(url, Reader(["PatientID"], ()), **{"answer": Bound(1, 5.0), "metadata": Bound(2, 5.0), **given})


def study(last_update: str = "20240101T110000", **given: Any) -> dict[str, Any]:
    tags = {"StudyInstanceUID": UID}
    return {"ID": ID, "Type": "Study", "LastUpdate": last_update, "IsStable": True, "MainDicomTags": tags, **given}


def look(one: dict[str, Any], now: str = "20240101T120000", instances: int | None = None) -> Sighting:
    """Return the sighting of a study at a time."""
    return sighting(msgspec.convert(one, Study), time_of(now), instances)


def fails(ask: Callable[[Orthanc], object], *answers: Answer, **given: Any) -> MapperError:
    with HttpFake(*answers) as http, pytest.raises(MapperError) as failed:
        ask(orthanc(http.url, **given))
    assert SECRET not in str(failed.value)
    assert ID not in str(failed.value)
    return failed.value


# -- answers -------------------------------------------------------------------------------------

STATUSES: dict[int, type[MapperError]] = {
    201: SourceBusy,
    204: SourceBusy,
    206: SourceBusy,
    300: SourceDown,
    301: SourceDown,
    302: SourceDown,
    303: SourceDown,
    304: SourceDown,
    307: SourceDown,
    308: SourceDown,
    401: SourceDown,
    403: SourceDown,
    404: SourceDown,
    400: SourceBusy,
    418: SourceBusy,
    429: SourceBusy,
    500: SourceBusy,
    502: SourceDown,
    503: SourceDown,
    504: SourceDown,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_every_status_has_its_meaning(status: int, kind: type[MapperError]) -> None:
    again = [COUNT] if status == 404 else []
    error = fails(lambda source: source.count(), Answer(status, SECRET.encode()), *again)
    assert type(error) is kind
    assert "http://127.0.0.1" in str(error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with HttpFake() as elsewhere:
        moved = Answer(status, SECRET.encode(), {"Location": f"{elsewhere.url}/statistics"})
        error = fails(lambda source: source.count(), moved)
    assert "orthanc_url" in str(error)
    assert elsewhere.url not in str(error)


NO_ANSWERS: dict[str, Answer] = {
    "HTML": Answer(200, b"<html>SECRET^PATIENT</html>"),
    "nothing": Answer(200, b""),
    "no UTF-8": Answer(200, b"\xff"),
    "a list": Answer(200, b"[]"),
    "null": Answer(200, b"null"),
    "an object of another kind": Answer(200, {"SECRET^PATIENT": 1}),
    "a number that is none": Answer(200, {"CountStudies": "SECRET^PATIENT"}),
    "deep": Answer(200, b'{"CountStudies":3,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "large": Answer(200, b" " * (1 << 20) + b'{"CountStudies":3}'),
    "packed and large": Answer(200, gzip.compress(bytes(1 << 21)), {"Content-Encoding": "gzip"}),
    "packed in another way": Answer(200, b'{"CountStudies":3}', {"Content-Encoding": "br"}),
    "cut": CUT,
    "broken off": Answer(200, {"CountStudies": 3}, cut=True),
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_an_answer_that_is_none_of_orthancs(answer: Answer) -> None:
    """An Orthanc that lives fails at this one request; one that does not answer its first question is down."""
    busy = fails(lambda source: source.count(), answer, COUNT)
    assert isinstance(busy, SourceBusy)
    assert "GET /statistics" in str(busy)
    for probe in (answer, Answer(404), Answer(503), Answer(302, headers={"Location": "/"}), CUT):
        assert type(fails(lambda source: source.count(), answer, probe)) is SourceDown


def test_what_is_no_orthanc_is_said_to_be_none() -> None:
    error = fails(lambda source: list(source.check()), MISSING)
    assert type(error) is SourceDown
    assert "orthanc_url" in str(error)


SILENCES: dict[str, Answer] = {
    "a cut connection": CUT,
    "an answer that breaks off": Answer(200, {"CountStudies": 3}, cut=True),
    "an answer that does not come in time": Answer(200, wait=10.0),
}


@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
def test_a_request_that_is_not_answered_by_an_orthanc_that_lives(silence: Answer) -> None:
    error = fails(lambda source: source.read(UID, []), silence, COUNT, answer=Bound(1, 0.3))
    assert type(error) is SourceBusy
    assert not error.outage


def test_a_request_that_is_not_answered_by_an_orthanc_that_hangs() -> None:
    assert type(fails(lambda source: source.read(UID, []), CUT, Answer(503), answer=Bound(1, 0.3))) is SourceDown
    assert type(fails(lambda source: source.read(UID, []), CUT, CUT, answer=Bound(1, 0.3))) is SourceDown


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


REQUESTS: dict[str, tuple[list[Answer], str]] = {  # what is answered before -> the template of what is asked then
    "the lookup": ([], "POST /tools/lookup"),
    "the study": (["hit"], "GET /studies/{study}"),
    "the time": (["hit", "study", "system"], "GET /tools/now"),
    "the series": (["hit", "study", "system", "now"], "GET /studies/{study}/series"),
    "the metadata": (
        ["hit", "study", "system", "now", "series"],
        "GET /dicom-web/studies/{study}/series/{series}/metadata",
    ),
}


@pytest.mark.parametrize(("before", "template"), REQUESTS.values(), ids=REQUESTS)
def test_a_message_names_the_template_and_nothing_of_what_fills_it(before: list[str], template: str) -> None:
    series = Answer(200, [one_series(f"{SECRET[:6]}.1")])
    known = {"hit": HIT, "study": Answer(200, study()), "system": SYSTEM, "now": NOW, "series": series}
    error = fails(lambda source: source.read(UID, []), *(known[name] for name in before), Answer(500))
    assert template in str(error)
    assert SECRET[:6] not in str(error)


# -- one study -----------------------------------------------------------------------------------

HIT = Answer(200, [{"ID": ID, "Type": "Study"}, {"ID": OTHER, "Type": "Series"}])


def one_series(uid: str | None, instances: int = 1, number: int = 1) -> dict[str, Any]:
    """Return a series as Orthanc tells of it."""
    id = f"{number:08x}-" + ID.partition("-")[2]
    tags = {"SeriesInstanceUID": uid} if uid is not None else {}
    return {"ID": id, "ParentStudy": ID, "MainDicomTags": tags, "Instances": [ID] * instances}


SERIES = Answer(200, [one_series(f"{UID}.1")])
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


def looked(one: dict[str, Any], **kept: str) -> Answer:
    """Answer the look behind the reading of a study: all its metadata."""
    return Answer(200, {"LastUpdate": one["LastUpdate"], **kept})


def test_a_study_is_read_between_two_looks_that_agree() -> None:
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, METADATA, looked(study())]
    with HttpFake(*answers) as http:
        reading = orthanc(http.url).read(UID, [])
    assert reading.study.uid == UID
    assert reading.sighting == look(study())
    assert http.asked[0].body == UID.encode()
    metadata = next(asked for asked in http.asked if asked.path.endswith("/metadata"))
    assert metadata.headers["Accept"] == "application/dicom+json"


LOOKS_BEHIND: dict[str, list[str]] = {  # Orthanc -> what is asked after the metadata of the series
    "1.10.1": [f"/studies/{ID}/metadata?expand=&numeric=", f"/studies/{ID}/series?expand="],
    "1.12.7": [f"/studies/{ID}/metadata?expand=&numeric="],
}


@pytest.mark.parametrize(("version", "behind"), LOOKS_BEHIND.items())
def test_nothing_is_asked_twice_of_a_study_but_whether_it_stayed(version: str, behind: list[str]) -> None:
    """Of one for which nothing is kept: that is told by an answer, not by a 404 that has to be asked about."""
    one = study(Series=[SERIES.body[0]["ID"]])
    answers = [HIT, Answer(200, one), Answer(200, {"Version": version}), NOW, SERIES, METADATA, looked(one), SERIES]
    with HttpFake(*answers[: 6 + len(behind)]) as http:
        orthanc(http.url).read(UID, [])
    assert [asked.path for asked in http.asked] == [
        "/tools/lookup",
        f"/studies/{ID}",
        "/system",
        "/tools/now",
        f"/studies/{ID}/series?expand=",
        f"/dicom-web/studies/{UID}/series/{UID}.1/metadata",
        *behind,
    ]


KEPT = '[{"system":"urn:sparc_dataset:uid","value":"urn:uid:breast-1"}]'
EXTENDED = Answer(200, {"Version": "1.12.7", "Capabilities": {"HasExtendedFind": True}})
OLD = Answer(200, {"Version": "1.12.4"})


@pytest.mark.parametrize("system", [EXTENDED, OLD], ids=["listings tell it", "listings cannot tell it"])
def test_what_orthanc_keeps_for_us_is_part_of_the_study_and_of_its_state_where_a_listing_tells_it(
    system: Answer,
) -> None:
    answers = [HIT, Answer(200, study()), system, NOW, SERIES, METADATA, looked(study(), FhirIdentifiers=KEPT)]
    with HttpFake(*answers) as http:
        reading = orthanc(http.url).read(UID, [])
    assert http.asked[6].path == f"/studies/{ID}/metadata?expand=&numeric="
    assert reading.study.identifiers == (("urn:sparc_dataset:uid", "urn:uid:breast-1"),)
    assert reading.study.problems == ()
    listed = {**study(), "Metadata": {"FhirIdentifiers": KEPT, "LastUpdate": "20240101T110000"}}
    for moved_at in ("20240101T110000", ""):
        seen = look({**listed, "LastUpdate": moved_at})
        assert (seen == reading.sighting) is (system is EXTENDED)
    assert look(study()) != look(listed)


def test_a_listing_asks_for_metadata_where_it_can_have_them() -> None:
    for system, content in ((EXTENDED, "MainDicomTags;Metadata;Children;IsStable"), (OLD, None)):
        with HttpFake(NOW, system, Answer(200, [study()]), Answer(200, [])) as http:
            assert [one.id for one in orthanc(http.url).listing()] == [ID]
        assert all((f"response-content={content}" in one.path) is bool(content) for one in http.asked[2:])


LISTED_KEPT: dict[str, tuple[dict[str, str], bool]] = {  # all metadata of a study -> whether it is asked for by number
    "by number": ({"7": "20240101T110000", "5290": KEPT}, False),
    "by number, nothing kept": ({"7": "20240101T110000", "1024": "x"}, False),
    "by name": ({"LastUpdate": "20240101T110000", "FhirIdentifiers": KEPT}, False),
    "by name, which nobody gave it": ({"LastUpdate": "20240101T110000", "5290": KEPT}, False),
    "by another name": ({"LastUpdate": "20240101T110000", "OurIdentifiers": KEPT}, True),
    "by another name, beside what nobody named": (
        {"LastUpdate": "20240101T110000", "1024": "x", "OurIdentifiers": KEPT},
        True,
    ),
    "by name, nothing kept": ({"LastUpdate": "20240101T110000", "ModifiedFrom": "x"}, False),
}


@pytest.mark.parametrize(("told", "asked"), LISTED_KEPT.values(), ids=LISTED_KEPT)
def test_what_is_kept_is_found_by_whatever_name(told: dict[str, str], asked: bool) -> None:
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, METADATA, Answer(200, told)]
    with HttpFake(*answers, *([Answer(200, KEPT.encode())] if asked else [])) as http:
        reading = orthanc(http.url).read(UID, [])
    assert http.asked[-1].path.endswith("/metadata/5290") is asked
    assert bool(reading.study.identifiers) is (KEPT in told.values())
    assert reading.sighting == look(study()), "it stayed as it was"


def test_metadata_of_somebody_else_that_are_too_large_are_not_asked_for() -> None:
    large = Answer(200, {"7": "20240101T110000", "1111": "x" * (1 << 20)})
    behind = [large, COUNT, Answer(200, b"20240101T110000"), Answer(200, KEPT.encode())]
    with HttpFake(HIT, Answer(200, study()), SYSTEM, NOW, SERIES, METADATA, *behind) as http:
        reading = orthanc(http.url).read(UID, [])
    assert reading.study.identifiers
    assert [asked.path for asked in http.asked[-2:]] == [
        f"/studies/{ID}/metadata/LastUpdate",
        f"/studies/{ID}/metadata/5290",
    ]


STRANGE = {
    "no JSON": "SECRET",
    "no list": '{"system":"urn:a","value":"b"}',
    "another shape": '["urn:a","b"]',
    "an element more": '[{"system":"urn:a","value":"b","use":"usual"}]',
    "no system": '[{"system":"","value":"b"}]',
    "a system that is none": '[{"system":"SECRET","value":"b"}]',
    "an empty value": '[{"system":"urn:a","value":" "}]',
    "controls": '[{"system":"urn:a","value":"b\\u0007"}]',
    "too long": '[{"system":"urn:a","value":"' + "x" * 2000 + '"}]',
    "too many": "[" + ",".join(['{"system":"urn:a","value":"b"}'] * 65) + "]",
    "bytes that were no text": "\ufffd\ufffd",
}


@pytest.mark.parametrize("kept", STRANGE.values(), ids=STRANGE)
def test_what_is_kept_and_is_no_identifier_is_a_problem_of_the_study_and_no_more(kept: str) -> None:
    answers = [HIT, Answer(200, study()), EXTENDED, NOW, SERIES, METADATA, looked(study(), FhirIdentifiers=kept)]
    with HttpFake(*answers) as http:
        found = orthanc(http.url).read(UID, []).study
    assert found.identifiers == ()
    assert [one.element for one in found.problems] == ["ImagingStudy.identifier"]
    assert "SECRET" not in str(found.problems[0])


def test_time_that_passes_is_no_change() -> None:
    """A state that was young and grew older is the same state; it keeps the young mark, to be read again."""
    young = study("20240101T115959")
    once = [HIT, Answer(200, young), NOW, SERIES, METADATA, looked(young)]
    with HttpFake(*once[:2], SYSTEM, *once[2:], *once) as http:
        source = orthanc(http.url)
        for _ in range(2):
            reading = source.read(UID, [])
            assert reading.sighting.fingerprint.endswith("/young"), "the time is asked again of what is young"


# LastUpdate, after an answer that it is 12:00:00: whether the time is asked again
AGES = {"20240101T115859": False, "20240101T115900": True, "20240101T115959": True, "20240101T130000": True, "": True}


@pytest.mark.parametrize(("last_update", "asked"), AGES.items())
def test_the_time_is_asked_again_of_what_is_not_old_by_far(last_update: str, asked: bool) -> None:
    old = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, METADATA, looked(study())]
    one = Answer(200, study(last_update))
    with HttpFake(*old, HIT, one, *([NOW] if asked else []), SERIES, METADATA, looked(one.body)) as http:
        source = orthanc(http.url)
        source.read(UID, [])
        assert source.read(UID, []).sighting == look(study(last_update))


def test_deletions_that_move_no_date_are_seen_by_the_number_of_instances() -> None:
    """Orthanc 1.10.1: both numbers, and the series themselves, are those that it lists."""
    older, one = Answer(200, {"Version": "1.10.1"}), study(Series=[SERIES.body[0]["ID"]])
    answers = [HIT, Answer(200, one), older, NOW, SERIES, METADATA, looked(one)]
    with HttpFake(*answers, SERIES) as http:
        assert orthanc(http.url).read(UID, []).sighting == look(one, instances=1)
    fewer, another = one_series(f"{UID}.1", 0), one_series(f"{UID}.2", 1, 2)
    for after in (Answer(200, [fewer]), Answer(200, [another]), Answer(200, []), MISSING):
        assert type(fails(lambda source: source.read(UID, []), *answers, after)) is SourceChanged


@pytest.mark.parametrize("after", [MISSING, looked(study("20240101T113000"))], ids=["it went", "it moved"])
def test_a_study_that_changed_while_it_was_read(after: Answer) -> None:
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, METADATA, after]
    error = fails(lambda source: source.read(UID, []), *answers)
    assert type(error) is SourceChanged


DICOMWEB = Answer(200, {"ID": "dicom-web", "Version": "1.20"})
CACHE = f"/series/{SERIES.body[0]['ID']}/attachments/4301"
MOVED: dict[str, tuple[str, str | None, bool]] = {  # LastUpdate of a series, since which state -> is it made anew?
    "an hour ago, new to us": ("20240101T110000", None, False),
    "a minute ago, new to us": ("20240101T115900", None, False),
    "59 seconds ago, new to us": ("20240101T115901", None, False),
    "58 seconds ago, new to us": ("20240101T115902", None, True),
    "in the future, new to us: its clock was set back": ("20240101T130000", None, True),
    "before": ("20240101T110000", "20240101T110001", False),
    "in this very state": ("20240101T110000", "20240101T110000", False),
    "in this very state, with all that tells states": ("20240101T110000", "20240101T110000/3/abc", False),
    "in this very second, behind which another change may hide": ("20240101T110000", "20240101T110000/young", True),
    "after": ("20240101T110001", "20240101T110000", True),
    "the study moved before: its clock was set back": ("20240101T110000", "20240101T120001", True),
    "everything is asked for": ("20240101T110000", "", True),
    "nobody knows when": ("", "20240101T110000", False),
    "nobody knows when, everything is asked for": ("", "", True),
}


@pytest.mark.parametrize(("moved", "since", "anew"), MOVED.values(), ids=MOVED)
def test_what_dicomweb_keeps_of_a_series_that_moved_is_not_asked_for(moved: str, since: str | None, anew: bool) -> None:
    one, series = study("20240101T115959"), Answer(200, [{**SERIES.body[0], "LastUpdate": moved}])
    deleted = [DICOMWEB, Answer(200, {})] if anew else []
    with HttpFake(HIT, Answer(200, one), SYSTEM, NOW, series, *deleted, METADATA, looked(one)) as http:
        source = orthanc(http.url)
        source.read(UID, []) if since is None else source.read_again(UID, [], since)
    before_metadata = next(i for i, one in enumerate(http.asked) if one.path.startswith("/dicom-web"))
    assert (http.asked[before_metadata - 1].path == CACHE) is anew
    assert (http.asked[before_metadata - 1].method == "DELETE") is anew


def of_series(one: dict[str, Any]) -> Answer:
    """Answer the series of a study, which moved with it."""
    return Answer(200, [{**SERIES.body[0], "LastUpdate": one["LastUpdate"]}])


REFUSALS = {"there is none": MISSING, **{str(status): Answer(status, {}) for status in (401, 403, 405, 409, 501)}}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_where_it_may_not_be_made_anew_it_is_read_as_it_is_kept_which_is_said_once(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    one = study("20240101T115959")
    read = [HIT, Answer(200, one), of_series(one), answer, METADATA, looked(one)]
    with HttpFake(*read[:2], SYSTEM, NOW, read[2], DICOMWEB, *read[3:], *read[:2], NOW, *read[2:]) as http:
        source = orthanc(http.url)
        for _ in range(2):
            assert source.read(UID, []).study.instances == 1
    said = capsys.readouterr()
    assert (said.out + said.err).count("kept metadata") == (0 if answer is MISSING else 1)


FAILURES: dict[int, type[MapperError]] = {408: SourceBusy, 429: SourceBusy, 500: SourceBusy, 502: SourceDown}


@pytest.mark.parametrize(("status", "kind"), FAILURES.items())
@pytest.mark.parametrize("at", [0, 1], ids=["the plugin", "the series"])
def test_what_fails_for_a_while_is_tried_again_and_not_taken_for_a_refusal(
    status: int, kind: type[MapperError], at: int
) -> None:
    one = study("20240101T115959")
    asked = [HIT, Answer(200, one), SYSTEM, NOW, of_series(one), *[DICOMWEB][:at], Answer(status, {})]
    assert type(fails(lambda source: source.read(UID, []), *asked)) is kind


@pytest.mark.parametrize("status", [401, 403, 405])
def test_who_may_not_look_at_plugins_makes_it_anew_all_the_same(status: int) -> None:
    one = study("20240101T115959")
    plugin = Answer(status, {})
    asked = [HIT, Answer(200, one), SYSTEM, NOW, of_series(one), plugin, Answer(200, {}), METADATA, looked(one)]
    with HttpFake(*asked) as http:
        orthanc(http.url).read(UID, [])
    assert CACHE in [asked.path for asked in http.asked]


AGAIN: dict[str, tuple[str, str, int, int]] = {  # LastUpdate, time, status -> how often it is made anew, read twice
    "old": ("20240101T115957", "20240101T120000", 200, 1),
    "nothing was kept": ("20240101T115957", "20240101T120000", 404, 1),
    "young": ("20240101T115959", "20240101T120000", 200, 2),
    "young, then old": ("20240101T115959", "20240101T120005", 200, 2),
    "not allowed at first, perhaps": ("20240101T115957", "20240101T120000", 403, 2),
}


@pytest.mark.parametrize(("moved_at", "later", "status", "times"), AGAIN.values(), ids=AGAIN)
def test_one_state_of_a_series_is_made_anew_once_in_a_while(moved_at: str, later: str, status: int, times: int) -> None:
    """Whoever could not wait for the answer finds it made then; behind a young state another one may hide."""
    one, deleted = study(moved_at), MISSING if status == 404 else Answer(status, {})
    read, end = [HIT, Answer(200, one), SYSTEM, NOW, of_series(one), DICOMWEB, deleted], [METADATA, looked(one)]
    again = [HIT, Answer(200, one), Answer(200, later.encode()), of_series(one), *[deleted][: times - 1]]
    with HttpFake(*read, *end, *again, *end) as http:
        source = orthanc(http.url)
        for _ in range(2):
            source.read_again(UID, [], "")
    assert [asked.path for asked in http.asked].count(CACHE) == times


def test_a_series_that_moved_after_its_study_was_looked_at_is_not_settled() -> None:
    one, series = study("20240101T115900"), Answer(200, [{**SERIES.body[0], "LastUpdate": "20240101T115959"}])
    read, end = [HIT, Answer(200, one), SYSTEM, NOW, series, DICOMWEB, Answer(200, {})], [METADATA, looked(one)]
    with HttpFake(*read, *end, HIT, Answer(200, one), NOW, series, Answer(200, {}), *end) as http:
        source = orthanc(http.url)
        for _ in range(2):
            source.read_again(UID, [], "")
    assert [asked.path for asked in http.asked].count(CACHE) == 2


KEEPERS = {"1.7": False, "1.14": False, "1.15": True, "1.20": True, "mainline": True}


@pytest.mark.parametrize(("version", "keeps"), KEEPERS.items())
def test_a_plugin_that_keeps_nothing_is_not_asked_to_make_it_anew(version: str, keeps: bool) -> None:
    one = study("20240101T115959")
    plugin = [Answer(200, {"Version": version}), *([Answer(200, {})] if keeps else [])]
    with HttpFake(HIT, Answer(200, one), SYSTEM, NOW, of_series(one), *plugin, METADATA, looked(one)) as http:
        orthanc(http.url).read(UID, [])
    assert (CACHE in [asked.path for asked in http.asked]) is keeps


def test_a_series_that_dicomweb_does_not_have_proves_nothing() -> None:
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, MISSING, Answer(200, [])]
    assert type(fails(lambda source: source.read(UID, []), *answers)) is SourceChanged


def test_without_any_dicomweb_nothing_can_be_read_and_the_probe_says_so() -> None:
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, MISSING, MISSING]
    down = fails(lambda source: source.read(UID, []), *answers)
    assert type(down) is SourceDown
    for word in ("/dicom-web", "DicomWeb.Enable", "dicomweb_root"):
        assert word in str(down)
    assert type(fails(lambda source: source.probe(), COUNT, MISSING)) is SourceDown
    with HttpFake(COUNT, Answer(200, [])) as http:
        orthanc(http.url, root="/rs").probe()
    assert http.asked[1].path == "/rs/studies?limit=1"


BARE = [{tag: value for tag, value in one.items() if tag != tag_of("SOPClassUID")} for one in METADATA.body]
INSTANCE_HIT = Answer(200, [{"ID": ID, "Type": "Instance"}])


def test_metadata_that_leave_attributes_out_are_no_study() -> None:
    """SeriesMetadata MainDicomTags or Extrapolate: what Orthanc itself has, its DICOMweb does not tell."""
    begins = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, Answer(200, BARE), looked(study())]
    more = [INSTANCE_HIT, Answer(200, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "PatientName": SECRET})]
    down = fails(lambda source: source.read(UID, []), *begins, *more)
    assert type(down) is SourceDown
    assert "SeriesMetadata" in str(down)
    with HttpFake(*begins, INSTANCE_HIT, Answer(200, {"PatientName": SECRET})) as http:
        assert orthanc(http.url).read(UID, []).study.instances == 1, "a file that has none itself"
    again = [one for one in (*begins, *more) if one is not SYSTEM and one is not NOW]
    with HttpFake(*begins, *more, COUNT, Answer(200, []), *again, COUNT, Answer(200, []), Answer(200, [])) as http:
        source = orthanc(http.url)
        with pytest.raises(SourceDown):
            source.read(UID, [])
        with pytest.raises(SourceDown):
            source.probe()  # it asks again for what showed the fault
        source.probe()  # and goes on when that is there no more


@pytest.mark.parametrize(
    ("answers", "known"),
    [
        ([Answer(200, [])], []),
        ([Answer(200, []), MISSING], [ID]),
        ([Answer(200, []), Answer(404), COUNT], [ID]),
        ([Answer(200, [{"ID": ID, "Type": "Patient"}])], []),
    ],
    ids=["no hit", "no hit and no known id", "no known id, without a word", "a hit that is no study"],
)
def test_gone_is_what_orthanc_itself_says(answers: list[Answer], known: list[str]) -> None:
    said = f"study {UID} is no longer in Orthanc" if known else f"Orthanc has no study {UID}"
    with HttpFake(*answers) as http, pytest.raises(StudyGone, match=f"^{said}$"):
        orthanc(http.url).read(UID, known)


def test_an_outage_is_never_taken_for_gone() -> None:
    for answer in (Answer(503), Answer(401), Answer(500)):
        assert not isinstance(fails(lambda source: source.read(UID, [ID]), answer), StudyGone)


STRANGERS: dict[str, Any] = {  # what says 404 and is no Orthanc
    "nothing": b"",
    "text": b"404 page not found\n",
    "HTML": b"<html><body><h1>404 Not Found</h1></body></html>",
    "JSON of a gateway": {"message": "no Route matched with those values", "status": 404},
    "JSON in words like Orthanc's": {"HttpError": "Not Found", "HttpStatus": 404},
    "another status than it says": {"HttpStatus": 503, "OrthancStatus": 17},
    "a list": [],
    "a success": [{"ID": ID, "Type": "Study"}],
    "deep": b'{"HttpStatus":404,"OrthancStatus":17,"x":' + b"[" * 1000 + b"]" * 1000 + b"}",
}
QUESTIONS: dict[str, tuple[Callable[[Orthanc], object], list[Answer]]] = {  # and what is answered before
    "a study": (lambda source: source.read(UID, [ID]), []),
    "a study by Orthanc's id": (lambda source: source.read(ID, [ID]), []),
    "a study that was seen": (lambda source: source.read(UID, [ID]), [Answer(200, [])]),
    "the study of a hit": (lambda source: source.read(UID, []), [Answer(200, [{"ID": ID, "Type": "Study"}])]),
    "whether it is held": (lambda source: source.holds(UID), []),
    "whether it is held by Orthanc's id": (lambda source: source.holds(ID), []),
    "all studies": (lambda source: list(source.listing()), []),
    "a page of all studies": (lambda source: list(source.listing()), [NOW, SYSTEM]),
    "the newest studies": (lambda source: source.feed.recent("20240101T110000"), []),
    "how many": (lambda source: source.count(), []),
    "what happened": (lambda source: source.feed.changes(7), []),
    "where to begin": (lambda source: source.feed.changes(None), []),
    "whether it is there": (lambda source: source.probe(), []),
    "what doctor asks": (lambda source: list(source.check()), []),
    "the plugins": (lambda source: list(source.check()), [SYSTEM]),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_404_of_what_stands_before_orthanc_is_an_outage_whatever_was_asked(name: str) -> None:
    ask, before = QUESTIONS[name]
    for body in STRANGERS.values():
        error = fails(ask, *before, Answer(404, body), Answer(404, body))
        assert type(error) is SourceDown, error
        assert "orthanc_url" in str(error)


NEEDED: dict[str, tuple[Callable[[Orthanc], object], list[Answer]]] = {  # what every Orthanc answers, and what before
    "the lookup": (lambda source: source.read(UID, [ID]), []),
    "the search": (lambda source: source.holds(UID), []),
    "a page of all studies": (lambda source: list(source.listing()), [NOW, SYSTEM]),
    "the time": (lambda source: list(source.listing()), []),
    "the changes": (lambda source: source.feed.changes(7), []),
    "the plugins": (lambda source: list(source.check()), [SYSTEM]),
}


@pytest.mark.parametrize("name", NEEDED)
def test_what_every_orthanc_answers_is_no_answer_when_it_is_404(name: str) -> None:
    """One address alone may be closed by a gateway."""
    ask, before = NEEDED[name]
    for missing in ([MISSING], [Answer(404, b"404 page not found\n"), COUNT]):
        assert type(fails(ask, *before, *missing)) is SourceDown


NO_TIMES = [b"", b"<html>SECRET^PATIENT</html>", b"soon", b"\xff", b"20241301T000000"]


@pytest.mark.parametrize("answer", NO_TIMES, ids=repr)
def test_a_time_that_is_none_parks_no_study(answer: bytes) -> None:
    reads = [HIT, Answer(200, study()), SYSTEM, Answer(200, answer)]
    assert type(fails(lambda source: source.read(UID, []), *reads, COUNT)) is SourceBusy
    assert type(fails(lambda source: source.read(UID, []), *reads, Answer(503))) is SourceDown


TWO_HITS = Answer(200, [{"ID": OTHER, "Type": "Study"}, {"ID": ID, "Type": "Study"}])


def test_two_hits_are_two_patients_and_named_by_orthancs_ids() -> None:
    looks = [Answer(200, study(ID=OTHER)), Answer(200, study())]
    answers = [TWO_HITS, *looks, NOW, looks[0], SYSTEM, looks[1]]
    with HttpFake(*answers) as http, pytest.raises(TwoPatients) as failed:
        orthanc(http.url).read(UID, [])
    assert ID in str(failed.value)
    assert OTHER in str(failed.value)
    assert failed.value.seen.keys() == {ID, OTHER}


def test_of_two_hits_the_one_counts_that_is_called_so_to_the_letter() -> None:
    """Orthanc's lookup takes a and A for the same, and leaves out blanks."""
    other = study(ID=OTHER, MainDicomTags={"StudyInstanceUID": UID + "A"})
    answers = [
        TWO_HITS,
        Answer(200, other),
        *[Answer(200, study())] * 2,
        SYSTEM,
        NOW,
        SERIES,
        METADATA,
        looked(study()),
    ]
    with HttpFake(*answers) as http:
        assert orthanc(http.url).read(UID, []).sighting.id == ID
    for hits in ([HIT], [TWO_HITS, Answer(200, other)]):
        answers = [*hits, Answer(200, other)]
        with HttpFake(*answers) as http, pytest.raises(StudyGone, match=UID):
            orthanc(http.url).read(UID, [])


# -- what a look tells ---------------------------------------------------------------------------

LOOKS: dict[str, tuple[dict[str, Any], int | None, str]] = {  # the study, instances -> fingerprint at noon
    "an Orthanc that dates deletions": (study(), None, "20240101T110000"),
    "young": (study("20240101T115959"), None, "20240101T115959/young"),
    "two seconds old": (study("20240101T115958"), None, "20240101T115958"),
    "of the future": (study("20240101T120500"), None, "20240101T120500/young"),
}


@pytest.mark.parametrize(("one", "instances", "fingerprint"), LOOKS.values(), ids=LOOKS)
def test_a_fingerprint(one: dict[str, Any], instances: int | None, fingerprint: str) -> None:
    assert look(one, instances=instances).fingerprint == fingerprint


def test_an_orthanc_that_does_not_date_deletions_is_counted() -> None:
    one = look(study(Series=[ID, OTHER]), instances=7)
    assert one == look(study(Series=[OTHER, ID]), instances=7), "in any order"
    assert one.fingerprint != look(study(Series=[ID, OTHER]), instances=6).fingerprint
    assert one.fingerprint != look(study(Series=[ID, ID]), instances=7).fingerprint


def test_states_are_told_apart_by_content_alone() -> None:
    first = look(study("20240101T115959"))
    assert state_of(first) == state_of(look(study("20240101T115959", IsStable=False), "20240101T120100"))
    assert state_of(first) != state_of(look(study("20240101T115958")))


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.10.1", (1, 10, 1)),
        ("1.12.7", (1, 12, 7)),
        ("1.12.10", (1, 12, 10)),
        ("1.7", (1, 7, 0)),
        ("mainline", (999, 0, 0)),
    ],
)
def test_a_version(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


# -- all studies and what happened to them -------------------------------------------------------


def test_the_listing_comes_in_pages() -> None:
    first = [{**study(), "ID": f"{number:08x}" + ID[8:]} for number in range(500)]
    answers = [NOW, SYSTEM, Answer(200, first), Answer(200, [study()]), Answer(200, [])]
    with HttpFake(*answers) as http:
        assert len(list(orthanc(http.url).listing())) == 501
    pages = [asked.path for asked in http.asked if asked.path.startswith("/studies")]
    assert ["since=0" in pages[0], "since=500" in pages[1], "since=501" in pages[2]] == [True] * 3


class Series:
    """An Orthanc 1.10.1 that holds series of so many instances, and remembers which pages it was asked for."""

    def __init__(self, *instances: int) -> None:
        self.held = [one_series(f"{UID}.{number}", many, number) for number, many in enumerate(instances, 1)]
        self.pages: list[tuple[int, int]] = []

    def __call__(self, path: str) -> Answer:
        place, _, query = path.partition("?")
        asked = {name: int(value) for name, value in re.findall(r"(since|limit)=(\d+)", query)}
        if place == "/studies":
            return Answer(200, [study(Series=[one["ID"] for one in self.held])][asked["since"] :])
        if place == "/series":
            since, limit = asked["since"], asked["limit"]
            self.pages.append((since, limit))
            return Answer(200, self.held[since : since + limit])
        return {"/tools/now": NOW, "/system": Answer(200, {"Version": "1.10.1"}), "/statistics": COUNT}[place]


FITS = 20_000
"""Instances of a series of which a page is just within 1 MB."""
LONG: dict[str, tuple[list[int], bool]] = {  # instances of each series -> whether all of them can be listed
    "short ones": ([10] * 3, True),
    "none": ([], True),
    "many long ones": ([5_000] * 40, True),
    "one that is as long as an answer may be": ([10, FITS, 10], True),
    "all of them that long": ([FITS] * 3, True),
    "longer than any answer": ([10, 30_000, 10], False),
}


@pytest.mark.parametrize(("instances", "listed"), LONG.values(), ids=LONG)
def test_of_series_that_are_long_fewer_are_asked_for_at_once(instances: list[int], listed: bool) -> None:
    held = Series(*instances)
    with HttpFake(answering=held) as http:
        settings = load(Settings, orthanc_url=http.url, fhir_url=http.url, orthanc_limit=1)
        source = orthanc_of(settings.all_sources[0], settings)
        if not listed:
            with pytest.raises(AnswerTooLarge, match=r"GET /series .*orthanc_limit"):
                list(source.listing())
            assert held.pages[-1] == (1, 1)
            return
        (found,) = source.listing()
    assert found.fingerprint.split("/")[1] == str(sum(instances))
    limits = [limit for _, limit in held.pages]
    assert limits == sorted(limits, reverse=True)
    assert len(limits) < 10 + 2 * len(instances)


def test_changes_are_followed_from_a_cursor() -> None:
    log = [
        {"ID": ID, "ChangeType": "StableStudy", "Seq": 8},
        {"ID": OTHER, "ChangeType": "NewStudy", "Seq": 9},
        {"ID": ID, "ChangeType": "StableStudy", "Seq": 10},
    ]
    with HttpFake(Answer(200, {"Changes": log, "Last": 10, "Done": False}), Answer(200, study())) as http:
        found = orthanc(http.url).feed.changes(7)
    assert (found.study_uids, found.cursor, found.more, found.sweep) == ((UID,), 10, True, False)
    assert "since=7" in http.asked[0].path


def test_a_log_that_ends_before_the_cursor_asks_for_a_sweep() -> None:
    with HttpFake(Answer(200, {"Changes": [], "Last": 5, "Done": True})) as http:
        found = orthanc(http.url).feed.changes(1000)
    assert (found.study_uids, found.cursor, found.sweep) == ((), 5, True)


def test_a_changed_study_that_is_gone_is_left_to_the_sweep() -> None:
    log = [{"ID": ID, "ChangeType": "StableStudy", "Seq": 8}]
    with HttpFake(Answer(200, {"Changes": log, "Last": 8, "Done": True}), MISSING) as http:
        assert orthanc(http.url).feed.changes(7).study_uids == ()


def test_a_log_that_says_it_is_not_done_and_does_not_move_is_not_followed_for_ever() -> None:
    with HttpFake(Answer(200, {"Changes": [], "Last": 7, "Done": False})) as http:
        assert not orthanc(http.url).feed.changes(7).more


PLUGINS = Answer(200, ["dicom-web", "python"])
NONE: Answer = Answer(200, [])
ONE_SERIES = Answer(200, {"MainDicomTags": {"SeriesInstanceUID": f"{UID}.1"}, "Instances": [ID]})
SETS = Answer(200, [{"00080016": {}, "00080018": {}, "00100010": {}}])
TAGS = Answer(
    200, {"0008,0016": {}, "0008,0018": {}, "0010,0010": {}, "0009,0010": {}, "7fe0,0010": {}, "0008,0000": {}}
)
MORE_TAGS = Answer(200, {**TAGS.body, "0008,1030": {}, "0040,0275": {}})
TOLD = Answer(200, {"state": "synced", "message": "fine"})
ANY_CLASS, KNOWN_CLASSES = Answer(200, b"1"), Answer(200, b"0")
HELD = Answer(200, [study(Series=[ID])])
CHECKUPS: dict[str, tuple[list[Answer], list[tuple[str, str]]]] = {
    "nothing stored yet": ([PLUGINS, NONE, NONE], []),
    "no Python plugin": ([Answer(200, ["dicom-web"]), NONE, NONE], [("limit", "no Python plugin")]),
    "no plugin at all": ([NONE, NONE], [("problem", "no DICOMweb plugin"), ("limit", "no Python plugin")]),
    "all is well": ([PLUGINS, HELD, NONE, NONE, ONE_SERIES, SETS, TAGS, TOLD], [("ok", "reaches the mapper")]),
    "attributes left out": (
        [PLUGINS, HELD, NONE, NONE, ONE_SERIES, SETS, MORE_TAGS, TOLD],
        [("problem", "leaves out 2 of 5"), ("ok", "reaches the mapper")],
    ),
    "our plugin not loaded": (
        [PLUGINS, HELD, NONE, NONE, ONE_SERIES, SETS, TAGS, MISSING],
        [("limit", "our plugin does not run")],
    ),
    "our plugin without a mapper": (
        [PLUGINS, HELD, NONE, NONE, ONE_SERIES, SETS, TAGS, Answer(200, {"state": "unreachable", "message": "why"})],
        [("problem", "reaches no mapper: why")],
    ),
    "nothing gets stable": (
        [PLUGINS, Answer(200, [study(Series=[], IsStable=False)]), NONE, NONE, TOLD],
        [("limit", "StableAge"), ("ok", "reaches the mapper")],
    ),
}


@pytest.mark.parametrize(("answers", "found"), CHECKUPS.values(), ids=CHECKUPS)
def test_doctor_hears_what_is_wrong_with_an_orthanc(answers: list[Answer], found: list[tuple[str, str]]) -> None:
    with HttpFake(SYSTEM, *answers, ANY_CLASS) as http:
        first, *others = orthanc(http.url).check()
    assert (first.level, "1.12.7" in first.text) == ("ok", True)
    assert [one.level for one in others] == [level for level, _ in found]
    assert all(words in str(one) for one, (_, words) in zip(others, found, strict=True))
    assert all(one.remedy for one in others if one.level != "ok")


@pytest.mark.parametrize(
    ("version", "answer", "words"),
    [
        ("1.12.6", KNOWN_CLASSES, ["UnknownSopClassAccepted"]),
        ("1.12.7", KNOWN_CLASSES, []),
        ("1.12.6", ANY_CLASS, []),
        ("1.12.6", MISSING, []),
    ],
    ids=["only known ones", "a newer one", "any", "it does not say"],
)
def test_doctor_hears_which_sop_classes_orthanc_takes(version: str, answer: Answer, words: list[str]) -> None:
    system = Answer(200, {**SYSTEM.body, "Version": version})
    with HttpFake(system, PLUGINS, NONE, NONE, answer) as http:
        _, *others = orthanc(http.url).check()
    assert [one.level for one in others] == ["limit" for _ in words]
    assert all(word in one.remedy for one, word in zip(others, words, strict=True))


def test_doctor_hears_that_dicomweb_does_not_answer() -> None:
    error = fails(lambda source: list(source.check()), SYSTEM, PLUGINS, NONE, MISSING)
    assert type(error) is SourceDown
    assert "dicomweb_root" in str(error)


def test_no_answer_is_quoted() -> None:
    body = json.dumps({"Message": SECRET, "Details": SECRET}).encode()
    for status in STATUSES:
        fails(lambda source: source.count(), Answer(status, body), *([COUNT] if status == 404 else []))


# -- UIDs and ids that would lead elsewhere ------------------------------------------------------

HOSTILE = [
    "../../../../instances?expand&x=",
    "../../../../studies/x/archive?1",
    "..",
    ".",
    "...",
    "1/2",
    "1/../2",
    "1\\2",
    "1%2f2",
    "%2e%2e",
    "1?x=1",
    "1#x",
    "1;x",
    "1&x",
    "1 2",
    "1\n2",
    "1\r\nHost: x",
    "1\x002",
    "1'2",
    '1"2',
    "<1>",
    "1.2.\u0663",
    "\uff11.2",
    "SECRET",
    "1" * 65,
    "-",
    "",
    None,
]


def asked_for(http: HttpFake) -> set[str]:
    """Return the paths that reached the server."""
    return {asked.path.partition("?")[0] for asked in http.asked}


@pytest.mark.parametrize("uid", HOSTILE, ids=ascii)
def test_a_series_whose_uid_no_url_can_hold_is_counted_and_not_asked_for(uid: str | None) -> None:
    series = Answer(200, [one_series(uid, 3, 1), one_series(f"{UID}.1", 1, 2), one_series(uid, 4, 3)])
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, series, METADATA, looked(study())]
    with HttpFake(*answers) as http:
        found = orthanc(http.url).read(UID, []).study
    assert asked_for(http) == {
        "/tools/lookup",
        f"/studies/{ID}",
        "/system",
        "/tools/now",
        f"/studies/{ID}/series",
        f"/dicom-web/studies/{UID}/series/{UID}.1/metadata",
        f"/studies/{ID}/metadata",
    }
    assert [one.uid for one in found.series] == [f"{UID}.1"]
    assert (sorted(found.unlisted), found.instances) == ([3, 4], 8)
    assert UNASKABLE in found.problems


NAMELESS = [*HOSTILE, ID, OTHER]
"""The last two are UIDs that look like ids of Orthanc's: of this study, and of another one."""


@pytest.mark.parametrize("uid", NAMELESS, ids=ascii)
def test_a_study_whose_uid_no_url_can_hold_is_known_by_orthancs_id_and_parked(uid: str | None) -> None:
    one = study(MainDicomTags={} if uid is None else {"StudyInstanceUID": uid})
    with HttpFake(NOW, SYSTEM, Answer(200, [one]), Answer(200, [])) as http:
        (seen,) = orthanc(http.url).listing()
    assert (seen.id, seen.study_uid) == (ID, ID)
    log = {"Changes": [{"ID": ID, "ChangeType": "StableStudy", "Seq": 8}], "Last": 8, "Done": True}
    with HttpFake(Answer(200, log), Answer(200, one)) as http:
        assert orthanc(http.url).feed.changes(7).study_uids == (ID,)
    with HttpFake(Answer(200, one)) as http, pytest.raises(BadUID, match="correct it in Orthanc") as failed:
        orthanc(http.url).read(ID, [ID])
    assert asked_for(http) == {f"/studies/{ID}"}
    assert ID in str(failed.value)
    assert failed.value.fate == "park"
    assert uid is None or len(uid) < 2 or uid == ID or uid not in str(failed.value)


def test_a_study_that_was_known_by_orthancs_id_and_went_is_gone() -> None:
    with HttpFake(MISSING) as http, pytest.raises(StudyGone, match=ID):
        orthanc(http.url).read(ID, [ID])


def test_a_study_that_has_a_uid_is_not_known_by_orthancs_id() -> None:
    with HttpFake(Answer(200, study())) as http, pytest.raises(StudyGone):
        orthanc(http.url).read(ID, [])


HOLDS: dict[str, tuple[str, Any, bool]] = {  # the name that is asked for, Orthanc's answer, whether it is held
    "nothing": (UID, [], False),
    "the study": (UID, [study()], True),
    "the study under two patients": (UID, [study(), study(ID=OTHER)], True),
    "another study": (UID, [study(MainDicomTags={"StudyInstanceUID": f"{UID}.1"})], False),
    "letters of another case": (f"{UID}.a", [study(MainDicomTags={"StudyInstanceUID": f"{UID}.A"})], False),
    "a study without a UID": (UID, [study(MainDicomTags={})], False),
    "by Orthanc's id, one without a UID": (ID, study(MainDicomTags={}), True),
    "by Orthanc's id, one whose UID no URL can hold": (ID, study(MainDicomTags={"StudyInstanceUID": "../x"}), True),
    "by Orthanc's id, one that has a UID": (ID, study(), False),
}


@pytest.mark.parametrize(("name", "answer", "held"), HOLDS.values(), ids=HOLDS)
def test_a_study_is_held_by_the_name_that_it_is_known_by(name: str, answer: Any, held: bool) -> None:
    with HttpFake(Answer(200, answer)) as http:
        assert orthanc(http.url).holds(name) is held
    (asked,) = http.asked
    assert asked.path == (f"/studies/{ID}" if name == ID else "/tools/find")


@pytest.mark.parametrize("uid", HOSTILE[:-1], ids=ascii)
def test_what_is_no_uid_is_held_by_nobody_and_not_asked_for(uid: str) -> None:
    with HttpFake() as http:
        assert not orthanc(http.url).holds(uid)


@pytest.mark.parametrize("uid", HOSTILE[:-1], ids=ascii)
def test_what_is_no_uid_is_not_even_looked_up(uid: str) -> None:
    """A ledger of an earlier version may know a study by such a name."""
    with HttpFake() as http, pytest.raises(StudyGone) as failed:
        orthanc(http.url).read(uid, [ID, uid])
    assert len(uid) < 2 or uid not in str(failed.value)


BAD_IDS = ["../../x", "", "..", UID, ID.upper(), ID + "0", ID[:-1], f"{ID}\n", f"x{ID}", ID.replace("-", "/"), 7, None]


@pytest.mark.parametrize("id", BAD_IDS, ids=ascii)
def test_an_id_that_is_none_of_orthancs_is_not_used(id: Any) -> None:
    lines = [{"ID": id, "ChangeType": "StableStudy", "Seq": 8}]
    asks: list[tuple[Callable[[Orthanc], object], list[Answer]]] = [
        (lambda source: source.read(UID, []), [Answer(200, [{"ID": id, "Type": "Study"}])]),
        (lambda source: source.read(UID, []), [HIT, Answer(200, study(ID=id))]),
        (lambda source: list(source.listing()), [NOW, SYSTEM, Answer(200, [study(ID=id)])]),
        (lambda source: source.feed.changes(7), [Answer(200, {"Changes": lines, "Last": 8, "Done": True})]),
    ]
    for ask, answers in asks:
        with HttpFake(*answers, COUNT) as http, pytest.raises(SourceBusy):
            ask(orthanc(http.url))
        assert asked_for(http) <= {
            "/tools/lookup",
            f"/studies/{ID}",
            "/tools/now",
            "/system",
            "/studies",
            "/changes",
            "/statistics",
        }


@pytest.mark.parametrize("known", ["../../x", "P1/1.2", UID, ""], ids=ascii)
def test_a_known_id_that_is_none_of_orthancs_is_not_asked_for(known: str) -> None:
    with HttpFake(Answer(200, [])) as http, pytest.raises(StudyGone):
        orthanc(http.url).read(UID, [known])


# -- the metadata of a series --------------------------------------------------------------------


def metadata_of(answer: Answer, *after: Answer, **given: Any) -> MapperError:
    """Read a study whose one series has this metadata, and return how that failed."""
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, answer, *after]
    return fails(lambda source: source.read(UID, []), *answers, **given)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>SECRET^PATIENT</html>", b"{}", b"[1]", b"[{}", b"[" * 100_000, b"\xff"],
    ids=lambda one: repr(one[:20]),
)
def test_metadata_that_are_none(body: bytes) -> None:
    assert type(metadata_of(Answer(200, body))) is BadMetadata


MANY = b"[{}" + (b',{"a":"' + b"x" * 1000 + b'"}') * 3000 + b"]"
LARGE_METADATA: dict[str, Answer] = {
    "zeros behind a data set": Answer(200, b"[{}," + b'{"a":"' + bytes(3 << 20)),
    "many data sets": Answer(200, MANY),
    "packed": Answer(200, gzip.compress(MANY), {"Content-Encoding": "gzip"}),
    "that stop": Answer(200, b"[{}", cut=True),
    "that do not come": Answer(200, wait=10.0),
}


@pytest.mark.parametrize("answer", LARGE_METADATA.values(), ids=LARGE_METADATA)
def test_metadata_beyond_their_bound_are_tried_again(answer: Answer) -> None:
    bound = Bound(2, 0.5 if answer.wait else 30.0)
    busy = metadata_of(answer, COUNT, metadata=bound)
    assert isinstance(busy, SourceBusy)
    assert "GET /dicom-web/studies/{study}/series/{series}/metadata" in str(busy)
    assert type(metadata_of(answer, Answer(503), metadata=bound)) is SourceDown


def test_metadata_may_be_larger_and_slower_than_other_answers() -> None:
    body = METADATA.body[0] | {"00321033": {"vr": "LO", "Value": ["x" * (1 << 20)]}}
    slow = Answer(200, [body], wait=0.6)
    answers = [HIT, Answer(200, study()), SYSTEM, NOW, SERIES, slow, looked(study())]
    with HttpFake(*answers) as http:
        found = orthanc(http.url, answer=Bound(1, 0.5), metadata=Bound(2, 30.0)).read(UID, [])
    assert found.study.instances == 1


def test_the_settings_say_what_answers_may_cost() -> None:
    large = Answer(200, b" " * (1 << 20) + b'{"CountStudies":3}')
    small = {"orthanc_limit": 1, "fhir_limit": 1, "metadata_limit": 1}
    with HttpFake(large, COUNT, large, COUNT, Answer(200, wait=10.0), COUNT) as http:
        settings = load(Settings, orthanc_url=http.url, fhir_url=http.url, **small)
        with pytest.raises(AnswerTooLarge, match=r"1 MB \(orthanc_limit\)"):
            orthanc_of(settings.all_sources[0], settings).count()
        with pytest.raises(SinkBusy, match=r"1 MB \(fhir_limit\)"):
            fhir_server_of(settings).probe()
        http.answers.pop(0)
        settings = load(Settings, orthanc_url=http.url, timeout=0.2)
        with pytest.raises(SourceBusy, match="in time"):
            orthanc_of(settings.all_sources[0], settings).count()
    metadata = Answer(200, b'[{"a":"' + b"x" * (1 << 20) + b'"}]')
    with HttpFake(HIT, Answer(200, study()), SYSTEM, NOW, SERIES, metadata, COUNT) as http:
        settings = load(Settings, orthanc_url=http.url, **small)
        with pytest.raises(AnswerTooLarge, match=r"1 MB \(metadata_limit\)"):
            orthanc_of(settings.all_sources[0], settings).read(UID, [])
    with HttpFake(HIT, Answer(200, study()), SYSTEM, NOW, SERIES, Answer(200, wait=10.0), COUNT) as http:
        settings = load(Settings, orthanc_url=http.url, metadata_timeout=0.2)
        with pytest.raises(SourceBusy, match="in time"):
            orthanc_of(settings.all_sources[0], settings).read(UID, [])


def test_a_ca_that_cannot_be_read_is_a_wrong_setting() -> None:
    for path in ("/no/such/file", "/", __file__):
        with pytest.raises(SettingError, match="orthanc_ca"):
            orthanc("https://127.0.0.1:1", ca=path)
