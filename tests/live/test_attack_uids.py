"""Attacks by UIDs: files whose UIDs would lead a URL elsewhere, through a real Orthanc, the mapper and a FHIR server.

Orthanc takes any text for a UID. Between it and the mapper stands a proxy that writes down what is asked for.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mapper.dicom.reader import Reader
from mapper.errors import BadUID, StudyGone
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.sources.orthanc.source import Orthanc as Source
from samples.dataset import part10
from stack import FhirServer, Orthanc, OrthancInFolder
from stack.orthanc_in_folder import INSIDE
from tests.convergence.proxy import Proxy
from tests.support.stack import Stack, until
from tests.support.study import Sample, new_uid, study

ID = r"[0-9a-f]{8}(-[0-9a-f]{8}){4}"
UID = r"[0-9.]{1,64}"
ASKED = re.compile(
    rf"/statistics|/system|/plugins/dicom-web|/changes|/series(/{ID}/attachments/4301)?|/studies|/tools/(now|find|lookup)|/studies/{ID}(/series|/statistics|/metadata(/5290)?)?"
    rf"|/dicom-web/studies(/{UID}/series/{UID}/metadata)?"
)
"""All that the mapper has to ask of an Orthanc."""
HOSTILE = [
    "../../../../instances?expand&x=",
    "../../../../instances",
    "../../../../../tools/execute-script",
    "..",
    ".",
    "1/2",
    "1/../../2",
    "%2e%2e%2f%2e%2e",
    "1?x=1",
    "1#x",
    "1;2",
    "1&2",
    "1\\2",
    "1'2",
    '1"2',
    "<script>1</script>",
    "${1}",
    "nameless",
    "-",
    "1.2.\u0663",
    "1\u202e2",
    "1" * 65,
    "1." * 100 + "1",
]
LIKE_AN_ID = "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d"
"""A UID of the shape that Orthanc's own ids have."""


def renamed(file: bytes, old: str, new: str) -> bytes:
    """Return a DICOM file with another text where one UID stands in its data set (PS3.5 section 7.1.2)."""

    def element(tag: bytes, value: bytes) -> bytes:
        padded = value + b"\0" * (len(value) % 2)
        return tag + b"UI" + len(padded).to_bytes(2, "little") + padded

    for tag in (b"\x20\x00\x0d\x00", b"\x20\x00\x0e\x00"):  # StudyInstanceUID, SeriesInstanceUID
        file = file.replace(element(tag, old.encode()), element(tag, new.encode()))
    assert new.encode() in file
    return file


@pytest.fixture(scope="module", params=["orthanc-debian", "orthanc-1.12.7"])
def attacked(
    request: pytest.FixtureRequest, run_folder: Path, fhir_server: FhirServer
) -> Iterator[tuple[Stack, list[str]]]:
    """Run a stack on each Orthanc, and write down which paths the mapper asks for."""
    kind = {"orthanc-debian": Orthanc, "orthanc-1.12.7": OrthancInFolder}[request.param]
    if kind is OrthancInFolder and not INSIDE.exists():
        pytest.skip("Orthanc 1.12.7 is not here: setup/orthanc-trixie.sh (as root) puts it there")
    asked: list[str] = []

    def note(path: str, content: bytes) -> bytes:
        asked.append(urlsplit(path).path)
        return content

    with ExitStack() as running:
        stack = Stack(run_folder / f"uids-{request.param}", fhir_server, kind)
        stack.orthanc.start()
        proxy = running.enter_context(Proxy(stack.orthanc.url))
        proxy.edit = note
        stack.mapper.settings["ORTHANC_FHIR_ORTHANC_URL"] = proxy.url
        running.enter_context(stack)
        yield stack, asked


def stored(stack: Stack, file: bytes) -> str:
    """Store a file, and return Orthanc's id of its study."""
    return str(stack.pacs("POST", "/instances", data=file).json()["ParentStudy"])


def only_what_it_has_to(asked: list[str]) -> bool:
    """Tell whether nothing was asked for that no study needs."""
    strange = sorted({path for path in asked if not ASKED.fullmatch(path)})
    assert not strange, strange
    return bool(asked)


def test_studies_whose_uid_no_url_can_hold_are_parked_by_orthancs_id_and_end_with_it(
    attacked: tuple[Stack, list[str]],
) -> None:
    stack, asked = attacked
    healthy = study()
    stack.upload(healthy)
    ids = {}
    for uid in [*HOSTILE, LIKE_AN_ID]:
        sample = study(1, 1)
        ids[stored(stack, renamed(part10(sample.datasets[0]), sample.uid, uid))] = uid
    assert len(ids) == len(HOSTILE) + 1
    assert not stack.pacs("GET", f"/studies/{next(iter(ids))}").json()["MainDicomTags"]["StudyInstanceUID"][0].isdigit()

    for orthanc_id, uid in ids.items():
        parked = stack.until_state(orthanc_id, "parked")
        assert orthanc_id in parked["message"]
        assert "correct it in Orthanc" in parked["message"]
        assert len(uid) < 3 or uid not in str(parked)
    stack.until_state(healthy.uid, "synced")
    assert stack.found(healthy.uid)[0]["numberOfInstances"] == 2
    assert only_what_it_has_to(asked)

    for orthanc_id in ids:
        stack.pacs("DELETE", f"/studies/{orthanc_id}")
    for orthanc_id in ids:
        stack.until_state(orthanc_id, "removed", seconds=90)
    stack.until_state(healthy.uid, "synced")


def test_series_whose_uid_no_url_can_hold_are_counted_not_listed_and_recorded(
    attacked: tuple[Stack, list[str]],
) -> None:
    stack, asked = attacked
    sample = study(1, 2)
    files = list(sample.files)
    for uid in HOSTILE:
        series = sample.add(len(sample.series) + 1)
        files += [
            renamed(part10(one), series.SeriesInstanceUID, uid) for one in (series, sample.add(len(sample.series)))
        ]
    stack.store(files, threads=4)

    found = stack.until_found(sample.uid, len(files), seconds=90)
    assert found["numberOfSeries"] == 1 + len(HOSTILE)
    assert [one["uid"] for one in found["series"]] == [sample.series[0]]
    assert found["series"][0]["numberOfInstances"] == 2
    problems = stack.until_state(sample.uid, "synced")["problems"]
    assert "SeriesInstanceUID" in str(problems)
    assert only_what_it_has_to(asked)


def test_a_study_of_nothing_but_such_series_is_parked(attacked: tuple[Stack, list[str]]) -> None:
    stack, asked = attacked
    sample = study(1, 1)
    stored(stack, renamed(part10(sample.datasets[0]), sample.series[0], "../../../../instances?expand&x="))
    assert sample.uid in stack.until_state(sample.uid, "parked")["message"]
    assert only_what_it_has_to(asked)


def test_a_study_whose_uid_orthanc_takes_for_anothers_is_told_from_it(attacked: tuple[Stack, list[str]]) -> None:
    """Orthanc's lookup makes no difference between upper and lower case."""
    stack, _ = attacked
    base = new_uid()[:40]
    kept: dict[str, Sample] = {}
    for uid in (f"{base}.a", f"{base}.A"):
        sample = kept[uid] = study(1, 1)
        stored(stack, renamed(part10(sample.datasets[0]), sample.uid, uid))
    for uid, sample in kept.items():
        stack.until_state(uid, "synced")
        patient = stack.imaging_study(uid)["subject"]["reference"]
        assert stack.resource(patient)["identifier"][0]["value"] == sample.patient_id
    orthanc_id = until(lambda: stack.orthanc_ids(f"{base}.a"))
    assert len(orthanc_id) == 2, "the lookup finds both"


def test_the_source_itself_asks_for_nothing_else(attacked: tuple[Stack, list[str]]) -> None:
    stack, _ = attacked
    user, password = stack.orthanc.auth or (None, None)
    source = Source(stack.orthanc.url, Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS), user, password)
    sample = study(1, 1)
    orthanc_id = stored(stack, renamed(part10(sample.datasets[0]), sample.uid, HOSTILE[0]))
    assert orthanc_id in {one.study_uid for one in source.listing()}
    with pytest.raises(BadUID, match=orthanc_id):
        source.read(orthanc_id, [])
    with pytest.raises(StudyGone):
        source.read(HOSTILE[0], [orthanc_id])
    stack.pacs("DELETE", f"/studies/{orthanc_id}")
    with pytest.raises(StudyGone):
        source.read(orthanc_id, [orthanc_id])
