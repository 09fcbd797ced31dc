"""The folder of a dataset: what of it counts, and that nothing leads out of it."""

import os
import tempfile
from pathlib import Path

import pytest

from mapper.errors import Unreadable
from mapper.records.sds.finding import Findings
from mapper.sources.sds.tree import Tree, walk
from tests.sds.folders import dataset, found
from tests.sds.written import places


def walked(root: Path) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    findings = Findings()
    return walk(root, findings).files, places(findings)


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


LEFT_OUT = (
    *(".dss", ".DS_Store", "._manifest.xlsx", "~$subjects.xlsx", "Thumbs.db", "desktop.ini", "primary/.hidden"),
    *(".git/config", "code/.ipynb_checkpoints/a.ipynb"),
)


def test_what_programs_leave_behind_is_no_part_of_it(tmp_path: Path) -> None:
    touch(tmp_path, "subjects.xlsx", "primary/sub-1/a.dcm", *LEFT_OUT)
    assert walked(tmp_path) == (("subjects.xlsx", "primary/sub-1/a.dcm"), {})


def test_a_folder_of_another_structure_is_left_alone(tmp_path: Path) -> None:
    touch(tmp_path, ".dss", "a", "primary/bids/.dss", "primary/bids/b", "primary/bids/deep/c", "primary/d")
    assert walked(tmp_path) == (("a", "primary/d"), {"other-structure": ["primary/bids"]})


DATASETS = {  # files -> the datasets at the top, and what is found
    "two with a mark": (
        ("breast/.dss", "breast/dataset_description.xlsx", "heart/.dss", "heart/dataset_description.csv"),
        (("breast", "heart"), {"other-dataset": ["breast", "heart"]}),
    ),
    "one without a mark": (("breast/dataset_description.json", "breast/a"), (("breast",), {})),
    "a structure that is none": (
        ("bids/.dss", "bids/dataset_description.json.txt"),
        ((), {"other-structure": ["bids"]}),
    ),
    "one deep down": (
        ("data/breast/.dss", "data/breast/Dataset_Description.xlsx"),
        ((), {"other-dataset": ["data/breast"]}),
    ),
    "a dataset itself": ((".dss", "dataset_description.xlsx", "primary/a"), ((), {})),
}


@pytest.mark.parametrize(("files", "told"), DATASETS.values(), ids=DATASETS)
def test_datasets_in_a_folder_are_named(tmp_path: Path, files: tuple[str, ...], told: object) -> None:
    touch(tmp_path, *files)
    findings = Findings()
    tree = walk(tmp_path, findings)
    assert (tree.datasets, places(findings)) == told


def test_a_dataset_of_bids_is_none_of_these(tmp_path: Path) -> None:
    touch(tmp_path, "bids/dataset_description.json")
    (tmp_path / "bids/.dss").write_text("(bids 1.8.0)")
    findings = Findings()
    assert walk(tmp_path, findings).datasets == ()
    assert places(findings) == {"other-structure": ["bids"]}


STANDARDS = {
    "(sds 3.0.2)\n": {},
    "(SDS 3)": {},
    " (sds)": {},
    "(bids 1.8.0)": {"other-standard": [".dss"]},
    "sds 3.0.2": {"other-standard": [".dss"]},
    "": {},
}


@pytest.mark.parametrize(("text", "expected"), STANDARDS.items())
def test_the_standard_at_the_top(tmp_path: Path, text: str, expected: dict[str, list[str]]) -> None:
    (tmp_path / ".dss").write_text(text)
    assert walked(tmp_path) == ((), expected)


def test_links_are_followed_within_the_dataset_alone(tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    touch(tmp_path, "outside/secret.csv", "dataset/primary/real.dcm")
    links = {
        "inside.dcm": "primary/real.dcm",
        "subjects.csv": "../outside/secret.csv",
        "absolute.csv": str(tmp_path / "outside/secret.csv"),
        "nowhere.dcm": "no/such/file",
        "circle.dcm": "circle.dcm",
        "folder": "../outside",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    files, said = walked(root)
    assert files == ("inside.dcm", "primary/real.dcm")
    assert said == {"outside": ["absolute.csv", "subjects.csv"], "no-file": ["circle.dcm", "nowhere.dcm"]}


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "subjects.csv")
    assert walked(tmp_path) == ((), {"no-file": ["subjects.csv"]})


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_folder_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unreadable, match="folder of the dataset"):
        walk(tmp_path / name, Findings())


def test_a_folder_that_cannot_be_read_ends_it() -> None:
    """Half a study would look like a whole one. To root everything is open, so nobody looks."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        touch(root, "primary/sub-1/a.dcm")
        (root / "primary/sub-2").mkdir(mode=0o000)
        was_root = os.geteuid() == 0
        if was_root:
            os.seteuid(65534)
        try:
            with pytest.raises(Unreadable, match="sub-2: the folder cannot be read"):
                walk(root, Findings())
        finally:
            if was_root:
                os.seteuid(0)


SHEETS: dict[str, tuple[tuple[str, ...], str | None, dict[str, list[str]]]] = {
    "none": (("primary/a",), None, {}),
    "xlsx": (("subjects.xlsx",), "subjects.xlsx", {}),
    "in capitals": (("Subjects.XLSX",), "Subjects.XLSX", {}),
    "json": (("subjects.json",), "subjects.json", {}),
    "tsv": (("subjects.tsv",), "subjects.tsv", {}),
    "two forms": (("subjects.csv", "subjects.xlsx"), "subjects.xlsx", {"two-forms": ["subjects.xlsx"]}),
    "three forms": (
        ("subjects.csv", "subjects.json", "subjects.tsv"),
        "subjects.csv",
        {"two-forms": ["subjects.csv", "subjects.csv"]},
    ),
    "an old form": (("subjects.xls",), None, {"other-format": ["subjects.xls"]}),
    "an old form beside": (("subjects.xls", "subjects.xlsx"), "subjects.xlsx", {}),
    "another office's": (("subjects.ods",), None, {"other-format": ["subjects.ods"]}),
    "a note": (("subjects.md",), None, {}),
    "no suffix": (("subjects",), None, {}),
    "deeper": (("docs/subjects.xlsx",), None, {}),
    "another name": (("subjects-old.xlsx",), None, {}),
}


@pytest.mark.parametrize(("files", "sheet", "expected"), SHEETS.values(), ids=SHEETS)
def test_which_file_is_the_sheet(files: tuple[str, ...], sheet: str | None, expected: dict[str, list[str]]) -> None:
    findings = Findings()
    assert Tree(Path(), files).sheet("subjects", findings) == sheet
    assert places(findings) == expected


def test_every_folder_may_have_a_manifest() -> None:
    files = ("manifest.xlsx", "primary/manifest.csv", "primary/manifest.xlsx", "primary/sub-1/Manifest.json", "a.dcm")
    findings = Findings()
    assert Tree(Path(), files).manifests(findings) == [
        *("manifest.xlsx", "primary/manifest.xlsx", "primary/sub-1/Manifest.json"),
    ]
    assert places(findings) == {"two-forms": ["primary/manifest.xlsx"]}


def test_names_that_are_no_text_and_names_that_move_the_cursor(tmp_path: Path) -> None:
    """Both are read, and told so that a terminal shows them and a file can hold them."""
    for name in (b"caf\xe9.dcm", b"\x1b[2J.dcm"):
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(b"no DICOM")
    told = found(dataset(tmp_path, {}))
    assert told["not-dicom"] == ["\ufffd[2J.dcm", "caf\ufffd.dcm"]
    "".join(told["not-dicom"]).encode()
