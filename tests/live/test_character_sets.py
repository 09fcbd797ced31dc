"""Every character set through each Orthanc: what its metadata say; the text is right all the same, or recorded."""

from collections.abc import Callable
from typing import Any

from mapper.dicom.charset import undefined
from mapper.dicom.reader import Reader
from mapper.dicom.sr.tree import content_tree
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, study_to_fhir
from mapper.maps.site import Site
from mapper.sources.orthanc.source import Orthanc
from stack import Orthanc as Server
from tests.field_reports.charsets import ODD, ROWS, of_charset, shown
from tests.field_reports.raw import part10
from tests.support.stack import session

E = b"\x1b"
SENT = [*(row[1:] for row in ROWS), *ODD]


def store(server: Server, uid: str, **attributes: Any) -> None:
    """Upload one instance of a study of its own."""
    uids = {"StudyInstanceUID": uid, "SeriesInstanceUID": f"{uid}.1", "SOPInstanceUID": f"{uid}.1.1"}
    body = part10(**{**uids, "PatientID": f"P{uid}", **attributes})
    session().post(f"{server.url}/instances", data=body, auth=server.auth, timeout=20).raise_for_status()


def source_of(server: Server) -> Orthanc:
    return Orthanc(server.url, Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS), *(server.auth or (None, None)))


def metadata_of(server: Server, uid: str) -> Any:
    """Return what Orthanc itself says of the one instance."""
    url = f"{server.url}/dicom-web/studies/{uid}/series/{uid}.1/metadata"
    answer = session().get(url, auth=server.auth, headers={"Accept": "application/dicom+json"}, timeout=20)
    return answer.json()[0]


def test_every_set_is_right_or_recorded(new_orthanc: Callable[..., Server], orthanc_class: type[Server]) -> None:
    server = new_orthanc(orthanc_class, plugin_script=None)
    source, wrong = source_of(server), []
    for number, (terms, raw, text) in enumerate(SENT):
        uid = f"1.2.3.{number}"
        code = {"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": raw.split(b"=")[0]}
        store(server, uid, SpecificCharacterSet=terms, PatientName=raw, ProcedureCodeSequence=[code])
        made = study_to_fhir(source.read(uid, []).study, Site())
        resources = {one["resourceType"]: one for one in made.resources}
        name = shown(resources["Patient"].get("name", []))
        meaning = resources["ImagingStudy"]["procedureCode"][0]["coding"][0]["display"]
        doubted = undefined((terms or "").split("\\")) is not None or (terms, raw, text) in ODD
        if name != text.rstrip("=") or meaning != text.split("=")[0] or bool(of_charset(made.problems)) != doubted:
            wrong.append((terms, name, text, meaning, made.problems))
    assert wrong == []


def test_what_orthanc_itself_says(new_orthanc: Callable[..., Server], orthanc_class: type[Server]) -> None:
    """What docs/operations.md and mapper/sources/orthanc/raw_texts.py say of it: when this fails, Orthanc changed."""
    server = new_orthanc(orthanc_class, plugin_script=None)
    yamada = E + b"$B;3ED" + E + b"(B"
    said = {
        "ISO_IR 100": (b"M\xfcller", ["ISO_IR 100"], "M\u00fcller"),
        "\\ISO 2022 IR 87": (yamada, ["ISO 2022 IR 87"], "\u5c71\u7530"),
        "ISO 2022 IR 6\\ISO 2022 IR 87": (yamada, ["ISO 2022 IR 6", "ISO 2022 IR 87"], "$B;3ED(B"),
        "ISO 2022 IR 13\\ISO 2022 IR 87": (yamada, ["ISO 2022 IR 13", "ISO 2022 IR 87"], ";3ED"),
        "ISO IR 100": (b"M\xfcller", ["ISO IR 100"], "Mller"),
        "ISO_IR 6": (b"M\xfcller", ["ISO_IR 6"], "Mller"),
        "ISO_IR 203": (b"x\xa4", ["ISO_IR 203"], "x"),
    }
    for number, (terms, (raw, named, text)) in enumerate(said.items()):
        store(server, f"1.2.3.{number}", SpecificCharacterSet=terms, StudyDescription=raw)
        found = metadata_of(server, f"1.2.3.{number}")
        assert (found["00080005"]["Value"], found["00081030"]["Value"]) == (named, [text])


def test_a_title_of_each_instance_is_its_own(new_orthanc: Callable[..., Server], orthanc_class: type[Server]) -> None:
    """Two Korean titles that look alike when their bytes are gone."""
    server = new_orthanc(orthanc_class, plugin_script=None)
    titles = {1: (b"\xc8\xab", "\ud64d"), 2: (b"\xb1\xe6", "\uae38")}
    for number, (raw, _) in titles.items():
        store(
            server,
            "1.2.3",
            SpecificCharacterSet="ISO 2022 IR 6\\ISO 2022 IR 149",
            SOPInstanceUID=f"1.2.3.1.{number}",
            InstanceNumber=number,
            ContentDescription=E + b"$)C" + raw,
        )
    made = study_to_fhir(source_of(server).read("1.2.3", []).study, Site())
    study = next(one for one in made.resources if one["resourceType"] == "ImagingStudy")
    assert [one["title"] for one in study["series"][0]["instance"]] == [text for _, text in titles.values()]
    assert made.problems == []


def test_a_long_report_is_right_in_every_line(new_orthanc: Callable[..., Server], orthanc_class: type[Server]) -> None:
    """Six hundred texts and numbers: more than are read again one by one."""
    server = new_orthanc(orthanc_class, plugin_script=None)
    yamada = E + b"$B;3ED" + E + b"(B"
    code = {"CodeValue": "121070", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Findings"}
    line = {"RelationshipType": "CONTAINS", "ValueType": "TEXT", "ConceptNameCodeSequence": [code]}
    root = {"ValueType": "CONTAINER", "ContinuityOfContent": "SEPARATE", "ConceptNameCodeSequence": [code]}
    lines = [{**line, "TextValue": yamada + str(number).encode()} for number in range(600)]
    uid = "1.2.3.87"
    terms = "ISO 2022 IR 6\\ISO 2022 IR 87"
    kind = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11", "Modality": "SR", **root, "ContentSequence": lines}
    store(server, uid, SpecificCharacterSet=terms, **kind)
    source = source_of(server)
    (series,) = source.read(uid, []).study.series
    tree = content_tree(series.instances[0].whole)
    assert [one.value for one in tree.root.children] == [f"\u5c71\u7530{number}" for number in range(600)]
