"""Studies into a folder of NDJSON: the same whatever comes first, and as often as one likes."""

from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mapper.errors import SettingError
from mapper.jobs.into_folder import IntoFolder, into_folder
from mapper.maps import Mapped, study_to_fhir
from mapper.sinks.ndjson.sink import Ndjson
from tests.support.fakes import SITE, FakeSource

STUDIES: dict[str, dict[str, str]] = {
    "1.2.1": {"StudyDate": "20240101", "PatientName": "Old^Jane"},
    "1.2.2": {"StudyDate": "20240301", "PatientName": "New^Jane", "PatientSize": "1.70"},
    "1.2.3": {"PatientName": "Undated^Jane"},
}
"""One patient in three studies: the newest says who she is."""

A = "https://a.example.org"


def mapped(uid: str, **attributes: str) -> Mapped:
    source = FakeSource()
    source.store(uid, **{**STUDIES[uid], **attributes})
    return study_to_fhir(source.read(uid, []).study, SITE)


def opened(folder: Path) -> IntoFolder:
    folder.mkdir(exist_ok=True)
    return into_folder(Ndjson(folder), SITE)


def view(into: IntoFolder) -> dict[tuple[str, str], Any]:
    """Return the latest view, and close the folder."""
    found = {(kind, one["id"]): one for kind in into.sink.kinds() for one in into.sink.latest(kind)}
    into.sink.close()
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.ndjson")}


@pytest.fixture
def expected(tmp_path: Path) -> dict[tuple[str, str], Any]:
    """Return what the three say together, written in the order of their age."""
    into = opened(tmp_path / "expected")
    for uid in ("1.2.3", "1.2.1", "1.2.2"):
        into.write(uid, mapped(uid))
    return view(into)


@pytest.mark.parametrize("order", list(permutations(STUDIES)), ids="-".join)
def test_in_any_order_of_arrival_the_folder_says_the_same(
    tmp_path: Path, order: tuple[str, ...], expected: dict[tuple[str, str], Any]
) -> None:
    into = opened(tmp_path / "out")
    for uid in order:
        into.write(uid, mapped(uid), "x")
    found = view(into)
    assert found == expected
    (patient,) = [one for (kind, _), one in found.items() if kind == "Patient"]
    assert patient["name"][0]["family"] == "New"
    before = files(tmp_path / "out")
    for uid in order:  # by another process, and each study once more
        into.write(uid, mapped(uid), "x")
    assert view(into) == expected
    assert files(tmp_path / "out") == before


def test_what_a_study_no_longer_makes_is_retracted(tmp_path: Path) -> None:
    into = opened(tmp_path / "out")
    into.write("1.2.2", mapped("1.2.2"))
    into.write("1.2.2", mapped("1.2.2", PatientSize=""))
    assert [one["status"] for (kind, _), one in view(into).items() if kind == "Observation"] == ["unknown"]


def test_a_study_that_changes_its_date_still_speaks_for_what_it_said(tmp_path: Path) -> None:
    into = opened(tmp_path / "out")
    into.write("1.2.2", mapped("1.2.2"))
    into.write("1.2.2", mapped("1.2.2", StudyDate="20200101", PatientName="Corrected^Jane"))
    (patient,) = [one for (kind, _), one in view(into).items() if kind == "Patient"]
    assert patient["name"][0]["family"] == "Corrected"


def test_a_study_that_is_gone_is_retracted_and_what_others_say_stays(tmp_path: Path) -> None:
    into = opened(tmp_path / "out")
    for uid in STUDIES:
        into.write(uid, mapped(uid), "x")
    into.gone("1.2.2")
    into.gone("9.9.9")
    assert into.sink.vanished(9) == ["1.2.1", "1.2.3"]
    statuses = [(kind, one.get("status")) for (kind, _), one in sorted(view(into).items()) if kind != "Endpoint"]
    assert statuses.count(("ImagingStudy", "unknown")) == 1
    assert statuses.count(("ImagingStudy", "available")) == 2
    assert ("Observation", "unknown") in statuses
    assert ("Patient", None) in statuses


OTHERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "the same again": ({}, A, ""),
    "by files, which are of no source": ({}, "", ""),
    "another source": ({}, "https://b.example.org", "source"),
    "another namespace": ({"namespace": uuid4()}, A, "namespace"),
    "another namespace, by files": ({"namespace": uuid4()}, "", "namespace"),
    "another base": ({"base": "https://other.example.org"}, A, "base"),
}


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("since", ["at once", "the index is made anew"])
def test_a_folder_is_bound_to_what_it_is_made_with(tmp_path: Path, what: str, since: str) -> None:
    into = opened(tmp_path / "out")
    into.guard(A)
    into.write("1.2.1", mapped("1.2.1"), "x")
    into.sink.close()
    if since == "the index is made anew":
        next((tmp_path / "out").glob("Patient.*.ndjson")).unlink()
    before = files(tmp_path / "out")
    choices, source, refused = OTHERS[what]
    again = into_folder(Ndjson(tmp_path / "out"), SITE.model_copy(update=choices))
    if refused:
        with pytest.raises(SettingError, match=rf"^{refused}: differs from what .*out was made with; .* folder$"):
            again.guard(source)
    else:
        again.guard(source)
    again.sink.close()
    assert files(tmp_path / "out") == before


def test_a_folder_that_files_began_is_bound_to_the_first_source(tmp_path: Path) -> None:
    into = opened(tmp_path / "out")
    into.guard()
    into.guard(A)
    with pytest.raises(SettingError, match=r"^source: "):
        into.guard(f"{A}/b")
    into.guard(A)
    into.sink.close()
