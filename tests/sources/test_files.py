"""Files in folders as a source: which are read, how, and that a broken one never ends the walk."""

import json
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import MediaStorageDirectoryStorage

from mapper.convert import convert, read_folders
from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.site import Site
from mapper.sources.data_set import json_model
from mapper.sources.files import CHUNK, collect, files_under, read_file
from tests.support.part10 import instance, save

A = "1.2.1"


def test_files_stand_in_one_order(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a/z", "c", "a/deep/x"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = [str(path.relative_to(tmp_path)) for path in files_under([tmp_path])]
    assert found == ["c", "a/z", "a/deep/x", "b/1", "b/2"]
    assert list(files_under([tmp_path / "c", tmp_path / "a"])) == [
        tmp_path / "c", tmp_path / "a/z", tmp_path / "a/deep/x",
    ]  # fmt: skip


def dicomdir(path: Path) -> None:
    data = Dataset()
    data.FileSetID = "TEST"
    data.SOPClassUID, data.SOPInstanceUID = MediaStorageDirectoryStorage, "1.2.9"
    save(path, data)


def without_preamble(path: Path) -> None:
    """Write a data set as it lay in old archives: no preamble, no file meta information."""
    data = instance(A)
    data.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)


def write(text: bytes) -> Any:
    return lambda path: path.write_bytes(text)


KINDS: dict[str, tuple[Any, str]] = {  # how to make the file, what is said when it is skipped
    "an image": (lambda path: save(path, instance(A)), ""),
    "an image without preamble": (without_preamble, ""),
    "a text": (write(b"hello, this is no image"), "not a DICOM file"),
    "nothing": (write(b""), "not a DICOM file"),
    "only the preamble": (write(b"\0" * 128 + b"DICM"), "StudyInstanceUID"),
    "a DICOMDIR": (dicomdir, "DICOMDIR"),
    "a pipe": (os.mkfifo, "not a file"),
    "a folder": (os.mkdir, "not a file"),
    "a link to nowhere": (lambda path: path.symlink_to("/no/such/file"), "not a file"),
    "an object of no study": (lambda path: save(path, instance(A, StudyInstanceUID=None)), "StudyInstanceUID"),
}


@pytest.mark.parametrize(("make", "said"), KINDS.values(), ids=KINDS)
def test_a_file_is_read_or_skipped_with_a_reason(tmp_path: Path, make: Any, said: str) -> None:
    path = tmp_path / "file"
    make(path)
    found = read_file(str(path), ["PatientID", "StudyInstanceUID"])
    if said:
        assert isinstance(found, str)
        assert said in found
    else:
        assert found == {
            "00100020": {"vr": "LO", "Value": ["P1"]},
            "0020000D": {"vr": "UI", "Value": [A]},
        }


@pytest.mark.parametrize("length", [132, 140, 200, 300, 400, 500])
def test_a_file_that_was_cut_off_never_ends_the_walk(tmp_path: Path, length: int) -> None:
    whole = save(tmp_path / "whole", instance(A)).read_bytes()
    (tmp_path / "cut").write_bytes(whole[:length])
    collector = read_folders([tmp_path / "cut", tmp_path / "whole"], lambda _: None)
    assert collector.only_study().instances == 1


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_never_ends_the_walk(tmp_path: Path, seed: int) -> None:
    """Flip bytes all over a file: it is read, or skipped, and nothing else."""
    damaged = bytearray(save(tmp_path / "file", instance(A, PatientComments="x" * 50)).read_bytes())
    for place in range(132 + seed, len(damaged), 40):
        damaged[place] ^= 0xFF
    (tmp_path / "file").write_bytes(bytes(damaged))
    found = read_file(str(tmp_path / "file"), sorted(KEYWORDS))
    assert isinstance(found, str | dict)
    if isinstance(found, dict):
        json.dumps(found)


def test_nothing_that_pydicom_has_to_say_is_shown(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = save(tmp_path / "file", instance(A, StudyDate="SECRET", Modality="secret modality of many letters"))
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        read_file(str(path), sorted(KEYWORDS))
    assert shown == []


def test_an_attribute_that_pydicom_cannot_read_is_unreadable_and_no_more() -> None:
    data = instance(A, PatientSize="1.8")
    data["PatientSize"]._value = "SECRET"
    found = json_model(data, ["PatientSize", "PatientID"])
    assert found["00100020"]["Value"] == ["P1"]
    assert "SECRET" not in json.dumps(found)


def test_files_and_dicomweb_give_the_same_bundle(tmp_path: Path) -> None:
    """One model for both: what pydicom reads of files, and what an archive sends of the same."""
    sets = [
        instance(
            A,
            number,
            PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
            SpecificCharacterSet="ISO_IR 192",
            PatientSize="1.80",
        )
        for number in (1, 2)
    ]
    for number, data in enumerate(sets):
        save(tmp_path / f"{number}.dcm", data)
    from_files = convert(read_folders([tmp_path], lambda _: None).only_study(), Site())
    collector = Collector()
    metadata = json.dumps([dcmread(path).to_json_dict() for path in sorted(tmp_path.iterdir())]).encode()
    Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read(metadata, collector)
    assert json.loads(convert(collector.only_study(), Site()).json) == json.loads(from_files.json)


def test_files_are_read_in_chunks_with_and_without_a_pool(tmp_path: Path) -> None:
    for number in range(1, CHUNK + 4):
        save(tmp_path / f"{number:03}.dcm", instance(A, number))
    (tmp_path / "notes.txt").write_text("hello")
    for pool in (None, ThreadPoolExecutor(2)):
        steps = list(collect(files_under([tmp_path]), KEYWORDS, INSTANCE_KEYWORDS, pool, DOCUMENT_KEYWORDS))
        assert [len(skipped) for _, skipped in steps] == [0, 1]
        assert steps[-1][0].only_study().instances == CHUNK + 3
        if pool:
            pool.shutdown()


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    for number in range(1, CHUNK + 2):
        save(tmp_path / f"{number:03}.dcm", instance(A, number))
    told: list[tuple[int, int]] = []
    read_folders([tmp_path], lambda _: None, lambda done, total: told.append((done, total)))
    assert told == [(CHUNK, CHUNK + 1), (CHUNK + 1, CHUNK + 1)]


def test_a_name_that_is_no_text_is_skipped_in_words(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.txt")
    with open(path, "wb") as file:
        file.write(b"hello")
    said: list[str] = []
    read_folders([tmp_path], said.append)
    assert len(said) == 1
    assert "not a DICOM file" in said[0]
