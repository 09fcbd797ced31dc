"""The structured reports and documents of samples/: the same bytes in every run, nobody's, valid, as promised."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import UID

from mapper.dicom.item import Item
from mapper.dicom.sr.code import Code
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.dicom.sr.tree import ContentTree, content_tree
from samples.dataset import part10
from samples.sr.catalogue import DOCUMENTS, MAKERS
from tests.dicom.sr.dicom_json import model

ALL = {**MAKERS, **DOCUMENTS}
DIGEST = """
import hashlib
from samples.dataset import part10
from samples.sr.catalogue import DOCUMENTS, MAKERS
made = b"".join(part10(make()) for make in (*MAKERS.values(), *DOCUMENTS.values()))
print(hashlib.sha256(made).hexdigest())
"""


@cache
def sample(name: str) -> Dataset:
    return ALL[name]()


@cache
def tree(name: str) -> ContentTree:
    return content_tree(Item(model(sample(name))))


def test_two_processes_make_the_same_bytes() -> None:
    environments = ({"PYTHONHASHSEED": "1", "TZ": "UTC"}, {"PYTHONHASHSEED": "2", "TZ": "Asia/Dubai"})
    runs = [
        subprocess.Popen([sys.executable, "-c", DIGEST], env={**os.environ, **more}, stdout=subprocess.PIPE, text=True)
        for more in environments
    ]
    digests = [run.communicate(timeout=120)[0].strip() for run in runs]
    assert re.fullmatch("[0-9a-f]{64}", digests[0])
    assert digests[0] == digests[1]


@pytest.mark.parametrize("name", ALL)
def test_an_object_is_small_and_nobody_s(name: str) -> None:
    assert len(part10(sample(name))) < 30_000
    obvious = re.compile("Example|Beispiel")
    for element in sample(name).iterall():
        if element.VR == "PN" and element.value:
            assert obvious.match(str(element.value)), element.keyword
        elif element.VR == "UI" and element.value:
            for value in [element.value] if isinstance(element.value, str) else element.value:
                found = UID(value)
                assert found.is_valid, element.keyword
                assert found.startswith("2.25.") or found.name != found, element.keyword  # ours, or registered
        elif element.VR in ("DA", "DT") and element.value and element.keyword != "PatientBirthDate":
            assert str(element.value)[:4] == "2024", element.keyword


def test_every_object_has_its_own_uids() -> None:
    instances = [sample(name).SOPInstanceUID for name in ALL]
    assert len(set(instances)) == len(instances)
    series = [sample(name).SeriesInstanceUID for name in ALL]
    assert len(set(series)) == len(series)


@pytest.mark.parametrize("name", MAKERS)
def test_a_report_is_a_tree_without_problems(name: str) -> None:
    assert tree(name).problems == ()


# -- what each is for ---------------------------------------------------------------------------------------------

SR = "1.2.840.10008.5.1.4.1.1.88."
KINDS: dict[str, tuple[str, str, str]] = {  # SOP class, template, title
    "measurements": (f"{SR}34", "1500", "126000"),
    "measurements-later": (f"{SR}34", "1500", "126000"),
    "measurements-amended": (f"{SR}34", "1500", "126000"),
    "measurements-by-dcmqi": (f"{SR}22", "1500", "126000"),
    "ct-dose": (f"{SR}67", "10011", "113701"),
    "ct-dose-enhanced-sr": (f"{SR}22", "10011", "113701"),
    "projection-dose": (f"{SR}67", "10001", "113701"),
    "biplane-dose": (f"{SR}67", "10001", "113701"),
    "mammography-dose": (f"{SR}67", "10001", "113701"),
    "radiopharmaceutical-dose": (f"{SR}68", "10021", "113500"),
    "text-report": (f"{SR}11", "2000", "18748-4"),
    "text-report-amended": (f"{SR}11", "2000", "18748-4"),
    "every-value-type": (f"{SR}34", "1500", "18748-4"),
    "echo": (f"{SR}33", "5200", "125200"),
    "simplified-echo": (f"{SR}33", "5300", "125200"),
    "vascular": (f"{SR}33", "5100", "125100"),
    "congenital": (f"{SR}33", "5220", "125197"),
    "mammography-cad": (f"{SR}50", "4000", "111036"),
    "chest-cad": (f"{SR}65", "4100", "112000"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_kind_of_report(name: str) -> None:
    found = tree(name)
    assert found.root.concept is not None
    assert (sample(name).SOPClassUID, found.root.template, found.root.concept.value) == KINDS[name]


DCM, SCT = "DCM", "SCT"
GROUP, TRACKING_UID = ("125007", DCM), ("112040", DCM)
SITE, SIDE, PART = ("363698007", SCT), ("272741003", SCT), ("106233006", SCT)
COUNTS: tuple[tuple[str, tuple[str, str], int], ...] = (  # report, concept name, how often
    ("measurements", GROUP, 3),
    ("measurements", ("111030", DCM), 1),  # image region
    ("measurements", ("121191", DCM), 1),  # referenced segment
    ("measurements", ("126200", DCM), 1),  # image library group
    ("measurements", ("112225", DCM), 2),  # slice thickness of the images in it
    ("measurements", ("111001", DCM), 1),  # algorithm
    ("measurements", ("111037", DCM), 2),  # margins
    ("ct-dose", ("113811", DCM), 1),
    ("ct-dose", ("113819", DCM), 3),
    ("ct-dose", ("113829", DCM), 2),  # none for the localizer
    ("ct-dose-enhanced-sr", ("113811", DCM), 1),
    ("projection-dose", ("113702", DCM), 1),
    ("projection-dose", ("113706", DCM), 2),
    ("biplane-dose", ("113702", DCM), 2),
    ("mammography-dose", ("111637", DCM), 2),
    ("radiopharmaceutical-dose", ("113502", DCM), 1),
    ("radiopharmaceutical-dose", ("113811", DCM), 0),
    ("text-report", ("121073", DCM), 1),
    ("echo", GROUP, 7),
    ("echo", ("121404", DCM), 1),
    ("mammography-cad", ("111056", DCM), 6),
    ("chest-cad", ("111056", DCM), 2),
)


@pytest.mark.parametrize(("name", "concept", "count"), COUNTS)
def test_promised_items(name: str, concept: tuple[str, str], count: int) -> None:
    assert len(list(tree(name).root.descendants(concept))) == count


def value(item: ContentItem | None) -> Any:
    assert item is not None
    return item.value


def groups(name: str) -> list[ContentItem]:
    return list(tree(name).root.descendants(GROUP))


def test_one_lesion_is_tracked_through_groups_and_time() -> None:
    uids = {
        value(group.child(TRACKING_UID)) for name in ("measurements", "measurements-later") for group in groups(name)
    }
    assert len(uids) == 1


def test_an_observation_uid_is_of_one_time_and_stays_when_it_is_corrected() -> None:
    uids = {
        name: [group.observation_uid for group in groups(name)]
        for name in ("measurements", "measurements-amended", "measurements-later", "measurements-by-dcmqi")
    }
    assert uids["measurements"] == uids["measurements-amended"]
    assert uids["measurements"][0] not in (None, uids["measurements-later"][0])
    assert uids["measurements"][1:] == [None, None]  # neither writer makes them by itself
    assert uids["measurements-by-dcmqi"] == [None]


@pytest.mark.parametrize("name", ["measurements", "measurements-by-dcmqi"])
def test_the_site_is_lateralised(name: str) -> None:
    site = groups(name)[0].child(SITE)
    assert site is not None
    assert value(site).means(("39607008", SCT))
    assert value(site.child(SIDE)).means(("7771000", SCT))
    assert (site.child(PART) is not None) == (name == "measurements")  # dcmqi has no topographical modifier


def test_numbers_have_numbers_below() -> None:
    (volume,) = groups("measurements")[0].having(("118565006", SCT))
    below = [item.value.value for item in volume.descendants() if isinstance(item.value, MeasuredValue)]
    assert len(below) == 4  # mean of a population, upper limit of normal, two uncertainties


def said(group: ContentItem) -> set[tuple[Any, ...]]:
    """Return what a group says: concepts with their values, without what only one of the writers knows."""
    found = set()
    for item in group.related("CONTAINS", "HAS CONCEPT MOD", "HAS OBS CONTEXT"):
        assert item.concept is not None
        if isinstance(item.value, MeasuredValue):
            assert item.value.unit is not None
            found.add((item.concept.concept, str(item.value.value), item.value.unit.value))
        elif isinstance(item.value, Code):
            found.add((item.concept.concept, item.value.concept))
        elif isinstance(item.value, str):
            found.add((item.concept.concept, item.value))
    return found


def test_two_writers_say_the_same_of_the_lesion() -> None:
    one, other = said(groups("measurements")[0]), said(groups("measurements-by-dcmqi")[0])
    assert {fact[0] for fact in other - one} == {
        ("C67447", "NCIt"),  # activity session, which dcmqi always writes
        ("111037", DCM),  # margins stand in another group of ours
    }
    assert {fact[0] for fact in one - other} == {
        ("276214006", SCT),  # finding category, which dcmqi cannot write
        ("111000", DCM),  # family of the algorithm
        ("111002", DCM),  # parameters of the algorithm
    }
    assert len(one & other) >= 10


def test_an_old_dose_report_has_retired_codes_and_units_that_are_none() -> None:
    found = tree("ct-dose-enhanced-sr")
    assert found.root.child(("121058", DCM)) is not None
    schemes = {item.value.scheme for item in found if isinstance(item.value, Code)}
    assert "SRT" in schemes
    units = {item.value.unit.value for item in found if isinstance(item.value, MeasuredValue) and item.value.unit}
    assert "mGycm" in units


def test_the_stated_total_is_not_the_sum() -> None:
    found = tree("ct-dose")
    (total,) = (item.value for item in found.root.descendants(("113813", DCM)))
    single = [item.value for item in found.root.descendants(("113838", DCM))]
    assert isinstance(total, MeasuredValue)
    assert str(total.value) == "512.30"
    assert len(single) == 2


@pytest.mark.parametrize("name", ["text-report", "measurements"])
def test_an_amendment_names_what_it_replaces(name: str) -> None:
    (study,) = sample(f"{name}-amended").PredecessorDocumentsSequence
    before = sample(name)
    named = study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert (study.StudyInstanceUID, named.ReferencedSOPInstanceUID) == (before.StudyInstanceUID, before.SOPInstanceUID)
    assert sample(f"{name}-amended").SOPInstanceUID != before.SOPInstanceUID
    assert (before.VerificationFlag == "VERIFIED") == (name == "text-report")


@pytest.mark.parametrize(
    ("name", "kind", "start"),
    [("encapsulated-pdf", "application/pdf", b"%PDF-1.4"), ("encapsulated-cda", "text/XML", b"<?xml")],
)
def test_documents_are_encapsulated_whole(name: str, kind: str, start: bytes) -> None:
    data = sample(name)
    assert data.MIMETypeOfEncapsulatedDocument == kind
    document = data.EncapsulatedDocument[: data.EncapsulatedDocumentLength]
    assert document.startswith(start)
    assert document.endswith((b"%%EOF\n", b">\n"))
    assert len(data.EncapsulatedDocument) - len(document) in (0, 1)


# -- what others say ----------------------------------------------------------------------------------------------

UNKNOWN_SCHEME = "Warning - Unrecognized defined term <99ACME> for value 1 of attribute <Coding Scheme Designator>"
SAID = {
    "ct-dose-enhanced-sr": {
        "Warning - CodingSchemeDesignator is deprecated - attribute <CodingSchemeDesignator> = <SRT>"
    },
    "echo": {UNKNOWN_SCHEME},
    "simplified-echo": {UNKNOWN_SCHEME},
    "every-value-type": {  # dciodvfy of Debian 12 does not know TCOORD
        "Warning - Attribute is not present in standard DICOM IOD - (0x0040,0xa130) CS Temporal Range Type ",
        "Warning - Attribute is not present in standard DICOM IOD - (0x0040,0xa132) UL Referenced Sample Positions ",
        "Warning - Attribute is not present in standard DICOM IOD - (0x0040,0xa138) DS Referenced Time Offsets ",
        "Warning - Attribute is not present in standard DICOM IOD - (0x0040,0xa13a) DT Referenced DateTime ",
        "Warning - Dicom dataset contains attributes not present in standard DICOM IOD - "
        "this is a Standard Extended SOP Class",
    },
}
"""All that dciodvfy finds in our objects."""


@pytest.mark.live
@pytest.mark.usefixtures("dicom_tools")
@pytest.mark.parametrize("name", ALL)
def test_dciodvfy_finds_no_more_than_we_know_of(name: str, sample_files: dict[str, Path]) -> None:
    done = subprocess.run(["dciodvfy", sample_files[name]], capture_output=True, text=True, timeout=60)
    complaints = {line for line in done.stderr.splitlines() if line.startswith(("Error", "Warning"))}
    assert complaints == SAID.get(name, set())
    assert done.returncode == 0
