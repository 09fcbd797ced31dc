"""Promise 4: no value of an attribute, the study's UID excepted, in a log line, message, metric or ledger row."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.valuerep import PersonName

from mapper.dicom.item import tag_of, vr_of
from mapper.maps import INSTANCE_KEYWORDS, KEYWORDS
from tests.support.part10 import instance, save

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = str(Path(sys.executable).parent / "orthanc-fhir")
MARKER = "Zq7Marker"
NUMBER = "7153.4921"
DATE, TIME = "19431109", "134759"
NEEDLES = (MARKER[:-1], NUMBER, DATE, "1943-11-09", TIME, "13:47:59")
DEEP = 2

GOOD: dict[str, Any] = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"), MARKER),
    "PN": {"Alphabetic": f"{MARKER}^{MARKER}^^Dr.", "Ideographic": f"{MARKER}^{MARKER}"},
    "DA": DATE,
    "TM": TIME,
    "DT": DATE + TIME,
    "AS": "071Y",
    **dict.fromkeys(("DS", "FD", "FL"), NUMBER),
    **dict.fromkeys(("IS", "SL", "SS", "UL", "US"), "71534921"),
}
TEXTS = (
    "AE",
    "AS",
    "CS",
    "DA",
    "DS",
    "DT",
    "IS",
    "LO",
    "LT",
    "PN",
    "SH",
    "ST",
    "TM",
    "UC",
    "UR",
    "UT",
    "FD",
    "US",
    "UL",
)
KINDS: dict[str, Any] = {  # what stands in every attribute
    "good": GOOD,
    "control characters": dict.fromkeys(TEXTS, f"\x07{MARKER[:4]}\x00{MARKER[4:]}\x1b"),
    "over-long": dict.fromkeys(TEXTS, MARKER * 40),
    "undecodable": dict.fromkeys(TEXTS, f"{MARKER}\ufffd\ud800"),
    "objects": {vr: {MARKER: MARKER} for vr in TEXTS},
    "names of objects": {vr: {"Alphabetic": [MARKER]} for vr in TEXTS},
    "lists": {vr: [[MARKER]] for vr in TEXTS},
    "several": {vr: [MARKER, MARKER + "2", None] for vr in TEXTS},
    "backslashes": dict.fromkeys(TEXTS, f"{MARKER}\\{MARKER}"),
}


def attributes(values: dict[str, Any], keywords: frozenset[str], depth: int = 0) -> dict[str, Any]:
    """Return a data set in which every attribute holds the value of its VR."""
    made: dict[str, Any] = {}
    for keyword in sorted(keywords):
        vr = vr_of(keyword)
        if vr == "SQ":
            inside = attributes(values, ITEM, depth + 1) if depth < DEEP else {}
            made[tag_of(keyword)] = {"vr": "SQ", "Value": [inside]}
        elif vr in values:
            value = values[vr]
            made[tag_of(keyword)] = {"vr": vr, "Value": value if isinstance(value, list) else [value]}
    return made


ITEM = frozenset(
    {
        *("CodeValue", "CodingSchemeDesignator", "CodeMeaning", "CodingSchemeVersion", "LocalNamespaceEntityID"),
        *("UniversalEntityID", "UniversalEntityIDType", "PersonIdentificationCodeSequence", "PersonName", "PatientID"),
        *("InstitutionName", "PersonTelephoneNumbers", "AccessionNumber", "IdentifierTypeCode", "TextValue"),
    }
)


def study(study_uid: str, values: dict[str, Any], **elements: Any) -> list[dict[str, Any]]:
    """Return the metadata of a study of two instances full of these values.

    When a study began is the one thing that the ledger may know, as a rank.
    """

    def one(number: int) -> dict[str, Any]:
        identity = {
            "StudyInstanceUID": study_uid,
            "SeriesInstanceUID": f"{study_uid}.1",
            "SOPInstanceUID": f"{study_uid}.1.{number}",
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        }
        named = {tag_of(keyword): {"vr": "UI", "Value": [value]} for keyword, value in identity.items()}
        started = {"StudyDate": "20200101", "StudyTime": "101010"} if values is GOOD else {}
        kept = {tag_of(keyword): {"vr": vr_of(keyword), "Value": [value]} for keyword, value in started.items()}
        return {**attributes(values, KEYWORDS | INSTANCE_KEYWORDS), **kept, **named, **elements}

    return [one(1), one(2)]


def everywhere(elements: Any) -> dict[str, Any]:
    """Return one raw attribute for every keyword, whatever its VR."""
    kept = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"}
    return {tag_of(keyword): elements for keyword in (KEYWORDS | INSTANCE_KEYWORDS) - kept}


METADATA: dict[str, list[dict[str, Any]]] = {
    **{f"1.2.{number}": study(f"1.2.{number}", values) for number, values in enumerate(KINDS.values(), 1)},
    "1.3.1": study("1.3.1", GOOD, **everywhere({"vr": "LO", "Value": MARKER})),
    "1.3.2": study("1.3.2", GOOD, **everywhere(MARKER)),
    "1.3.3": study("1.3.3", GOOD, **everywhere({"vr": "UN", "InlineBinary": MARKER + "?"})),
    "1.3.4": study("1.3.4", GOOD, **everywhere({"vr": "LO", "BulkDataURI": f"http://{MARKER}/"})),
    "1.3.5": study("1.3.5", GOOD, **{tag_of("SeriesInstanceUID"): {"vr": "UI", "Value": [MARKER]}}),
    "1.3.6": study("1.3.6", GOOD, **{tag_of("SOPClassUID"): {"vr": "UI", "Value": [f"1.2.{MARKER}"]}}),
    "1.3.7": [
        {**one, tag_of("PatientID"): {"vr": "LO", "Value": [f"{MARKER}{number}"]}}
        for number, one in enumerate(study("1.3.7", GOOD))
    ],
}


def assert_silent(said: str | bytes, where: str) -> None:
    """Search for the marker, however it is written."""
    text = (said.decode("utf-8", errors="replace") if isinstance(said, bytes) else said).lower()
    for needle in NEEDLES:
        at = text.find(needle.lower())
        assert at < 0, f"{needle} stands in {where}: …{text[max(0, at - 200) : at + 80]}…"


def environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORTHANC_FHIR_")}
    return {**clean, "PYTHONPATH": f"{ROOT}/tests:{ROOT}", "PYTHONWARNINGS": "default"}


FEW = ("1.2.1", "1.2.3", "1.3.1", "1.3.7")


def marked_run(url: str, studies: Iterable[str], log_format: str) -> str:
    """Sync studies through everything that can go wrong in a process of its own; return all that it said."""
    given = {"marker": MARKER, "metadata": {uid: METADATA[uid] for uid in studies}, "log_format": log_format}
    ran = subprocess.run(
        [sys.executable, str(ROOT / "tests/support/marked_run.py"), url],
        input=json.dumps(given), capture_output=True, text=True, check=False, env=environment(), cwd=ROOT, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    said, _, last = ran.stdout.rstrip().rpartition("\n")
    assert last == "MARKED CONTENT REACHED FHIR: True"
    assert_silent(ran.stderr, "the errors")
    return said


@pytest.mark.parametrize(("log_format", "studies"), [("json", tuple(METADATA)), ("text", FEW)], ids=["json", "text"])
def test_nothing_that_is_ever_said_holds_a_value(ledger_url: str, log_format: str, studies: tuple[str, ...]) -> None:
    said = marked_run(ledger_url, studies, log_format)
    assert said.count("1.2.1") > 3, "the study's UID may be said"
    for fate in ("synced", "parked", "unexpected RuntimeError", "HTTP 422", "unexpected ValueError"):
        assert fate in said
    assert_silent(said, "the output")
    path = Path(ledger_url.removeprefix("sqlite:///"))
    for file in path.parent.glob(f"{path.name}*"):
        assert_silent(file.read_bytes(), file.name)
    if log_format == "json":
        lines = [json.loads(line) for line in said.partition("\n/ ")[0].splitlines()]
        assert {"study", "library"} <= {line["event"] for line in lines}
        assert all("level" in line for line in lines)
        crashed = [line for line in lines if line.get("logger") == "uvicorn.error"]
        assert [line["error"] for line in crashed] == ["RuntimeError"]


# -- convert -------------------------------------------------------------------------------------


def marked_file(path: Path, study_uid: str, value: str) -> Path:
    """Write a file whose every text attribute holds a value as it is, right or wrong."""
    data = instance(study_uid)
    plant(data, value, KEYWORDS | INSTANCE_KEYWORDS)
    return save(path, data)


def plant(data: Dataset, value: str, keywords: frozenset[str], depth: int = 0) -> None:
    for keyword in sorted(keywords):
        vr = dictionary_VR(tag_for_keyword(keyword) or 0).split(" or ")[0]
        if vr == "SQ" and depth < 2:
            item = Dataset()
            plant(item, value, ITEM, depth + 1)
            setattr(data, keyword, [item])
        elif vr in ("AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UT", "UR"):
            element = DataElement(tag_for_keyword(keyword) or 0, vr, "")
            element._value = (
                PersonName(value) if vr == "PN" else value
            )  # what its VR does not allow must get into the file as well
            data[keyword] = element


VALUES = {
    "plain": MARKER,
    "control characters": f"{MARKER}\x07\x1b$B",
    "over-long": MARKER * 60,
    "backslashes": f"{MARKER}\\{MARKER}",
    "a name": f"{MARKER}^{MARKER}={MARKER}={MARKER}={MARKER}",
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # of the writer: that is what these files are for
def test_convert_says_nothing_of_any_value(tmp_path: Path) -> None:
    for number, value in enumerate(VALUES.values()):
        folder = tmp_path / "in" / str(number)
        whole = marked_file(folder / "whole.dcm", f"1.2.1{number}.1", value).read_bytes()
        (folder / "notes.txt").write_text(MARKER)
        (folder / "cut.dcm").write_bytes(whole[: len(whole) // 2].replace(b"1.2.1", b"1.2.2"))
        latin = whole.replace(MARKER.encode(), MARKER.encode()[:-1] + b"\xff").replace(b"1.2.1", b"1.2.3")
        (folder / "latin.dcm").write_bytes(latin)
    ran = subprocess.run(
        [PROGRAM, "convert", "--each-study", "in", "--problems", "problems.ndjson"],
        capture_output=True, check=False, env=environment(), cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert b"Traceback" not in ran.stderr
    assert_silent(ran.stderr, "the errors")
    assert_silent((tmp_path / "problems.ndjson").read_bytes(), "the problems")
    bundles = ran.stdout.splitlines()
    assert len(bundles) >= 2 * len(VALUES)
    assert all(MARKER[:-1].encode() in bundle for bundle in bundles), "the content is there"
