"""SpecificCharacterSet: every defined term of PS3.3 C.12.1.1.2 decodes right, in a name, a text, a code and an id.

Bytes are typed in from PS3.5 annexes H to K and from ISO's registry, not encoded by what is under test.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from mapper.convert import read_folders
from mapper.dicom.graphic_sets import ALONE, EXTENDED
from mapper.errors import Problem
from mapper.maps import Mapped, study_to_fhir
from tests.field_reports.charsets import ODD, ROWS, E, of_charset, shown
from tests.field_reports.raw import part10
from tests.support.datasets import dataset, site
from tests.support.everything import study_of

TEXTS = [  # the same for what is no name: `^` and `=` are text there, a backslash is none in a paragraph
    *(row for row in ROWS if not {"^", "="} & set(row[3])),
    ("H.3.2", "ISO 2022 IR 13\\ISO 2022 IR 87", b"\xd4\xcf" + E + b"$B;3ED" + E + b"(J\xc0", "ﾔﾏ山田ﾀ"),
    ("H.3.1", "\\ISO 2022 IR 87", b"a^b=" + E + b"$B;3ED" + E + b"(Bc", "a^b=山田c"),
    ("I.2", "\\ISO 2022 IR 149", E + b"$)C\xb1\xe6\xb5\xbf ^ \xc8\xab", "길동 ^ 홍"),
    ("K.2", "\\ISO 2022 IR 58", b"a=" + E + b"$)A\xd5\xc5^\xd0\xa1", "a=张^小"),
    ("6.1.2.5.3", "ISO 2022 IR 100\\ISO 2022 IR 144", b"M\xfc=" + E + b"-L\xbb^\xee", "Mü=Л^ю"),
]


def each(table: list[tuple[str, str | None, bytes, str]]) -> Any:
    """Run a test on each row of a table, which its paragraph names."""
    return pytest.mark.parametrize(("terms", "raw", "text"), [row[1:] for row in table], ids=[row[0] for row in table])


def of_file(folder: Path, terms: str | None, **attributes: Any) -> tuple[dict[str, Any], list[Problem]]:
    """Return the resources of one file by type, and what was recorded."""
    (folder / "file.dcm").write_bytes(part10(SpecificCharacterSet=terms, **attributes))
    made = study_to_fhir(read_folders([folder], pytest.fail).only_study(), site())
    return {one["resourceType"]: one for one in made.resources}, made.problems


def of_metadata(**attributes: Any) -> Mapped:
    """Return what the metadata of one instance become."""
    uids = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1", "SOPInstanceUID": "1.2.3.1.1"}
    whole = {**uids, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT", "PatientID": "P1", **attributes}
    return study_to_fhir(study_of(json.dumps([dataset(**whole)]).encode()), site())


@each(ROWS)
def test_a_name_in_a_file(tmp_path, terms, raw, text):
    made, problems = of_file(tmp_path, terms, PatientName=raw)
    assert shown(made["Patient"]["name"]) == text.rstrip("=")
    assert [one for one in problems if one.attribute in ("SpecificCharacterSet", "PatientName")] == []


@each(TEXTS)
def test_texts_codes_and_ids_in_a_file(tmp_path, terms, raw, text):
    code = {"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": raw}
    made, problems = of_file(
        tmp_path, terms, StudyDescription=raw, IssuerOfPatientID=raw, ProcedureCodeSequence=[code], StudyComments=raw
    )
    study, patient = made["ImagingStudy"], made["Patient"]
    assert study["description"] == text
    assert study["note"][0]["text"] == text
    assert study["procedureCode"][0]["coding"][0]["display"] == text
    assert patient["identifier"][0]["assigner"]["display"] == text
    same = of_metadata(IssuerOfPatientID=text)
    assert patient["id"] == next(one["id"] for one in same.resources if one["resourceType"] == "Patient")
    assert problems == []


def test_the_text_of_ps3_5_k_2(tmp_path):
    raw = (
        b"The first line includes \x1b$)A\xd6\xd0\xce\xc4.\r\n"
        b"The second line includes \x1b$)A\xd6\xd0\xce\xc4, too.\r\nThe third line.\r\n"
    )
    made, problems = of_file(tmp_path, "\\ISO 2022 IR 58", StudyComments=raw)
    said = "The first line includes 中文.\nThe second line includes 中文, too.\nThe third line."
    assert made["ImagingStudy"]["note"] == [{"text": said}]
    assert problems == []


def test_every_defined_term_has_a_row():
    used = {term for _, terms, *_ in ROWS for term in (terms or "").split("\\") if term}
    assert used == {*ALONE, *EXTENDED}
    assert len(ALONE) == 15
    assert len(EXTENDED) == 17


# -- what no paragraph defines ------------------------------------------------------------------------------------

UNREADABLE = [  # bytes that the sets named do not have, escape sequences of sets not named
    ("ISO_IR 192", b"M\xfcller", "M\ufffdller"),
    ("ISO_IR 100", E + b"$B;3" + E + b"(B", "\ufffd;3"),
    ("ISO 2022 IR 100", E + b"-L\xbb", "\ufffd»"),
    ("\\ISO 2022 IR 87", b"M\xfcller", "M\ufffdller"),
    ("\\ISO 2022 IR 149\\ISO 2022 IR 58", b"\xd5\xc5", "\ufffd\ufffd"),
    ("ISO_IR 13", b"\x88\xaf", "\ufffdｯ"),
    ("\\ISO 2022 IR 87", E + b"$B-!" + E + b"(B", "\ufffd"),  # row 13 is no part of JIS X 0208
]


@pytest.mark.parametrize(("terms", "raw", "text"), ODD)
def test_a_term_that_is_none_is_recorded_always(tmp_path, terms, raw, text):
    made, problems = of_file(tmp_path, terms, PatientName=raw)
    assert shown(made["Patient"]["name"]) == text
    assert len(of_charset(problems)) == 1
    assert "ller" not in str(problems)


@pytest.mark.parametrize(("terms", "raw", "text"), UNREADABLE)
@pytest.mark.parametrize("keyword", ["PatientName", "StudyDescription"])
def test_what_nobody_can_read_is_marked_and_recorded(tmp_path, terms, raw, text, keyword):
    made, problems = of_file(tmp_path, terms, **{keyword: raw})
    found = shown(made["Patient"]["name"]) if keyword == "PatientName" else made["ImagingStudy"]["description"]
    assert found.replace("\ufffd\ufffd", "\ufffd") == text.replace("\ufffd\ufffd", "\ufffd")
    assert [one for one in problems if keyword in one.attribute.split()]


def test_what_nobody_can_read_inside_an_item_is_recorded(tmp_path):
    code = {"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": b"M\xfc"}
    _, problems = of_file(tmp_path, "ISO_IR 192", ProcedureCodeSequence=[code])
    assert [one.attribute for one in problems] == ["ProcedureCodeSequence"]


def test_an_item_may_have_a_set_of_its_own(tmp_path):
    """PS3.5 section 7.5.3: without one it has that of the data set around it."""
    code = {"CodeValue": "1", "CodingSchemeDesignator": "99X"}
    codes = [
        {**code, "SpecificCharacterSet": "ISO_IR 144", "CodeMeaning": b"\xbb\xee\xda"},
        {**code, "CodeValue": "2", "CodeMeaning": b"M\xfcller"},
    ]
    made, problems = of_file(tmp_path, "ISO_IR 100", ProcedureCodeSequence=codes)
    assert [one["coding"][0]["display"] for one in made["ImagingStudy"]["procedureCode"]] == ["Люк", "Müller"]
    assert problems == []
    odd = [{**code, "SpecificCharacterSet": "ISO_IR 999", "CodeMeaning": b"x"}]
    assert of_charset(of_file(tmp_path, "ISO_IR 100", ProcedureCodeSequence=odd)[1])


# -- metadata, which should be UTF-8 by now -----------------------------------------------------------------------

NAMED = [  # SpecificCharacterSet in DICOM JSON (PS3.18 F.2), a text, whether it is recorded
    (..., "Müller", False),
    (None, "Müller", False),
    ("ISO_IR 192", "Müller", False),
    ("ISO_IR 100", "Müller", False),  # Orthanc leaves the term as it was; one defined term it decodes right
    ("ISO 2022 IR 100", "Müller", False),
    ("GB18030", "王", False),
    ([None, "ISO 2022 IR 87"], "山田", False),
    ("ISO 2022 IR 87", "山田", False),
    ("ISO_IR 6", "Muller", False),
    ("ISO_IR 6", "Müller", True),
    ("ISO 2022 IR 6", "Müller", True),
    # the report: decoded by the first value alone, whatever it looks like
    (["ISO 2022 IR 6", "ISO 2022 IR 87"], "$B;3ED(B", True),
    (["ISO 2022 IR 13", "ISO 2022 IR 87"], ";3ED", True),
    (["ISO 2022 IR 6", "ISO 2022 IR 149"], "Hong", True),
    (["ISO 2022 IR 87", "ISO 2022 IR 159"], "山丂", True),
    (["ISO_IR 192", "GBK"], "Müller", True),
    ("ISO IR 100", "Mller", True),
    ("iso_ir 100", "Müller", True),
    ("ISO_IR 999", "Muller", True),
    ("UTF-8", "Muller", True),
]


@pytest.mark.parametrize(("terms", "text", "recorded"), NAMED)
@pytest.mark.parametrize("instance", [1, 2])
def test_metadata_that_names_more_than_one_set_or_an_unknown_one_is_not_trusted(terms, text, recorded, instance):
    whole = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}
    images = [dataset(**whole, SOPInstanceUID=f"1.2.3.1.{number}", InstanceNumber=number) for number in (1, 2)]
    images[instance - 1] |= dataset(ContentDescription=text)
    if terms is not ...:
        images[instance - 1] |= dataset(SpecificCharacterSet=terms)
    made = study_to_fhir(study_of(json.dumps(images).encode()), site())
    assert bool(of_charset(made.problems)) == recorded


@pytest.mark.parametrize("broken", [5, {"vr": "CS", "Value": [{}]}, {"vr": "CS", "Value": "ISO_IR 100"}])
def test_a_set_that_is_unreadable_is_recorded(broken):
    images = [dataset(StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.1", SOPInstanceUID="1.2.3.1.1",
                      SOPClassUID="1.2.840.10008.5.1.4.1.1.2") | {"00080005": broken}]  # fmt: skip
    assert of_charset(study_to_fhir(study_of(json.dumps(images).encode()), site()).problems)


def test_a_set_inside_an_item_of_the_metadata_is_looked_at_too():
    code = {"CodeValue": "1", "CodingSchemeDesignator": "99X", "SpecificCharacterSet": ["", "ISO_IR 999"]}
    assert of_charset(of_metadata(ProcedureCodeSequence=[code]).problems)


def test_an_escape_sequence_that_a_server_left_in_is_recorded():
    made = of_metadata(StudyDescription="\x1b$B;3ED\x1b(B", SpecificCharacterSet="ISO_IR 100")
    study = next(one for one in made.resources if one["resourceType"] == "ImagingStudy")
    assert study["description"] == "\ufffd;3ED\ufffd"
    assert [one.attribute for one in made.problems] == ["StudyDescription"]
