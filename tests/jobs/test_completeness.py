"""Whether FHIR holds what the archive holds: every way in which it may not."""

import pytest

from mapper.jobs.completeness import Held, compare, in_archive, in_fhir
from tests.support.datasets import dataset

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
