"""What a file is about, by the manifests and by the names of its folders."""

from typing import Any

import pytest

from mapper.records.sds.finding import Findings
from mapper.records.sds.row import ManifestEntry, Sheet
from mapper.sources.sds.places import PATTERNS, Places, within
from tests.sds.folders import lineage
from tests.sds.written import places as told

FILES = (
    "primary/sub-1/sam-1/a.dcm",
    "primary/sub-1/sam-1/b.dcm",
    "primary/sub-2/c.dcm",
    "primary/scan [1].dcm",
    "d.dcm",
)
FAMILY = lineage([{"subject id": "sub-1"}, {"subject id": "sub 2"}, {"subject id": "7"}], [{"sample id": "sam-1"}])


def entry(file: str = "manifest.xlsx", number: int = 2, **cells: str) -> ManifestEntry:
    return ManifestEntry(Sheet(file, {"filename": 1, "pattern": 2, "entity": 3}), number, cells, {})


WITHIN: dict[tuple[str, str], str | None] = {
    # the manifest, the name in it -> the path within the dataset
    ("manifest.xlsx", "primary/a.dcm"): "primary/a.dcm",
    ("manifest.xlsx", "./primary//a.dcm"): "primary/a.dcm",
    ("manifest.xlsx", "primary\\a.dcm"): "primary/a.dcm",
    ("manifest.xlsx", "primary/"): "primary",
    ("manifest.xlsx", "."): ".",
    ("primary/manifest.xlsx", "sub-1/a.dcm"): "primary/sub-1/a.dcm",
    ("primary/sub-1/manifest.xlsx", "a.dcm"): "primary/sub-1/a.dcm",
    ("primary/sub-1/manifest.xlsx", "../sub-2/a.dcm"): "primary/sub-2/a.dcm",
    ("primary/manifest.xlsx", "../../a.dcm"): None,
    ("manifest.xlsx", "../a.dcm"): None,
    ("manifest.xlsx", "primary/../../a.dcm"): None,
    ("manifest.xlsx", "/etc/passwd"): None,
    ("manifest.xlsx", "\\\\server\\share"): None,
    ("manifest.xlsx", "C:\\scans\\a.dcm"): None,
}


@pytest.mark.parametrize(("where", "path"), WITHIN.items())
def test_a_name_counts_from_its_manifest_and_stays_within(where: tuple[str, str], path: str | None) -> None:
    file, name = where
    assert within(entry(file, filename=name)) == path


ENTRIES: dict[str, tuple[list[dict[str, str]], dict[str, tuple[str, ...]], dict[str, list[str]]]] = {
    # entries, what files are about, what is found
    "a file": ([{"filename": FILES[0], "entity": "sam-1"}], {FILES[0]: ("sam-1",), FILES[1]: ()}, {}),
    "a folder": (
        [{"filename": "primary/sub-1", "entity": "sub-1"}],
        {FILES[0]: ("sub-1",), FILES[1]: ("sub-1",), FILES[2]: ()},
        {},
    ),
    "a file within a folder": (
        [{"filename": "primary/sub-1", "entity": "sub-1"}, {"filename": FILES[0], "entity": "sam-1"}],
        {FILES[0]: ("sam-1",), FILES[1]: ("sub-1",)},
        {},
    ),
    "everything": ([{"filename": ".", "entity": "sub-1"}], dict.fromkeys(FILES, ("sub-1",)), {}),
    "a pattern": ([{"pattern": "primary/*/*/*.dcm", "entity": "sam-1"}], {FILES[0]: ("sam-1",), FILES[4]: ()}, {}),
    "a pattern as a name": ([{"filename": "*/sub-2/*", "entity": "sub-2"}], {FILES[2]: ("sub-2",)}, {}),
    "a name that looks like a pattern": (
        [{"filename": "primary/scan [1].dcm", "entity": "sub-1"}],
        {FILES[3]: ("sub-1",), "primary/scan 1.dcm": ()},
        {},
    ),
    "an id with a blank in it": ([{"filename": FILES[0], "entity": "sub 2"}], {FILES[0]: ("sub 2",)}, {}),
    "a file that is not there": (
        [{"filename": "primary/gone.dcm", "entity": "sub-1"}],
        {FILES[0]: ()},
        {"no-such-file": ["manifest.xlsx A2"]},
    ),
    "a file elsewhere": (
        [{"filename": "../other/a.dcm", "entity": "sub-1"}],
        {FILES[0]: ()},
        {"file-outside": ["manifest.xlsx A2"]},
    ),
    "a file twice": (
        [{"filename": FILES[0], "entity": "sub-1"}, {"filename": FILES[0], "entity": "sub-2"}],
        {FILES[0]: ("sub-1",)},
        {},
    ),
    "nothing of an entity": ([{"filename": FILES[0]}], {FILES[0]: ()}, {}),
}


@pytest.mark.parametrize(("entries", "about", "expected"), ENTRIES.values(), ids=ENTRIES)
def test_what_manifests_say(
    entries: list[dict[str, str]], about: dict[str, tuple[str, ...]], expected: dict[str, list[str]]
) -> None:
    findings = Findings()
    manifest = [entry(number=number, **cells) for number, cells in enumerate(entries, 2)]
    places = Places(manifest, FAMILY, FILES, findings)
    assert {file: places.by_manifest(file) for file in about} == about
    assert told(findings) == expected


FOLDERS: dict[str, tuple[str, ...]] = {
    "primary/sub-1/sam-1/a.dcm": ("sub-1", "sam-1"),
    "primary/sub-1/a.dcm": ("sub-1",),
    "primary/sub-1/sam-1/perf-1/scans/a.dcm": ("sub-1", "sam-1", "perf-1"),
    "primary/session-1/sub-1/a.dcm": ("sub-1",),
    "derivative/sub-1/a.dcm": ("sub-1",),
    "sub-1/a.dcm": ("sub-1",),
    "primary/sub-9/a.dcm": ("sub-9",),
    "primary/pop-sub-1/a.dcm": ("pop-sub-1",),
    "primary/7/a.dcm": ("7",),
    "primary/8/a.dcm": (),
    "primary/sub 2/a.dcm": ("sub 2",),
    "primary/sub-/a.dcm": (),
    "primary/subject-1/a.dcm": (),
    "primary/sub-1.dcm": (),
    "a.dcm": (),
}


@pytest.mark.parametrize(("file", "ids"), FOLDERS.items())
def test_what_folders_say(file: str, ids: tuple[str, ...]) -> None:
    assert Places([], FAMILY, FILES, Findings()).by_folder(file) == ids


def test_files_that_no_manifest_lists() -> None:
    files = (*FILES, "primary/manifest.xlsx", "subjects.xlsx", "docs/notes.md")
    listed: list[Any] = [entry(filename="primary/sub-1"), entry(filename="d.dcm")]
    assert Places(listed, FAMILY, files, Findings()).unlisted() == [
        *("docs/notes.md", "primary/scan [1].dcm", "primary/sub-2/c.dcm"),
    ]


def test_patterns_are_bounded() -> None:
    findings = Findings()
    manifest = [entry(number=number, pattern=f"{number}*", entity="sub-1") for number in range(2, PATTERNS + 4)]
    places = Places(manifest, FAMILY, FILES, findings)
    assert places.by_manifest("1001-a") == ("sub-1",)
    assert told(findings) == {"too-many-patterns": ["manifest.xlsx A1002", "manifest.xlsx A1003"]}


def test_many_files_are_asked_for_quickly() -> None:
    """Each look-up is one of the file and its folders, never of all entries."""
    files = [f"primary/sub-{number % 100}/sam-{number}/{number}.dcm" for number in range(20_000)]
    manifest = [entry(filename=file, entity=f"sam-{number}") for number, file in enumerate(files)]
    places = Places(manifest, FAMILY, files, Findings())
    assert places.by_manifest(files[-1]) == ("sam-19999",)
    assert places.unlisted() == []
