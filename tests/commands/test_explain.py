"""Every leaf of the output is explained, by the row that made it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mapper.commands.cli import app
from mapper.convert import read_folders
from mapper.dicom.study import Study
from mapper.errors import Problem, SourceDown
from mapper.explain import leaves, lines, objects
from mapper.fhir.bundle import dump, transaction
from mapper.maps import TABLES, Mapped, study_to_fhir
from mapper.maps.silence import STUDY, Silence, Silences, of_instances, of_series
from mapper.maps.site import Site
from mapper.question import Question
from samples.dataset import part10
from samples.studies import studies
from tests.support.everything import study_of, variants
from tests.support.fakes import FakeSource

SITE = Site(dicomweb="https://pacs.example.org/dicom-web", options=("order_stub", "age", "study_id"))


def every_leaf(value: Any, path: str) -> Iterator[str]:
    """Yield the path of every leaf of a JSON value."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from every_leaf(child, f"{path}.{name}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from every_leaf(child, f"{path}[{number}]")
    else:
        yield path


@pytest.fixture(scope="module")
def mapped(read: dict[str, Study]) -> dict[str, Mapped]:
    """Return every demo study as the maps make it."""
    return {name: study_to_fhir(study, SITE) for name, study in read.items()}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Study]:
    """Return every demo study as its files say it."""
    found = {}
    for study in studies():
        folder = tmp_path_factory.mktemp("study")
        for number, dataset in enumerate(study.datasets):
            (folder / f"{number}.dcm").write_bytes(part10(dataset))
        found[study.name] = read_folders([folder], pytest.fail).only_study()
    return found


def test_every_leaf_of_every_demo_bundle_is_explained(mapped: dict[str, Mapped]) -> None:
    for one in mapped.values():
        bundle = transaction(one.resources, SITE.fhir_public_url)
        in_bundle = []
        for entry in bundle["entry"]:
            resource = entry["resource"]
            url = f"{resource['resourceType']}/{resource['id']}"
            in_bundle += [(url, path) for path in every_leaf(resource, resource["resourceType"])]
            in_bundle += [(url, f"Bundle.entry.{name}") for name in ("fullUrl", "request.method", "request.url")]
        explained = [(leaf.resource, leaf.path) for leaf in leaves(one, SITE.fhir_public_url)]
        assert sorted(explained) == sorted(in_bundle)


def test_only_the_frame_of_a_resource_has_no_row(mapped: dict[str, Mapped]) -> None:
    for one in mapped.values():
        frame = {leaf.path.split(".", 1)[1] for leaf in leaves(one, SITE.fhir_public_url) if leaf.rule is None}
        assert frame == {"entry.fullUrl", "entry.request.method", "entry.request.url", "resourceType"}


def test_a_leaf_names_its_attribute_tag_and_rule(mapped: dict[str, Mapped]) -> None:
    text = "\n".join(lines(mapped["chest-ct"], (), SITE.fhir_public_url))
    assert "ImagingStudy.series[0].bodySite.code = 43799004" in text
    assert "BodyPartExamined (0018,0015)" in text


def test_redacted_lines_hold_no_value(mapped: dict[str, Mapped]) -> None:
    text = "\n".join(lines(mapped["chest-ct"], (), SITE.fhir_public_url, redact=True))
    assert " = " not in text
    assert "Patient.name[0].family" in text


# -- what is not there ---------------------------------------------------------------------------


def explained(study: Study, site: Site) -> tuple[Mapped, list[Silence]]:
    """Return what a study becomes, and which rows made nothing."""
    silences = Silences()
    return study_to_fhir(study, site, silences), list(silences)


def unexplained(mapped: Mapped, silences: list[Silence]) -> list[str]:
    """Return the tables of which some row made something in no place, and nobody says why."""
    spoke = {id(leaf.rule) for leaf in leaves(mapped, "")} | {id(one.rule) for one in silences}
    spoken = {leaf.rule for leaf in leaves(mapped, "")} | {one.rule for one in silences}
    silent = {one.rule for one in silences}
    missing = []
    for name, table in TABLES.items():
        gates = [row for row in table if row in silent and (row.required or row is table[0])]
        missing += [
            f"{name}: {row.element} <- {row.dicom}"
            for row in table
            if id(row) not in spoke and row not in spoken and not gates
        ]
    return missing


def test_every_row_made_something_or_is_explained_in_every_demo_study(read: dict[str, Study]) -> None:
    for name, study in read.items():
        assert not unexplained(*explained(study, SITE)), name


@pytest.mark.parametrize(("metadata", "site"), [one[1:] for one in variants()], ids=[one[0] for one in variants()])
def test_every_row_made_something_or_is_explained_in_every_variant(metadata: bytes, site: Site) -> None:
    assert not unexplained(*explained(study_of(metadata), site))


def test_what_is_not_there_says_attribute_data_set_and_reason(read: dict[str, Study]) -> None:
    mapped, silences = explained(read["chest-ct"], SITE)
    text = list(lines(mapped, silences, SITE.fhir_public_url))
    for line in (
        "  Patient.telecom <- PatientTelephoneNumbers: option telecom is off (the first instance of any series)",
        "  ImagingStudy.encounter <- AdmissionID IssuerOfAdmissionIDSequence: none of AdmissionID, "
        "IssuerOfAdmissionIDSequence (the first instance of any series)",
        "  ImagingStudy.procedureCode <- RequestedProcedureCodeSequence: an earlier row made it "
        "(the first instance of any series)",
    ):
        assert line in text
    assert any(
        re.match(r"  ImagingStudy\.series\.specimen <- .*\(the first instance of series 1", line) for line in text
    )
    assert any(
        re.match(r"  ImagingStudy\.series\.instance\.title <- .*\(\d+ instances of series 1", line) for line in text
    )


def test_json_says_the_same_as_the_text(read: dict[str, Study]) -> None:
    mapped, silences = explained(read["chest-ct"], SITE)
    found = [json.loads(dump(one)) for one in objects(mapped, silences, SITE.fhir_public_url)]
    assert [one["kind"] for one in found] == [
        *["made"] * len(list(leaves(mapped, ""))),
        *["silent"] * len(silences),
        *["problem"] * len(mapped.problems),
    ]
    (body,) = [one for one in found if one.get("path") == "ImagingStudy.series[0].bodySite.code"]
    assert (body["value"], body["attributes"][1]) == ("43799004", {"keyword": "BodyPartExamined", "tag": "(0018,0015)"})
    (telecom,) = [one for one in found if one.get("element") == "Patient.telecom"]
    assert (telecom["why"], telecom["times"], telecom["series"]) == ("option telecom is off", 1, [])
    redacted = [json.loads(dump(one)) for one in objects(mapped, silences, SITE.fhir_public_url, redact=True)]
    assert not any("value" in one for one in redacted)
    assert len(redacted) == len(found)


def test_json_names_some_series_and_says_how_many_more_there_are(read: dict[str, Study]) -> None:
    mapped, silences = explained(read["chest-ct"], SITE)
    rule, many = next(iter(silences)).rule, Silences()
    for number in range(1, 31):
        many.add(rule, "none", of_instances(number))
        many.add(rule, "none", of_series(number))
    many.add(rule, "none", STUDY)
    said = [one["places"] for one in objects(mapped, many, SITE.fhir_public_url) if one["kind"] == "silent"]
    assert said == [
        "30 instances of series 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 20 more",
        "the first instance of series 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 20 more",
        "the first instance of any series",
    ]


SEVERAL = """[[sources]]
name = "a"
url = "http://127.0.0.1:1"
patient_system = "https://a.example/patient"
[[sources]]
name = "b"
url = "http://127.0.0.1:2"
patient_system = "https://b.example/patient"
"""


@pytest.mark.parametrize("first", [None, SourceDown("no answer")], ids=["holds nothing", "is down"])
def test_a_study_is_explained_by_the_source_that_holds_it(
    first: SourceDown | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archives = {"a": FakeSource("a"), "b": FakeSource("b")}
    archives["a"].down = first
    archives["b"].store("1.2.1", patient="P1")
    monkeypatch.setattr("mapper.wiring.orthanc_of", lambda source, settings, metrics: archives[source.name])
    (tmp_path / "several.toml").write_text(SEVERAL, encoding="utf-8")
    result = CliRunner().invoke(app, ["explain", "1.2.1", "--config", str(tmp_path / "several.toml")])
    assert result.exit_code == 0
    assert "https://b.example/patient" in result.stdout
    assert "https://a.example/patient" not in result.stdout


def test_no_namespace_is_made_to_explain(tmp_path: Path) -> None:
    config, namespace = tmp_path / "site.toml", tmp_path / "namespace"
    config.write_text(f'namespace_file = "{namespace}"\n', encoding="utf-8")
    (tmp_path / "a.dcm").write_bytes(part10(next(iter(next(iter(studies())).datasets))))
    result = CliRunner().invoke(app, ["explain", str(tmp_path / "a.dcm"), "--config", str(config)])
    assert result.exit_code == 1
    assert "namespace" in result.stderr
    assert not namespace.exists()


# -- one element -----------------------------------------------------------------------------------

ASKED = {  # what is asked for -> what is said of it, and what is not
    "ImagingStudy.series.bodySite": ({"ImagingStudy.series[0].bodySite.code"}, {"ImagingStudy.series[0].uid"}),
    "ImagingStudy.series[1].bodySite": ({"ImagingStudy.series[0].bodySite.code"}, {"ImagingStudy.series[0].uid"}),
    "ImagingStudy.series": ({"ImagingStudy.series[0].uid"}, {"ImagingStudy.id", "Patient.id"}),
    "Patient": ({"Patient.id"}, {"ImagingStudy.id"}),
    "imagingstudy.SERIES[0].bodysite": ({"ImagingStudy.series[0].bodySite.code"}, {"ImagingStudy.series[0].uid"}),
    "PatientID": ({"Patient.identifier[0].value"}, {"ImagingStudy.series[0].uid"}),
    "patientid": ({"Patient.identifier[0].value"}, {"ImagingStudy.series[0].uid"}),
    "ImagingStudy.ser": (set(), {"ImagingStudy.series[0].uid"}),
    "": ({"Patient.id", "ImagingStudy.id"}, set()),
}


@pytest.mark.parametrize(("element", "there", "elsewhere"), [(k, *v) for k, v in ASKED.items()], ids=ASKED)
def test_one_element_can_be_asked_for(
    read: dict[str, Study], element: str, there: set[str], elsewhere: set[str]
) -> None:
    mapped, silences = explained(read["chest-ct"], SITE)
    found = list(objects(mapped, silences, SITE.fhir_public_url, element=element))
    paths = {one["path"] for one in found if one["kind"] == "made"}
    assert there <= paths
    assert not paths & elsewhere
    text = "\n".join(lines(mapped, silences, SITE.fhir_public_url, element=element))
    assert all(f"  {path}" in text for path in there)
    assert not any(f"  {path} " in text for path in elsewhere)
    for one in (one for one in found if one["kind"] != "made"):
        asked = {each["keyword"].casefold() for each in one.get("attributes", [])}
        asked |= {word.casefold() for word in one.get("attribute", "").split()}
        name = re.sub(r"\[\d+\]", "", element).casefold()
        assert one["element"].casefold().startswith(name) or name in asked


UNKNOWN = {  # what is none -> what is near
    "ImagingStudy.series.bodySit": "ImagingStudy.series.bodySite",
    "imagingstudy.series.bodyste": "ImagingStudy.series.bodySite",
    "bodySite": "ImagingStudy.series.bodySite",
    "BodyPartExamind": "BodyPartExamined",
    "ImagingStudy.ser": "ImagingStudy.series",
    "Patient.nothing.at.all": "",
    "xyzzy": "",
}


@pytest.mark.parametrize(("text", "near"), UNKNOWN.items(), ids=UNKNOWN)
def test_what_no_element_and_no_attribute_is_called_is_said_with_what_is_near(text: str, near: str) -> None:
    question = Question(text)
    assert not question.is_known
    assert near in question.unknown
    assert "xyzzy" not in question.unknown


@pytest.mark.parametrize("text", ["", " ", "Patient", "patient.BIRTHDATE", "ImagingStudy.series[3].uid", "patientname"])
def test_what_the_tables_have_is_known(text: str) -> None:
    assert Question(text).is_known


def test_what_was_dropped_is_told_with_its_value_unless_it_is_redacted(read: dict[str, Study]) -> None:
    study = read["chest-ct"]
    mapped, silences = explained(study, SITE)
    mapped = replace(mapped, problems=[Problem("Patient.id", "PatientID", "odd")])
    value = str(study.item["PatientID"])
    for redact in (False, True):
        (one,) = [one for one in objects(mapped, silences, "", redact=redact, study=study) if one["kind"] == "problem"]
        assert one.get("values") == (None if redact else [value])
        assert (f"it says: {value}" in "\n".join(lines(mapped, silences, "", redact=redact, study=study))) is not redact
