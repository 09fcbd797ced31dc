"""A tree that comes from a real Orthanc is the tree of the file: every version, every sample."""

import os
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from pydicom import Dataset, dcmread

from mapper.dicom.item import Item
from mapper.dicom.picker import Picker
from mapper.dicom.sr import tree as walker
from samples.sr.catalogue import MAKERS
from stack import Orthanc, OrthancInFolder
from stack.orthanc_in_folder import INSIDE
from stack.process import ROOT
from tests.dicom.sr.dicom_json import dicom_json
from tests.dicom.sr.dsr2xml import Row
from tests.dicom.sr.rows import rows
from tests.dicom.sr.shipped import OF_PYDICOM

KINDS = {"orthanc-debian": Orthanc, "orthanc-1.12.7": OrthancInFolder}
ROUNDED = frozenset({"orthanc-debian"})
"""Where DICOMweb sends a DS as a double: the number is right, its trailing zeros are lost."""
pytestmark = pytest.mark.live


@pytest.fixture(scope="module", params=KINDS)
def orthanc(request: pytest.FixtureRequest) -> Iterator[tuple[str, Orthanc]]:
    """Run each kind of Orthanc."""
    kind = KINDS[request.param]
    if kind is OrthancInFolder and not INSIDE.exists():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("Orthanc 1.12.7 is not here: setup/orthanc-trixie.sh (as root) puts it there")
    folder = ROOT / ".run/tests" / f"sr-{os.getpid()}-{request.param}"
    folder.mkdir(parents=True)
    with kind(folder / "orthanc", plugin_script=None) as server:
        yield request.param, server
    server.clean()
    shutil.rmtree(folder, ignore_errors=True)


def metadata(server: Orthanc, file: Path) -> Any:
    """Return what Orthanc's DICOMweb says of one file, decoded as the mapper does."""
    base, head = f"http://127.0.0.1:{server.port}", dcmread(file, stop_before_pixels=True)
    requests.post(f"{base}/instances", data=file.read_bytes(), auth=server.auth, timeout=30).raise_for_status()
    answer = requests.get(f"{base}/dicom-web/{place(head)}/metadata", auth=server.auth, timeout=30)
    answer.raise_for_status()
    (raw,) = msgspec.json.decode(answer.content, type=list[msgspec.Raw])
    return Picker(walker.ROOT)(raw)


def place(head: Dataset) -> str:
    return f"studies/{head.StudyInstanceUID}/series/{head.SeriesInstanceUID}/instances/{head.SOPInstanceUID}"


def rounded(row: Row) -> Row:
    """Return a row whose number has lost its trailing zeros, and its offsets theirs."""
    path, value_type, how, name, value = row
    if value_type == "NUM" and value[0] is not None:
        value = (f"{Decimal(value[0]).normalize():f}", *value[1:])
    return path, value_type, how, name, value


@pytest.mark.parametrize("name", [*MAKERS, *OF_PYDICOM])
def test_the_tree_is_that_of_the_file(name: str, orthanc: tuple[str, Orthanc], sample_files: dict[str, Path]) -> None:
    kind, server = orthanc
    found = walker.content_tree(Item(metadata(server, sample_files[name])))
    file = walker.content_tree(Item(dicom_json(sample_files[name])))
    form = rounded if kind in ROUNDED else tuple
    assert found.problems == file.problems
    assert list(map(form, rows(found))) == list(map(form, rows(file)))
