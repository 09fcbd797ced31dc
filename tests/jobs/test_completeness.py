"""Whether FHIR holds what the archive holds: every way in which it may not."""

from uuid import UUID

import pytest

from mapper.commands.backfill import tell
from mapper.commands.backfilling import Remapped
from mapper.errors import SourceBusy
from mapper.jobs.completeness import Held, compare, in_archive, in_fhir
from mapper.jobs.reading import Recipe
from mapper.settings import Settings
from mapper.sources.source import Reading, Sighting
from tests.support.datasets import dataset
from tests.support.fakes import SITE, FakeSource
from tests.support.rejected import IMAGES, note, uid
from tests.support.reported import STUDY_UID, study_of

A, B, C = "1.2.1", "1.2.2", "1.2.3"
ARCHIVE = [Held(A, "20240101", 2), Held(B, "20240101", 3), Held(C, "", 1)]
CASES: dict[str, tuple[list[Held], dict[str, dict[str, list[str]]]]] = {
    "the same": (ARCHIVE, {}),
    "one is missing": (ARCHIVE[1:], {"20240101": {"missing": [A]}}),
    "one without a date is missing": (ARCHIVE[:2], {"": {"missing": [C]}}),
    "an instance is missing": ([Held(A, "20240101", 1), *ARCHIVE[1:]], {"20240101": {"short": [A]}}),
    "an instance too much": ([Held(A, "20240101", 3), *ARCHIVE[1:]], {"20240101": {"short": [A]}}),
    "no number at all": ([Held(A, "20240101", None), *ARCHIVE[1:]], {"20240101": {"short": [A]}}),
    "one is too much": ([*ARCHIVE, Held("9.9", "20240202", 1)], {"20240202": {"superfluous": ["9.9"]}}),
    "one is there twice": ([*ARCHIVE, ARCHIVE[0]], {"20240101": {"superfluous": [A]}}),
    "another date in FHIR is no difference": ([Held(A, "20240102", 2), *ARCHIVE[1:]], {}),
    "nothing is there": ([], {"20240101": {"missing": [A, B]}, "": {"missing": [C]}}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_difference_is_found_in_its_bucket(name: str) -> None:
    fhir, expected = CASES[name]
    found = {
        one.day: {why: getattr(one, why) for why in ("missing", "superfluous", "short") if getattr(one, why)}
        for one in compare(ARCHIVE, fhir)
        if not one.complete
    }
    assert found == expected
    assert sum(one.archive for one in compare(ARCHIVE, fhir)) == 3
    assert sum(one.fhir for one in compare(ARCHIVE, fhir)) == len(fhir)


def test_an_archive_that_counts_no_instances_is_compared_by_studies() -> None:
    assert all(one.complete for one in compare([Held(A, "20240101", None)], [Held(A, "20240101", 7)]))


def test_both_sides_are_read_as_they_tell_it() -> None:
    class Told:
        """What QIDO-RS found."""

        def studies(self) -> list[dict[str, object]]:
            return [
                dataset(StudyInstanceUID=A, StudyDate="20240101", NumberOfStudyRelatedInstances=2),
                dataset(StudyInstanceUID=B, StudyDate="2024.01.01"),
                dataset(StudyInstanceUID=C),
            ]

    assert list(in_archive(Told())) == [  # type: ignore[arg-type]
        Held(A, "20240101", 2),
        Held(B, "20240101", None),
        Held(C, "", None),
    ]
    identifier = [{"system": "urn:dicom:uid", "value": f"urn:oid:{A}"}]
    resources = [
        {"identifier": identifier, "started": "2024-01-01T10:00:00+01:00", "numberOfInstances": 2},
        {"identifier": identifier},
        {"identifier": []},
    ]
    assert list(in_fhir(resources)) == [Held(A, "20240101", 2), Held(A, "", None)]


RIGHT: dict[str, tuple[int | None, int | None, bool]] = {
    "as many": (3, 3, True),
    "fewer, as it is mapped": (3, 2, True),
    "fewer than it is mapped": (3, 1, False),
    "more": (2, 3, False),
    "none told": (3, None, False),
    "the archive tells none": (None, 1, True),
}


@pytest.mark.parametrize("name", RIGHT)
def test_fewer_instances_are_right_where_the_study_is_mapped_so(name: str) -> None:
    archive, fhir, complete = RIGHT[name]
    asked: list[tuple[str, int]] = []

    def is_right(study_uid: str, instances: int) -> bool:
        asked.append((study_uid, instances))
        return instances == 2

    (bucket,) = compare([Held(A, "20240101", archive)], [Held(A, "20240101", fhir)], "pacs", is_right)
    assert (bucket.complete, bucket.source) == (complete, "pacs")
    assert asked == ([(A, fhir)] if "fewer" in name else [])


class Noted(FakeSource):
    """A source that has a study with two images and a rejection note of one of them."""

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        if study_uid == B:
            raise SourceBusy("busy")
        if study_uid == C:
            raise KeyError("Secret^Name")
        made = study_of(*IMAGES, note("113001", uid("1.1")))
        return Reading(made, Sighting("1", study_uid, ""))


def test_a_study_with_a_rejection_note_is_mapped_to_know_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recipe, "made", lambda recipe: (Noted(), SITE))
    is_right = Remapped(Recipe(Settings(), "orthanc", UUID(int=0)))
    assert is_right(STUDY_UID, 3), "three images, one of them rejected, and the note"
    assert not is_right(STUDY_UID, 4)
    assert not is_right(B, 3)
    assert not is_right(C, 3)
    monkeypatch.setattr(is_right, "_left", 0)
    assert not is_right(STUDY_UID, 3)


def test_of_several_sources_it_is_told_whose_day_differs(capsys: pytest.CaptureFixture[str]) -> None:
    both = [*compare(ARCHIVE, ARCHIVE, "a"), *compare(ARCHIVE, ARCHIVE[1:], "b")]
    tell(both)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "b, 20240101: 2 in the archive, 1 in FHIR"
    assert said[-1] == "4 studies of 1 of 2 StudyDates are the same"
    tell(both[2:])
    assert capsys.readouterr().out.splitlines()[0] == "20240101: 2 in the archive, 1 in FHIR"
