"""Sixty measurements by two writers that know nothing of each other are the same Observations."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from mapper.dicom.collector import Collector
from mapper.dicom.study import IDENTITY
from mapper.fhir.bundle import dump
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, Mapped, study_to_fhir
from mapper.sources.data_set import json_model
from samples.dataset import part10
from samples.header import Header
from samples.sr.catalogue import STUDY
from tests.dicom.sr.xml2dsr import echo_by_dcmtk
from tests.support.reported import SITE, of_kind, sample

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("dicom_tools")]
IDENTITY_OF_ONE = ("id", "identifier", "hasMember", "issued")
"""What two documents cannot have in common: identity, and when each was written."""


def mapped(data: Dataset, **choices: Any) -> Mapped:
    elements = json_model(
        dcmread(BytesIO(part10(data))), {*KEYWORDS, *DOCUMENT_KEYWORDS, *INSTANCE_KEYWORDS, *IDENTITY}
    )
    collector = Collector()
    collector.add(elements, document=elements)
    return study_to_fhir(collector.only_study(), SITE.model_copy(update=choices))


def alike(found: Mapped) -> list[bytes]:
    """Return what the Observations say, in one order; a group says of its members how many they are."""
    said = []
    for one in of_kind(found, "Observation"):
        kept = {name: value for name, value in one.items() if name not in IDENTITY_OF_ONE}
        said.append(dump({**kept, "members": len(one.get("hasMember", ()))}))
    return sorted(said)


@pytest.mark.parametrize(("options", "count"), [((), 63), (("repeated_measurements",), 67)])
def test_two_writers_make_the_same_observations(options: tuple[str, ...], count: int, tmp_path: Path) -> None:
    theirs = mapped(echo_by_dcmtk(Header("sr-echo", "boris", STUDY), tmp_path), options=options)
    ours = mapped(sample("echo"), options=options)
    assert ours.problems == theirs.problems == []
    assert len(alike(ours)) == count  # seven groups among them
    assert alike(ours) == alike(theirs)
    ids = [{one["id"] for one in of_kind(found, "Observation")} for found in (ours, theirs)]
    assert ids[0].isdisjoint(ids[1])


def test_what_the_other_writer_writes_is_of_its_own_making(tmp_path: Path) -> None:
    theirs = echo_by_dcmtk(Header("sr-echo", "boris", STUDY), tmp_path)
    assert str(theirs.SOPInstanceUID) != str(sample("echo").SOPInstanceUID)
    assert theirs.ContentSequence[0].ConceptNameCodeSequence[0].CodeValue == "121070"  # no observer before it
