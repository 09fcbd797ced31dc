"""Which files of a dataset are read as DICOM, and which are counted as other images."""

from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import MediaStorageDirectoryStorage

from mapper.sources.sds.kinds import image_format, may_be_dicom
from tests.sds.folders import dataset, found, image
from tests.support.part10 import instance, save

NAMES = {
    "a.dcm": (True, None),
    "a.DCM": (True, None),
    "a.ima": (True, None),
    "IM000001": (True, None),
    "1.2.840.113": (True, None),
    "image.0001": (True, None),
    "README": (False, None),
    "LICENSE": (False, None),
    "changes": (False, None),
    "notes.md": (False, None),
    "subjects.xlsx": (False, None),
    "a.nrrd": (False, "NRRD"),
    "a.seg.nrrd": (False, "NRRD"),
    "a.nhdr": (False, "NRRD"),
    "a.nii": (False, "NIfTI"),
    "a.nii.gz": (False, "NIfTI"),
    "a.NII.GZ": (False, "NIfTI"),
    "a.b.nii.gz": (False, "NIfTI"),
    "a.gz": (False, None),
    "a.mhd": (False, "MetaImage"),
    "a.mha": (False, "MetaImage"),
    "a.tif": (False, "TIFF"),
    "a.ome.tiff": (False, "TIFF"),
    "a.jpg": (False, "JPEG"),
    "a.jp2": (False, "JPEG 2000"),
    "a.png": (False, "PNG"),
    "a.czi": (False, "microscope"),
    "nrrd": (True, None),
    "a.nrrd.txt": (False, None),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_names(tmp_path: Path, name: str, expected: tuple[bool, str | None]) -> None:
    (tmp_path / name).write_bytes(bytes(200))
    assert (may_be_dicom(tmp_path / name), image_format(name)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_preamble_is_believed_whatever_the_name(tmp_path: Path, name: str) -> None:
    save(tmp_path / name, instance("1.2.1"))
    assert may_be_dicom(tmp_path / name)


def test_what_cannot_be_opened_is_no_dicom(tmp_path: Path) -> None:
    assert not may_be_dicom(tmp_path / "gone.nii")


def test_images_are_counted_by_their_format(tmp_path: Path) -> None:
    names = ("a.nii.gz", "b.nii", "c.nrrd", "d.tiff", "e.png", "notes.md")
    files = {f"primary/{name}": "no DICOM" for name in names}
    told = dataset(tmp_path, {**files, "primary/f.tiff": image("1.2.1")})
    assert told.images == {"NIfTI": 2, "NRRD": 1, "PNG": 1, "TIFF": 1}
    assert len(told.studies) == 1
    assert found(told)["image-no-dicom"] == ["the dataset"]


def test_a_dicomdir_is_no_image(tmp_path: Path) -> None:
    data = Dataset()
    data.FileSetID = "TEST"
    data.SOPClassUID, data.SOPInstanceUID = MediaStorageDirectoryStorage, "1.2.9"
    save(tmp_path / "primary/DICOMDIR", data)
    assert found(dataset(tmp_path, {}))["dicomdir"] == ["primary/DICOMDIR"]


def test_files_that_are_left_out_are_named_however_many_there_are(tmp_path: Path) -> None:
    """A path with a colon and a blank in it is told whole; of many the first few, and their number."""
    names = [f"primary/a: b/{number:03}.dcm" for number in range(200)]
    told = dataset(tmp_path, dict.fromkeys(names, "no DICOM"))
    skipped = [one for one in told.findings if one.code == "not-dicom"]
    assert [str(one.where) for one in skipped] == names[: len(skipped)]
    assert sum(1 + one.more for one in skipped) == len(names)
