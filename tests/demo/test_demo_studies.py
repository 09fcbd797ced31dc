"""The sample studies: the same bytes in every run, valid, nobody's, and with the cases that they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.uid import UID

from samples.dataset import part10, uid
from samples.studies import DemoStudy, studies

DIGEST = """
import hashlib
from samples.dataset import part10
from samples.studies import studies
print(hashlib.sha256(b"".join(part10(data) for study in studies() for data in study.datasets)).hexdigest())
"""


@pytest.fixture(scope="module")
def made() -> dict[str, DemoStudy]:
    return {study.name: study for study in studies()}


def elements(data: Dataset) -> list[DataElement]:
    return list(data.iterall())


def values(study: DemoStudy, keyword: str, modality: str | None = None) -> list[str]:
    """Return the distinct values at the top level of a study's instances, absent ones left out."""
    found = (data for data in study.datasets if modality in (None, data.Modality) and keyword in data)
    return list(dict.fromkeys(str(data[keyword].value) for data in found))


def test_two_processes_make_the_same_bytes() -> None:
    environments = ({"PYTHONHASHSEED": "1", "TZ": "UTC"}, {"PYTHONHASHSEED": "2", "TZ": "Asia/Dubai"})
    runs = [
        subprocess.Popen([sys.executable, "-c", DIGEST], env={**os.environ, **more}, stdout=subprocess.PIPE, text=True)
        for more in environments
    ]
    digests = [run.communicate(timeout=120)[0].strip() for run in runs]
    assert re.fullmatch("[0-9a-f]{64}", digests[0])
    assert digests[0] == digests[1]


def test_the_set_is_small(made: dict[str, DemoStudy]) -> None:
    instances = [data for study in made.values() for data in study.datasets]
    assert len(made) == 10
    assert len(instances) <= 120
    assert sum(len(part10(data)) for data in instances) < 10_000_000


def test_uids_are_valid_and_each_names_one_thing(made: dict[str, DemoStudy]) -> None:
    instances = [data for study in made.values() for data in study.datasets]
    sop = Counter(data.SOPInstanceUID for data in instances)
    assert max(sop.values()) == 1
    assert len({study.study_uid for study in made.values()}) == len(made)
    series = {data.SeriesInstanceUID: data.StudyInstanceUID for data in instances}
    assert all(series[data.SeriesInstanceUID] == data.StudyInstanceUID for data in instances)
    for study in made.values():
        assert {data.StudyInstanceUID for data in study.datasets} == {study.study_uid}
        numbered = Counter((data.SeriesInstanceUID, data.InstanceNumber) for data in study.datasets)
        assert max(numbered.values()) == 1
        for data in study.datasets:
            for element in elements(data):
                if element.VR == "UI" and element.value:
                    named = UID(element.value)
                    assert named.is_valid, element.keyword
                    assert named.name != named or named.startswith("2.25."), element.keyword  # registered, or ours


def test_uid_is_a_uuid_written_as_the_standard_says() -> None:
    number = int(uid("a", 1).removeprefix("2.25."))
    assert (number >> 76) & 0xF == 5  # the version of the UUID
    assert (number >> 62) & 0b11 == 0b10  # its variant
    assert uid("a", 1) != uid("a", 2)


def test_no_date_comes_from_the_clock(made: dict[str, DemoStudy]) -> None:
    for study in made.values():
        for data in study.datasets:
            for element in elements(data):
                if element.VR in ("DA", "DT") and element.value and element.keyword != "PatientBirthDate":
                    assert "20190101" <= str(element.value)[:8] <= "20241231", element.keyword
            begun = data.get("SeriesTime")
            assert data.get("ContentTime") == begun
            assert data.get("InstanceCreationTime", begun) == begun


def test_every_instance_is_read_back_as_it_was(made: dict[str, DemoStudy]) -> None:
    for study in made.values():
        for data in study.datasets:
            read = dcmread(BytesIO(part10(data)))
            assert part10(dcmread(BytesIO(part10(data)))) == part10(data)
            assert read.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
            if "PixelData" in read:
                assert read.pixel_array.max() > read.pixel_array.min()


def test_patients_are_nobody(made: dict[str, DemoStudy]) -> None:
    obvious = re.compile("Example|Sample|Beispiel|Mihon|Παράδειγμα|ANON-0007")
    for study in made.values():
        for data in study.datasets:
            assert obvious.match(str(data.PatientName))
            for element in elements(data):
                if element.VR == "PN" and element.value:
                    assert obvious.match(str(element.value)), element.keyword


CASES: tuple[tuple[str, str, str | None, list[str]], ...] = (  # study, keyword, modality, distinct values
    ("chest-ct", "Modality", None, ["CT", "SEG", "SR", "KO"]),
    ("chest-ct", "TimezoneOffsetFromUTC", None, ["+0200"]),
    ("chest-ct", "AccessionNumber", None, ["A2024-001"]),
    ("chest-ct", "BodyPartExamined", "CT", ["CHEST"]),
    ("chest-ct", "SliceThickness", "CT", ["5.0"]),
    ("chest-ct", "ConvolutionKernel", "CT", ["SOFT", "LUNG"]),
    ("chest-ct", "Manufacturer", "CT", ["ACME Medical"]),
    ("chest-ct", "ManufacturerModelName", "CT", ["Scan 5000"]),
    ("chest-ct", "DeviceSerialNumber", "CT", ["CT-0123"]),
    ("chest-ct", "StationName", "CT", ["CT01"]),
    ("chest-ct", "SoftwareVersions", "CT", ["VB20A"]),
    ("chest-ct", "PerformingPhysicianName", "CT", ["Example^Eva^^Dr."]),
    ("chest-ct", "PatientSize", None, ["1.68"]),
    ("chest-ct", "PatientWeight", None, ["64.5"]),
    ("chest-ct", "IssuerOfPatientID", None, ["EXAMPLE HOSPITAL"]),
    ("chest-ct", "SeriesDescription", "SR", ["Measurements", "Dose Report"]),
    ("chest-ct-follow-up", "PatientID", None, ["DEMO-0001"]),
    ("chest-ct-follow-up", "Modality", None, ["CT", "SEG", "SR"]),
    ("chest-ct-follow-up", "SeriesDescription", "SR", ["Measurements", "Dose Report", "Report"]),
    ("chest-ct-follow-up", "VerificationFlag", "SR", ["VERIFIED", "UNVERIFIED"]),
    ("brain-mr", "Modality", None, ["MR", "DOC"]),
    ("brain-mr", "TimezoneOffsetFromUTC", None, []),
    ("brain-mr", "IssuerOfPatientID", None, []),
    ("brain-mr", "MIMETypeOfEncapsulatedDocument", "DOC", ["application/pdf"]),
    ("hand-cr", "SpecificCharacterSet", None, ["['', 'ISO 2022 IR 87']"]),
    ("hand-cr", "PatientName", None, ["Mihon^Hanako=見本^花子=みほん^はなこ"]),
    ("hand-cr", "Laterality", None, ["L"]),
    ("breast-mg", "ImageLaterality", None, ["R", "L"]),
    ("heart-us", "NumberOfFrames", None, ["16"]),
    ("chest-dx", "IssuerOfPatientID", None, ["EXAMPLE CLINIC"]),
    ("chest-dx", "TimezoneOffsetFromUTC", None, ["-0500"]),
    ("emergency-dx", "PatientID", None, [""]),
    ("skin-xc", "PhotometricInterpretation", None, ["RGB"]),
    ("deidentified-ct", "PatientIdentityRemoved", None, ["YES"]),
    ("deidentified-ct", "StudyTime", None, [""]),
)


@pytest.mark.parametrize(("study", "keyword", "modality", "expected"), CASES)
def test_promised_value(
    made: dict[str, DemoStudy], study: str, keyword: str, modality: str | None, expected: list[str]
) -> None:
    assert values(made[study], keyword, modality) == expected


CODES: tuple[tuple[str, str, str, str], ...] = (  # study, sequence, designator, value
    ("chest-ct", "ProcedureCodeSequence", "LN", "24627-2"),
    ("chest-ct", "ConceptNameCodeSequence", "DCM", "126000"),  # imaging measurement report
    ("chest-ct", "ConceptNameCodeSequence", "DCM", "113701"),  # X-ray radiation dose report
    ("chest-ct-follow-up", "ConceptNameCodeSequence", "DCM", "126000"),
    ("chest-ct-follow-up", "ConceptNameCodeSequence", "DCM", "113701"),
    ("chest-ct-follow-up", "ConceptNameCodeSequence", "LN", "18748-4"),  # diagnostic imaging report
    ("brain-mr", "AnatomicRegionSequence", "SCT", "12738006"),
    ("brain-mr", "ConceptNameCodeSequence", "LN", "18748-4"),
    ("deidentified-ct", "DeidentificationMethodCodeSequence", "DCM", "113100"),
)


@pytest.mark.parametrize(("study", "sequence", "designator", "value"), CODES)
def test_promised_code(made: dict[str, DemoStudy], study: str, sequence: str, designator: str, value: str) -> None:
    items = [item for data in made[study].datasets for item in data.get(sequence, [])]
    assert (designator, value) in {(item.CodingSchemeDesignator, item.CodeValue) for item in items}


def test_issuers_have_universal_identifiers(made: dict[str, DemoStudy]) -> None:
    data = made["chest-ct"].datasets[0]
    patients, orders = data.IssuerOfPatientIDQualifiersSequence, data.IssuerOfAccessionNumberSequence
    assert {item.UniversalEntityIDType for item in (*patients, *orders)} == {"ISO"}
    assert patients[0].UniversalEntityID != orders[0].UniversalEntityID


def test_the_two_ct_series_show_the_same_slices(made: dict[str, DemoStudy]) -> None:
    slices: dict[str, list[str]] = {}
    for data in made["chest-ct"].datasets:
        if data.Modality == "CT":
            slices.setdefault(data.SeriesInstanceUID, []).append(str(data.ImagePositionPatient))
    assert [len(positions) for positions in slices.values()] == [20, 20]
    first, second = slices.values()
    assert first == second


def test_readings_point_to_instances_of_their_study(made: dict[str, DemoStudy]) -> None:
    for name in ("chest-ct", "chest-ct-follow-up"):
        held = {data.SOPInstanceUID for data in made[name].datasets}
        for data in made[name].datasets:
            if data.SeriesDescription in ("Nodule 1", "Measurements", "Key images"):
                referenced = {
                    element.value for element in elements(data) if element.keyword == "ReferencedSOPInstanceUID"
                }
                assert referenced
                assert referenced <= held, data.SeriesDescription


def measured(study: DemoStudy) -> tuple[set[str], dict[str, float]]:
    """Return tracking UIDs and numeric values of a study's measurement report."""
    (report,) = [data for data in study.datasets if data.SeriesDescription == "Measurements"]
    trees = [element.value for element in elements(report) if element.keyword == "ContentSequence"]
    items = [item for tree in trees for item in tree if "ConceptNameCodeSequence" in item]
    numbers = {
        item.ConceptNameCodeSequence[0].CodeValue: float(item.MeasuredValueSequence[0].NumericValue)
        for item in items
        if item.ValueType == "NUM"
    }
    tracked = {item.UID for item in items if item.ConceptNameCodeSequence[0].CodeValue == "112040"}
    return tracked, numbers


def test_the_nodule_is_tracked_and_grows(made: dict[str, DemoStudy]) -> None:
    tracked, before = measured(made["chest-ct"])
    tracked_later, after = measured(made["chest-ct-follow-up"])
    assert len(tracked) == 1
    assert tracked == tracked_later
    assert set(before) == set(after) == {"103339001", "118565006"}  # long axis, volume
    assert all(after[code] > before[code] for code in before)
    ball = 4 / 3 * 3.14159 * (before["103339001"] / 2) ** 3
    assert before["118565006"] == pytest.approx(ball, rel=0.15)  # voxels of 2 x 2 x 5 mm


def test_the_pdf_finds_its_own_objects(made: dict[str, DemoStudy]) -> None:
    (document,) = [data for data in made["brain-mr"].datasets if data.Modality == "DOC"]
    pdf = document.EncapsulatedDocument[: document.EncapsulatedDocumentLength]
    assert pdf.startswith(b"%PDF-1.4\n")
    assert pdf.endswith(b"%%EOF\n")
    table = int(re.findall(rb"startxref\n(\d+)\n", pdf)[-1])
    assert pdf[table:].startswith(b"xref\n")
    for number, place in enumerate(re.findall(rb"^(\d{10}) 00000 n ", pdf, re.MULTILINE), 1):
        assert pdf[int(place) :].startswith(b"%d 0 obj\n" % number)


def test_the_command_writes_one_folder_a_study(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo", "studies", tmp_path], check=True, capture_output=True, text=True
    )
    folders = sorted(path for path in tmp_path.iterdir())
    assert len(folders) == len(done.stdout.splitlines()) == 10
    for folder in folders:
        files = sorted(folder.iterdir())
        assert len({dcmread(file, stop_before_pixels=True).StudyInstanceUID for file in files}) == 1


def test_what_a_note_rejects_is_not_in_use(made: dict[str, DemoStudy]) -> None:
    left_out = {name: len(study.datasets) - study.in_use for name, study in made.items()}
    assert left_out == {name: 1 if name == "chest-dx" else 0 for name in made}
