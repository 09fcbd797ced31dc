"""SNOMED RT style codes of older objects: PS3.16 annex J goes before annex O, and what neither knows stays as it is."""

import csv
from importlib.resources import files

import pytest

from mapper.dicom.retired_codes import annex_o
from mapper.dicom.sr.code import Code
from mapper.fhir import systems
from mapper.maps.values.body_site import body_site
from mapper.maps.values.coding import codeable_concept, coding
from mapper.maps.values.pydicom_codes import meanings
from tests.support.datasets import run

CODES = "ProcedureCodeSequence*"
TABLE = list(csv.DictReader(files("mapper.dicom").joinpath("retired_codes.csv").read_text("utf-8").splitlines()))
SYSTEMS = {
    "SCT": systems.SCT,
    "DCM": systems.DCM,
    "RXNORM": systems.DESIGNATORS["RXNORM"],
    "FMA": systems.DESIGNATORS["FMA"],
}
OTHERS = {  # retired codes that another scheme took over: PS3.16 CID 12, CID 7600, CID 9 (DCM 130324)
    "C-B05A3": ("RXNORM", "236987"),
    "T-C4616": ("FMA", "323407"),
    "F-047E7": ("DCM", "130324"),
}
DIHEDRAL = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
            "5987604321", "6598710432", "7659821043", "8765932104", "9876543210")  # fmt: skip
PERMUTED = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def is_sctid(code: str) -> bool:
    """Tell whether digits are a concept's id of SNOMED CT: its partition and its check digit (Verhoeff)."""
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = int(DIHEDRAL[check][int(PERMUTED[place % 8][int(digit)])])
    return check == 0 and code[-3:-1] in ("00", "10")


def code(value: str, designator: str, meaning: str = "M") -> dict[str, str]:
    return {"CodeValue": value, "CodingSchemeDesignator": designator, "CodeMeaning": meaning}


def test_the_table_is_annex_j_as_it_stands():
    assert len(TABLE) == len({row["retired"] for row in TABLE}) == 369
    assert {
        row["retired"]: tuple(row.values())[1:] for row in TABLE if row["CodingSchemeDesignator"] != "SCT"
    } == OTHERS
    assert [row["retired"] for row in TABLE] == sorted(row["retired"] for row in TABLE)


def test_every_row():
    """PS3.16 annex J: under any of the designators that SNOMED RT had, and where a file says SCT for it."""
    for row in TABLE:
        system = SYSTEMS[row["CodingSchemeDesignator"]]
        for designator in ("SRT", "SNM3", "99SDM", "SCT"):
            found, reasons = run(coding, CODES, ProcedureCodeSequence=[code(row["retired"], designator)])
            assert found == {"system": system, "code": row["CodeValue"], "display": "M"}, row["retired"]
            assert not reasons
            assert Code(row["retired"], designator).means((row["CodeValue"], row["CodingSchemeDesignator"]))
        if system == systems.SCT:
            assert is_sctid(row["CodeValue"])
        else:
            assert not is_sctid(row["CodeValue"])
            assert meanings(row["CodingSchemeDesignator"], row["CodeValue"])


def test_annex_j_wins_where_annex_o_has_another_code():
    other = {row["retired"] for row in TABLE if annex_o().get(row["retired"]) not in (None, row["CodeValue"])}
    assert len(other) == 27
    assert {"T-D2500", "P5-B3004", "L-85B00", "T-00009", "L-80700"} <= other


REPORTED = [  # CodeValue, CodingSchemeDesignator -> system, code
    ("T-D2500", "SRT", systems.SCT, "24136001"),  # hip, not hip region
    ("P5-B3004", "SRT", systems.SCT, "433232009"),  # epicardial, not transthoracic echocardiography
    ("T-D3000", "SRT", systems.SCT, "51185008"),  # annex O alone
    ("T-99999", "SRT", systems.SRT, "T-99999"),  # neither
    ("T-D2500", "99HOSP", "https://pacs.example.org/fhir/id/codesystem/99HOSP", "T-D2500"),  # another's code
    ("24136001", "SRT", systems.SCT, "24136001"),
    ("T-D2500 ", "SRT", systems.SCT, "24136001"),
    ("t-d2500", "SRT", systems.SRT, "t-d2500"),  # codes are case sensitive
]


@pytest.mark.parametrize(("value", "designator", "system", "made"), REPORTED)
def test_what_was_reported_and_its_neighbours(value, designator, system, made):
    found, _ = run(coding, CODES, ProcedureCodeSequence=[code(value, designator)])
    assert (found["system"], found["code"]) == (system, made)


def test_a_body_site_is_where_annex_j_says():
    found, _ = run(body_site, "AnatomicRegionSequence* BodyPartExamined",
                   AnatomicRegionSequence=[code("T-D2500", "SRT", "Hip joint")])  # fmt: skip
    assert found == {"system": systems.SCT, "code": "24136001", "display": "Hip joint"}


def test_an_equivalent_that_is_the_same_code_is_not_said_twice():
    item = {**code("T-D2500", "SRT", "Hip"), "EquivalentCodeSequence": [code("24136001", "SCT", "Hip")]}
    found, _ = run(codeable_concept, CODES, ProcedureCodeSequence=[item])
    assert [one["code"] for one in found["coding"]] == ["24136001"]
