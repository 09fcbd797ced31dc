"""Every URI stands in one place, and every code in a table has a source."""

import re
from collections import Counter
from pathlib import Path

import pytest

import mapper
from mapper.dicom.retired_codes import annex_o
from mapper.fhir import systems
from mapper.maps.values.body_site import body_parts
from mapper.maps.values.laterality import CODES
from mapper.maps.values.patient_state import PREGNANCY, SMOKING
from mapper.maps.values.pydicom_codes import cid, meanings

PACKAGE = Path(mapper.__file__).parent
ANNEX_L = Path(__file__).parents[2] / "spec/ps3.16-table-L-1.tsv"
URI = re.compile(
    r'"((?:https?://(?:terminology\.hl7|hl7|snomed|loinc|unitsofmeasure|dicom\.nema)|urn:(?!orthanc-fhir))[^"{}]+)"'
)


def test_each_uri_is_written_once():
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    elsewhere = {
        f"{path.relative_to(PACKAGE)}: {uri}"
        for path, text in texts.items()
        if path.name != "systems.py"
        for uri in URI.findall(text)
    }
    assert not elsewhere
    text = texts[PACKAGE / "fhir" / "systems.py"]
    counted = Counter(URI.findall(text))
    twice = {uri for uri, times in counted.items() if times > 1}
    # two designators of one code system, side by side
    assert twice <= {"http://hl7.org/fhir/sid/icd-10", "http://www.ama-assn.org/go/cpt"}


def test_the_designators_with_a_scheme_of_their_own_are_those_of_the_dicom_standard():
    for designator, uri in systems.DESIGNATORS.items():
        assert re.fullmatch(r"https?://\S+|urn:oid:[0-9.]+|urn:(iso|ietf)\S+", uri), designator
        assert not uri.startswith("http://dicom.nema.org/medical")


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        (None, "https://example.org/id/patient"),
        ("HOSP A", "https://example.org/id/patient/HOSP%20A"),
        ("o=x,c=de", "https://example.org/id/patient/o%3Dx%2Cc%3Dde"),
        ("a/b?c#d", "https://example.org/id/patient/a%2Fb%3Fc%23d"),
    ],
)
def test_uris_of_the_sites_own(name, uri):
    assert systems.local("https://example.org/id", "patient", name) == uri


def test_pydicoms_private_tables_are_where_we_expect_them():
    assert len(cid(29)) == 51
    assert len(cid(33)) == 74
    assert set(cid(29)) < set(cid(33))
    assert "CT" in cid(29)
    assert "SR" not in cid(29)
    assert annex_o()["T-D3000"] == "51185008"
    assert "T-99999" not in annex_o()


def test_the_modalities_are_those_of_the_standard():
    acquisition = """AR BDUS BI BMD CFM CR CT DG DMS DX ECG EEG EMG EOG EPS ES GM HD IO IVOCT IVUS KER LEN LS MG
        MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS PA POS PT PX RESP RF RG RTIMAGE SM SRF TG US VA XA XC"""
    others = """ASMT AU CTPROTOCOL DOC FID HC IOL KO M3D OT PLAN PR REG RTDOSE RTPLAN RTRECORD RTSTRUCT RWV SEG
        SMR SR STAIN TEXTUREMAP"""
    assert set(cid(29)) == set(acquisition.split())
    assert set(cid(33)) - set(cid(29)) == set(others.split())


# PS3.16 annex L has them, pydicom's tables do not
BODY_PARTS_WITHOUT_A_CONCEPT = {"LOWERTRUNK", "UPPERTRUNK"}
# pydicom calls the code after other context groups than annex L does
OTHER_DISPLAYS = {"CHEST", "THORAX"}


def test_every_body_part_has_a_code_and_a_display_of_the_standard():
    table = body_parts()
    assert len(table) == 317
    unknown = set()
    for part, coding in table.items():
        assert part == part.upper().strip()
        assert coding["system"] == systems.SCT
        known = meanings("SCT", coding["code"])
        if not known:
            unknown.add(part)
        elif part not in OTHER_DISPLAYS:
            assert coding["display"] in known, part
    assert unknown == BODY_PARTS_WITHOUT_A_CONCEPT


def test_every_body_part_has_the_code_of_annex_l():
    """PS3.16 table L-1, as it was printed: a row that was added or turned by mistake stands out."""
    printed = ANNEX_L.read_text(encoding="utf-8").splitlines()[1:]
    assert {part: coding["code"] for part, coding in body_parts().items()} == dict(
        line.split("\t") for line in printed
    ), "mapper/maps/values/body_parts.csv, or the extract where the standard has another edition"


def test_annex_l_and_the_code_map_disagree_where_the_standard_does():
    for part, srt, annex in (("CHEST", "T-D3000", "43799004"), ("ABDOMEN", "T-D4000", "818981001")):
        assert body_parts()[part]["code"] == annex
        assert annex_o().get(srt) not in (annex, None)


def test_lateralities_are_those_of_cid_244():
    assert dict(CODES.values()).items() <= cid(244, "SCT").items()


# HL7's International Patient Summary has them, pydicom's tables do not
FINDINGS_WITHOUT_A_CONCEPT = {"8392000", "266927001"}


def test_findings_are_concepts_of_the_standard():
    codes = {*PREGNANCY.values(), *SMOKING.values()}
    assert {code for code in codes if not meanings("SCT", code)} == FINDINGS_WITHOUT_A_CONCEPT
