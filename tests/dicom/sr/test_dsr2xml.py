"""Our tree is what DCMTK's dsr2xml reads: paths, types, relationships, concepts, values, of every sample and beyond."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from mapper.dicom.item import Item
from mapper.dicom.sr.tree import ContentTree, content_tree
from samples.dataset import part10
from samples.header import Header
from samples.sr.catalogue import DOCUMENTS as ENCAPSULATED
from samples.sr.catalogue import MAKERS, STUDY
from samples.sr.document import document
from tests.dicom.sr.dicom_json import dicom_json
from tests.dicom.sr.dsr2xml import Refused
from tests.dicom.sr.dsr2xml import rows as theirs
from tests.dicom.sr.rows import rows as ours
from tests.dicom.sr.shipped import OF_PYDICOM
from tests.dicom.sr.strategies import DOCUMENTS

COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"
pytestmark = [pytest.mark.live, pytest.mark.usefixtures("dicom_tools")]


def tree(file: Path) -> ContentTree:
    return content_tree(Item(dicom_json(file)))


@pytest.mark.parametrize("name", [*MAKERS, *OF_PYDICOM])
def test_both_read_the_same(name: str, sample_files: dict[str, Path]) -> None:
    file = sample_files[name]
    found = ours(tree(file))
    assert len(found) > 8
    assert found == theirs(file)


REFUSED = {  # strictly read; what stands behind each is a rule of the IOD or of DCMTK, not something unreadable
    "radiopharmaceutical-dose": 'Cannot add "has obs context CODE" to CONTAINER',
    "reportsi": 'Reading content item IMAGE "1.5.1.1" (Invalid Value)',
    "reportsi_with_empty_number_tags": 'Reading content item IMAGE "1.5.1.1" (Invalid Value)',
}
"""Documents that dsr2xml only reads when it is told to be tolerant, and what it says else."""


@pytest.mark.parametrize("name", [*MAKERS, *OF_PYDICOM])
def test_what_it_reads_strictly(name: str, sample_files: dict[str, Path]) -> None:
    if name not in REFUSED:
        assert theirs(sample_files[name], tolerant=False) == theirs(sample_files[name])
        return
    with pytest.raises(Refused) as refused:
        theirs(sample_files[name], tolerant=False)
    assert REFUSED[name] in str(refused.value)


@pytest.mark.parametrize("name", ENCAPSULATED)
def test_an_encapsulated_document_is_no_report(name: str, sample_files: dict[str, Path]) -> None:
    with pytest.raises(Refused, match="does not match one of the known SR document classes"):
        theirs(sample_files[name])
    assert [item.path for item in tree(sample_files[name])] == ["1"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(DOCUMENTS)
def test_both_read_the_same_of_any_good_document(tmp_path: Path, root: dict[str, Any]) -> None:
    header = Header("sr-any", "käthe", STUDY)
    file = tmp_path / "any.dcm"
    file.write_bytes(part10(document(header, header.series(1, "SR", "Any"), COMPREHENSIVE, root)))
    assert ours(tree(file)) == theirs(file)
