"""The samples as files, and the tools of others that read them."""

import subprocess
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from samples.dataset import part10
from samples.sr.catalogue import DOCUMENTS, MAKERS
from stack.process import ROOT
from tests.dicom.sr.shipped import OF_PYDICOM


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give every report and document as a file, by its name."""
    folder = tmp_path_factory.mktemp("sr")
    made = {}
    for name, make in {**MAKERS, **DOCUMENTS}.items():
        made[name] = folder / f"{name}.dcm"
        made[name].write_bytes(part10(make()))
    for name in OF_PYDICOM:
        found = get_testdata_file(f"{name}.dcm")
        assert isinstance(found, str)
        made[name] = Path(found)
    return made


@pytest.fixture(scope="session")
def dicom_tools() -> None:
    """Make sure that dsr2xml and dciodvfy are on this machine."""
    subprocess.run([ROOT / "setup/dicom-tools.sh"], check=True, capture_output=True, timeout=600)
