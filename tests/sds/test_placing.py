"""Which subject and samples a study belongs to: headers group files, then word, manifest and folders tell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.sds.folders import Content, dataset, found, image

QUIET = {"no-images", "not-listed", "patient-id", "other-patient-id"}
SUBJECTS = "subject id\nsub-1\nsub-2\n"
SAMPLES = "sample id,subject id,was derived from\nsam-1,sub-1,\nsam-2,sub-2,\nsam-3,sub-1,sam-1\n"
SHEETS = {"subjects.csv": SUBJECTS, "samples.csv": SAMPLES}
A, B = "1.2.1", "1.2.2"


def manifest(*rows: str) -> Mapping[str, Content]:
    return {"manifest.csv": "\n".join(("filename,entity", *rows))}


PLACES: dict[str, tuple[Mapping[str, Content], Mapping[str, str], tuple[Any, ...], dict[str, list[str]]]] = {
    # files, a person's word; subject, samples of the first series, who says so; what is found of it
    "by the folders": ({"primary/sub-1/sam-1/a": image(A)}, {}, ("sub-1", ("sam-1",), "folder"), {}),
    "by a folder of the subject": ({"primary/sub-1/a": image(A)}, {}, ("sub-1", (), "folder"), {}),
    "by a folder of the sample": ({"primary/sam-2/a": image(A)}, {}, ("sub-2", ("sam-2",), "folder"), {}),
    "by a sample within a sample": (
        {"primary/sub-1/sam-1/sam-3/a": image(A)}, {}, ("sub-1", ("sam-3",), "folder"), {},
    ),
    "by the manifest": (
        {**manifest("scans/a,sam-1"), "scans/a": image(A)}, {}, ("sub-1", ("sam-1",), "manifest"), {},
    ),
    "the manifest names a subject, the folder its sample": (
        {**manifest("primary,sub-1"), "primary/sam-1/a": image(A)}, {}, ("sub-1", ("sam-1",), "manifest"), {},
    ),
    "the manifest names a subject, the folder a sample of another": (
        {**manifest("primary,sub-1"), "primary/sam-2/a": image(A)},
        {},
        ("sub-1", (), "manifest"),
        {"folder-differs": ["primary/sam-2/a"]},
    ),
    "the manifest and the folder differ": (
        {**manifest("primary,sub-2"), "primary/sub-1/a": image(A)},
        {},
        ("sub-2", (), "manifest"),
        {"folder-differs": ["primary/sub-1/a"]},
    ),
    "the manifest names nobody": (
        {**manifest("primary/sub-1/a,"), "primary/sub-1/a": image(A)}, {}, ("sub-1", (), "folder"), {},
    ),
    "by a person's word for the study": (
        {**manifest("scans,sub-2"), "scans/a": image(A)}, {A: "sub-1"}, ("sub-1", (), "mapping"), {},
    ),
    "by a person's word for the series": (
        {"primary/sub-2/a": image(A)}, {A: "sub-2", f"{A}.1": "sam-1"}, ("sub-1", ("sam-1",), "mapping"), {},
    ),
    "a person's word and the folder's sample": (
        {"primary/sam-1/a": image(A)}, {A: "sub-1"}, ("sub-1", ("sam-1",), "mapping"), {},
    ),
    "a person's word about nothing": (
        {"primary/sub-1/a": image(A)},
        {"1.9": "sub-2"},
        ("sub-1", (), "folder"),
        {"no-such-study": ["study 1.9"]},
    ),
    "a person's word that no sheet knows": (
        {"primary/sub-1/a": image(A)},
        {A: "sub-9"},
        ("sub-9", (), "mapping"),
        {"unknown-entity": [f"study {A}"]},
    ),
    "nowhere": ({"scans/a": image(A)}, {}, (None, (), ""), {"no-subject": [f"study {A}"]}),
    "in no folder": ({"a": image(A)}, {}, (None, (), ""), {"no-subject": [f"study {A}"]}),
    "in a folder of nobody": (
        {"primary/sub-9/a": image(A)}, {}, ("sub-9", (), "folder"), {"unknown-entity": ["primary/sub-9"]},
    ),
    "a sample of nobody": (
        {"primary/sam-9/a": image(A)},
        {},
        (None, ("sam-9",), "folder"),
        {"no-subject": [f"study {A}"], "unknown-entity": ["primary/sam-9"]},
    ),
    "a sample in another subject's folder": (
        {"primary/sub-1/sam-2/a": image(A)},
        {},
        (None, ("sam-2",), "folder"),
        {"sample-of-other": ["primary/sub-1/sam-2/a"], "two-subjects": [f"study {A}"]},
    ),
    "one study in two subjects": (
        {"primary/sub-1/a": image(A, 1), "primary/sub-2/b": image(A, 2)},
        {},
        (None, (), "folder"),
        {"two-subjects": [f"study {A}"]},
    ),
    "one series in two samples": (
        {"primary/sub-1/sam-1/a": image(A, 1), "primary/sub-1/sam-4/b": image(A, 2)},
        {},
        ("sub-1", ("sam-1", "sam-4"), "folder"),
        {"two-samples": [f"study {A}"], "unknown-entity": ["primary/sub-1/sam-4"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_where_a_study_belongs(tmp_path: Path, name: str) -> None:
    files, entities, expected, findings = PLACES[name]
    told = dataset(tmp_path, {**SHEETS, **files}, entities=entities)
    (study,) = told.studies
    series = study.study.series[0].uid
    assert (study.subject, study.samples[series], study.by) == expected
    kept = {code: places for code, places in found(told).items() if code not in QUIET}
    assert kept == findings


def test_headers_group_files_and_folders_do_not(tmp_path: Path) -> None:
    """One study in two folders of one subject, two studies in one folder."""
    told = dataset(
        tmp_path,
        {
            **SHEETS,
            "primary/sub-1/sam-1/a": image(A, 1, series=1),
            "primary/sub-1/sam-3/b": image(A, 2, series=2),
            "primary/sub-1/sam-3/c": image(B, 1),
        },
    )
    first, second = told.studies
    assert (first.study.uid, first.study.instances, first.subject) == (A, 2, "sub-1")
    assert first.samples == {f"{A}.1": ("sam-1",), f"{A}.2": ("sam-3",)}
    assert first.entities == {f"{A}.1": ("sub-1", "sam-1"), f"{A}.2": ("sub-1", "sam-3")}
    assert first.folders == ("primary/sub-1/sam-1", "primary/sub-1/sam-3")
    assert (second.study.uid, second.samples) == (B, {f"{B}.1": ("sam-3",)})


def test_a_performance_and_a_site_lead_to_their_subjects(tmp_path: Path) -> None:
    told = dataset(
        tmp_path,
        {
            **SHEETS,
            "performances.csv": "performance id,participants\nperf-1,sub-1\nperf-2,sub-1 sub-2\n",
            "sites.csv": "site id,specimen id\nsite-1,sam-2\n",
            "primary/perf-1/a": image("1.2.1"),
            "primary/perf-2/a": image("1.2.2"),
            "primary/sub-2/perf-2/a": image("1.2.3"),
            "primary/site-1/a": image("1.2.4"),
        },
    )
    assert [study.subjects for study in told.studies] == [("sub-1",), ("sub-1", "sub-2"), ("sub-2",), ("sub-2",)]


def test_a_pool_is_several_subjects(tmp_path: Path) -> None:
    files = {"subjects.csv": "subject id,pool id\nsub-1,pool-1\nsub-2,pool-1\n", "primary/pool-1/a": image(A)}
    told = dataset(tmp_path, files, version="2.1.0")
    assert told.studies[0].subjects == ("sub-1", "sub-2")
    assert told.studies[0].subject is None
