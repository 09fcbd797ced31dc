"""Files that end before their data set does: it is said how, and no half UID becomes a study (PS3.10 section 7)."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from mapper.convert import read_folders
from tests.field_reports.raw import element, part10

UID = "1.2.826.0.1.3680043.8.498.45787841905188114249021191"
WHOLE = part10(StudyInstanceUID=UID, SeriesInstanceUID=f"{UID}.1", PatientName=b"Doe^Jane", StudyDescription=b"x" * 40)
STUDY = WHOLE.index(element("StudyInstanceUID", UID))
SERIES = WHOLE.index(element("SeriesInstanceUID", f"{UID}.1"))
NAME = WHOLE.index(element("PatientName", b"Doe^Jane"))


def cut(at: int) -> Callable[[], bytes]:
    return lambda: WHOLE[:at]


def with_length(at: int, length: int) -> Callable[[], bytes]:
    """Return the file with another length in the attribute that starts there (explicit VR, two bytes)."""
    return lambda: WHOLE[: at + 6] + struct.pack("<H", length) + WHOLE[at + 8 :]


CUT, DAMAGED, NONE = "ends before its StudyInstanceUID does", "damaged", "without StudyInstanceUID"
ENDS = {  # how the file ends -> what is said of it
    "before the name": (cut(NAME), NONE),
    "inside the name": (cut(NAME + 11), CUT),
    "inside the head of an attribute": (cut(NAME + 5), CUT),
    "before the UID": (cut(STUDY), NONE),
    "inside the UID": (cut(STUDY + 20), CUT),
    "one byte before the end of the UID": (cut(STUDY + 8 + len(UID) - 1), CUT),
    "an attribute before it claims too much": (with_length(NAME, 60_000), CUT),
    "the UID claims too much": (with_length(STUDY, 60_000), CUT),
    "zeros instead of what was to come": (lambda: WHOLE[:NAME] + bytes(400), NONE),
    "an end of an item that never began": (
        lambda: WHOLE[:NAME] + struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + WHOLE[NAME:], DAMAGED),
    "no UID, and nothing wrong": (lambda: part10(StudyInstanceUID=None), NONE),
    "no UID, and pixels": (lambda: part10(StudyInstanceUID=None, PixelData=b"\0" * 64), NONE),
}  # fmt: skip


@pytest.mark.parametrize(("make", "said"), ENDS.values(), ids=ENDS)
def test_what_is_wrong_is_said(tmp_path: Path, make: Callable[[], bytes], said: str) -> None:
    (tmp_path / "file.dcm").write_bytes(make())
    heard: list[str] = []
    collector = read_folders([tmp_path], heard.append)
    assert collector.study_uids == []
    assert len(heard) == 1
    assert said in heard[0]
    assert UID[:20] not in heard[0]
    assert "Doe" not in heard[0]


def test_a_file_cut_anywhere_makes_its_own_study_or_none(tmp_path: Path) -> None:
    """No beginning of a UID is ever taken for a UID."""
    for length in range(132, len(WHOLE)):
        (tmp_path / "cut.dcm").write_bytes(WHOLE[:length])
        collector = read_folders([tmp_path], lambda _: None)
        assert collector.study_uids in ([], [UID]), length
        if collector.study_uids and length < SERIES + 8 + len(UID) + 2:
            with pytest.raises(ValueError, match="no instance"):
                collector.only_study()


def test_what_was_cut_is_recorded_and_the_rest_kept(tmp_path: Path) -> None:
    whole = part10(AccessionNumber="A1", AdmissionID=b"V" * 30)
    (tmp_path / "cut.dcm").write_bytes(whole[:-10])
    study = read_folders([tmp_path], pytest.fail).only_study()
    assert study.item["AccessionNumber"] == "A1"
    with pytest.raises(ValueError, match="not a text"):
        study.item["AdmissionID"]
