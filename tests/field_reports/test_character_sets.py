"""SpecificCharacterSet: every defined term of PS3.3 C.12.1.1.2 decodes right, in a name, a text, a code and an id.

Bytes are typed in from PS3.5 annexes H to K and from ISO's registry, not encoded by what is under test.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import dataset, site
from everything import study_of
from field_reports.raw import part10

from mapper.convert import read_folders
from mapper.dicom.graphic_sets import ALONE, EXTENDED
from mapper.errors import Problem
from mapper.maps import Mapped, study_to_fhir

E = b"\x1b"
ROWS = [  # paragraph (PS3.3 table, PS3.5 section), SpecificCharacterSet, bytes of a text, the text
    # single-byte sets without code extensions: PS3.3 table C.12-2
    ("C.12-2", None, b"Buc^Jerome", "Buc^Jerome"),
    ("C.12-2", "", b"Buc^Jerome", "Buc^Jerome"),
    ("C.12-2 ISO_IR 100", "ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
    ("C.12-2 ISO_IR 101", "ISO_IR 101", b"Wa\xb3\xeasa", "Wałęsa"),
    ("C.12-2 ISO_IR 109", "ISO_IR 109", b"an\xbfel", "anżel"),
    ("C.12-2 ISO_IR 110", "ISO_IR 110", b"\xd3\xe7en", "Ķįen"),
    ("C.12-2 ISO_IR 144", "ISO_IR 144", b"\xbb\xee\xda", "Люк"),
    ("C.12-2 ISO_IR 127", "ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"),
    ("C.12-2 ISO_IR 126", "ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
    ("C.12-2 ISO_IR 138", "ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"),
    ("C.12-2 ISO_IR 148", "ISO_IR 148", b"\xc7avu\xfeo\xf0lu", "Çavuşoğlu"),
    ("C.12-2 ISO_IR 13", "ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3~", "ﾔﾏﾀﾞ^ﾀﾛｳ‾"),
    ("C.12-2 ISO_IR 166", "ISO_IR 166", b"\xb9\xd2\xc1\xca\xa1\xd8\xc5", "นามสกุล"),
    ("C.12-2 ISO_IR 203", "ISO_IR 203", b"\xa6\xbdf\xa4", "Šœf€"),
    # multi-byte sets without code extensions: PS3.3 table C.12-5, PS3.5 annex J
    ("C.12-5, J.1", "ISO_IR 192", b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=", "Wang^XiaoDong=王^小東="),
    ("C.12-5, J.3", "GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
    ("C.12-5", "GBK", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
    ("PS3.5 6.1.2.3", "GBK", b"\x81\x5c^\x81\x5e", "乗^乛"),  # halves that look like delimiters
    ("PS3.5 6.1.2.3", "GB18030", b"\x81\x5c\x95\x32\x82\x36", "乗\U00020000"),
    # one term with code extensions: PS3.3 table C.12-3
    ("C.12-3", "ISO 2022 IR 6", b"Doe", "Doe"),
    ("C.12-3", "ISO 2022 IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
    ("C.12-3", "ISO 2022 IR 101", b"Wa\xb3\xeasa", "Wałęsa"),
    ("C.12-3", "ISO 2022 IR 109", b"an\xbfel", "anżel"),
    ("C.12-3", "ISO 2022 IR 110", b"\xd3\xe7en", "Ķįen"),
    ("C.12-3", "ISO 2022 IR 144", b"\xbb\xee\xda", "Люк"),
    ("C.12-3", "ISO 2022 IR 127", b"\xe2\xc8\xc7", "قبا"),
    ("C.12-3", "ISO 2022 IR 126", b"\xc4\xe9\xef", "Διο"),
    ("C.12-3", "ISO 2022 IR 138", b"\xf9\xf8\xe5\xef", "שרון"),
    ("C.12-3", "ISO 2022 IR 148", b"o\xf0lu", "oğlu"),
    ("C.12-3", "ISO 2022 IR 13", b"\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ"),
    ("C.12-3", "ISO 2022 IR 166", b"\xb9\xd2\xc1", "นาม"),
    ("C.12-3", "ISO 2022 IR 203", b"\xa4", "€"),
    # several: Japanese, PS3.5 annex H
    ("H.3.1", "\\ISO 2022 IR 87",
     b"Yamada^Tarou=" + E + b"$B;3ED" + E + b"(B^" + E + b"$BB@O:" + E + b"(B=" + E + b"$B$d$^$@" + E + b"(B^"
     + E + b"$B$?$m$&" + E + b"(B", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    ("H.3.2", "ISO 2022 IR 13\\ISO 2022 IR 87",
     b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=" + E + b"$B;3ED" + E + b"(J^" + E + b"$BB@O:" + E + b"(J=" + E + b"$B$d$^$@"
     + E + b"(J^" + E + b"$B$?$m$&" + E + b"(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
    ("H.3.1", "ISO 2022 IR 6\\ISO 2022 IR 87", b"Yamada=" + E + b"$B;3ED" + E + b"(B", "Yamada=山田"),
    ("6.1.2.5.3", "\\ISO 2022 IR 87", b"Omote=" + E + b"$BI=" + E + b"(B^" + E + b"$BI^" + E + b"(B", "Omote=表^扶"),
    ("C.12-4 159", "\\ISO 2022 IR 87\\ISO 2022 IR 159",
     b"x=" + E + b"$B;3" + E + b"$(D0!" + E + b"(B", "x=山丂"),
    ("C.12-4 87 first", "ISO 2022 IR 87", b"Yamada=" + E + b"$B;3ED" + E + b"(B", "Yamada=山田"),
    # Korean, PS3.5 annex I
    ("I.2", "\\ISO 2022 IR 149",
     b"Hong^Gildong=" + E + b"$)C\xfb\xf3^" + E + b"$)C\xd1\xce\xd4\xd7=" + E + b"$)C\xc8\xab^" + E
     + b"$)C\xb1\xe6\xb5\xbf",
     "Hong^Gildong=洪^吉洞=홍^길동"),
    ("I.2, not designated again", "\\ISO 2022 IR 149",
     E + b"$)C\xc8\xab^\xb1\xe6\xb5\xbf=\xfb\xf3", "홍^길동=洪"),
    ("I.2", "ISO 2022 IR 6\\ISO 2022 IR 149", b"Hong=" + E + b"$)C\xfb\xf3", "Hong=洪"),
    ("C.12-4 149 first", "ISO 2022 IR 149", b"\xc8\xab^\xb1\xe6\xb5\xbf", "홍^길동"),
    # Chinese, PS3.5 annex K
    ("K.1", "\\ISO 2022 IR 58", b"Zhang^XiaoDong=" + E + b"$)A\xd5\xc5^" + E + b"$)A\xd0\xa1\xb6\xab=",
     "Zhang^XiaoDong=张^小东="),
    ("K.1", "ISO 2022 IR 6\\ISO 2022 IR 58", b"Zhang=" + E + b"$)A\xd5\xc5", "Zhang=张"),
    ("C.12-4 58 first", "ISO 2022 IR 58", b"\xd5\xc5^\xd0\xa1\xb6\xab", "张^小东"),
    # sets above 0x80: what is active there stays when the sets below change, and goes at `^`, `=` and at the end
    ("6.1.2.5.3", "ISO 2022 IR 100\\ISO 2022 IR 144",
     b"M\xfcller^Anna=" + E + b"-L\xbb\xee\xda^" + E + b"-L\xd0=M\xfc", "Müller^Anna=Люк^а=Mü"),
    ("6.1.2.5.3", "ISO 2022 IR 6\\ISO 2022 IR 144", E + b"-L\xbb\xee\xda", "Люк"),
    ("6.1.2.5.3", "\\ISO 2022 IR 127", E + b"-G\xe2\xc8\xc7^" + E + b"-G\xe2", "قبا^ق"),
    ("6.1.2.5.3", "ISO 2022 IR 6\\ISO 2022 IR 100", E + b"-AM\xfcller", "Müller"),
    ("6.1.2.5.3", "ISO 2022 IR 101\\ISO 2022 IR 87",
     b"Dvo\xf8\xe1k=" + E + b"$B;3" + E + b"(B\xf8", "Dvořák=山ř"),
    ("6.1.2.5.3", "\\ISO 2022 IR 101\\ISO 2022 IR 109\\ISO 2022 IR 110",
     E + b"-B\xf8" + E + b"-C\xbf" + E + b"-D\xe7", "řżį"),
    ("6.1.2.5.3", "\\ISO 2022 IR 126\\ISO 2022 IR 138\\ISO 2022 IR 148\\ISO 2022 IR 166\\ISO 2022 IR 203",
     E + b"-F\xc4" + E + b"-H\xf9" + E + b"-M\xf0" + E + b"-T\xb9" + E + b"-b\xa4", "Δשğน€"),
    ("6.1.2.5.3", "\\ISO 2022 IR 13\\ISO 2022 IR 58\\ISO 2022 IR 149",
     E + b")I\xd4" + E + b"$)A\xd5\xc5" + E + b"$)C\xfb\xf3", "ﾔ张洪"),
]  # fmt: skip
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


def of_charset(problems: list[Problem]) -> list[str]:
    return [one.reason for one in problems if one.attribute == "SpecificCharacterSet"]


def shown(names: list[dict[str, Any]]) -> str:
    """Return the names of one person as PN writes them."""
    return "=".join("^".join(filter(None, [one.get("family"), *one.get("given", [])])) for one in names)


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

ODD = [  # SpecificCharacterSet, bytes, what is written, whether it may be doubted
    # misspelt: the term is recorded always, the text is right
    ("ISO IR 100", b"M\xfcller", "Müller"),
    ("ISO-IR 100", b"M\xfcller", "Müller"),
    ("ISO_IR_100", b"M\xfcller", "Müller"),
    ("ISO_IR100", b"Muller", "Muller"),
    ("iso_ir 100", b"M\xfcller", "Müller"),
    ("ISO 2022 IR 192", b"M\xc3\xbcller", "Müller"),
    ("UTF-8", b"M\xc3\xbcller", "Müller"),
    ("utf8", b"M\xc3\xbcller", "Müller"),
    ("ISO_IR 58", b"\xd5\xc5", "张"),
    ("ISO 2022 GBK", b"\x81\x5c", "乗"),
    ("\\ISO-2022-IR-87", E + b"$B;3" + E + b"(B", "山"),
    ("ISO_IR 100\\ISO 2022 IR 87", b"M\xfcller=" + E + b"$B;3" + E + b"(B", "Müller=山"),
    ("ISO_IR 192\\ISO 2022 IR 87", b"M\xc3\xbcller", "Müller"),
    ("ISO 2022 IR 100\\ISO_IR 192", b"M\xfcller", "Müller"),
    ("ISO_IR 192\\ISO_IR 192", b"M\xc3\xbcller", "Müller"),
    # unknown: what ASCII holds is kept
    ("ISO_IR 999", b"Muller", "Muller"),
    ("ISO_IR 999", b"M\xfcller", "M\ufffdller"),
    ("WINDOWS-1252", b"M\xfcller", "M\ufffdller"),
    ("ISO 2022 IR 100\\ISO 2022 IR 999", b"M\xfcller", "Müller"),
    # no set, or none but ASCII, and text that is more: Latin-1, as archives read it
    (None, b"M\xfcller", "Müller"),
    ("", b"M\xfcller", "Müller"),
    ("ISO_IR 6", b"M\xfcller", "Müller"),
    ("ISO 2022 IR 6", b"M\xfcller", "Müller"),
]
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
