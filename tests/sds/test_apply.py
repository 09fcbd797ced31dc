"""What a dataset's job writes over, what it leaves alone, and what it finds no longer said, in a sink of files."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mapper.fhir import systems
from mapper.fhir.check import check
from mapper.fhir.resource import key_of
from mapper.jobs.sds.apply import Applied, apply
from mapper.jobs.sds.gone import gone
from mapper.jobs.sds.plan import parts
from mapper.jobs.sds.twin import Known, known
from mapper.jobs.sds.writer import Writer
from mapper.records.sds.identity import dataset_uuid
from mapper.sinks.ndjson.sink import Ndjson
from tests.sds.folders import DESCRIPTION, Content, dataset, image
from tests.sds.planned import SITE, read

Json = dict[str, Any]
SHEET = "subject id,sex,species\nsub-1,{},{}\n"
ONE = image("1.2.1", PatientSex=None, PatientBirthDate=None)
A, B = UUID("11111111-2222-4333-8444-555555555555"), UUID("66666666-7777-4888-8999-aaaaaaaaaaaa")


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Ndjson]:
    folder = tmp_path / "fhir"
    folder.mkdir()
    opened = Ndjson(folder)
    yield opened
    opened.close()


def files(sex: str = "female", species: str = "Homo sapiens", **more: Content) -> dict[str, Content]:
    return {"subjects.csv": SHEET.format(sex, species), "primary/sub-1/a.dcm": ONE, **more}


def write(
    root: Path, sink: Ndjson, content: Mapping[str, Content], uuid: UUID = A, *, corrects: bool = True
) -> Applied:
    """Write files as the dataset in a folder, if any are given, and apply it."""
    if content:
        dataset(root, content)
    return apply(parts(read(root), SITE, uuid), sink, check, Writer(SITE.base, uuid, corrects))


def only(sink: Ndjson, kind: str) -> Json:
    (one,) = sink.latest(kind)
    return dict(one)


def versions(sink: Ndjson) -> dict[tuple[str, str], str]:
    return {key_of(one): sink.version(key_of(one)) for kind in sink.kinds() for one in list(sink.latest(kind))}


def numbers(done: Applied) -> tuple[int, int, list[str]]:
    return done.made, done.changed, [kind for kind, _ in done.differ]


def taken_over(sink: Ndjson, kind: str, **elements: Any) -> Json:
    """Write a resource as the live path does: whole, and without a dataset's signature."""
    found = {name: value for name, value in only(sink, kind).items() if name != "meta"}
    found |= elements
    sink.put([{name: value for name, value in found.items() if value is not None}])
    return only(sink, kind)


# -- whose a resource is --------------------------------------------------------------------------------------------

CELLS = {  # what the sheet says first, and then -> what the Patient says
    "a sex that is corrected": (("female", ""), ("male", ""), {"gender": "male"}),
    "a sex that is taken back": (("female", ""), ("", ""), {"gender": None}),
    "a sex that is added": (("", ""), ("male", ""), {"gender": "male"}),
    "a species that is corrected": (("", "Mus musculus"), ("", "Homo sapiens"), {"extension": None}),
}


@pytest.mark.parametrize(("first", "then", "says"), CELLS.values(), ids=CELLS)
def test_a_corrected_cell_reaches_what_the_dataset_wrote(
    tmp_path: Path, sink: Ndjson, first: tuple[str, str], then: tuple[str, str], says: Json
) -> None:
    write(tmp_path / "d", sink, files(*first))
    done = write(tmp_path / "d", sink, files(*then))
    assert (done.made <= 1, done.differ) == (True, {})
    patient = only(sink, "Patient")
    assert {name: patient.get(name) for name in says} == says
    before = versions(sink)
    assert numbers(write(tmp_path / "d", sink, files(*then))) == (0, 0, [])
    assert versions(sink) == before


TOLD = {  # what the sheet says first, and then -> elements told of the Patient, cells that say them
    "the same": (("female", ""), ("female", ""), [], []),
    "a sex that is corrected": (("female", ""), ("male", ""), ["gender"], ["subjects.csv B2"]),
    "a sex that is taken back": (("female", ""), ("", ""), ["gender"], []),
    "a sex that is added": (("", ""), ("male", ""), ["gender"], ["subjects.csv B2"]),
    "a species that is corrected": (("", "Mus musculus"), ("", "Homo sapiens"), ["extension"], ["subjects.csv C2"]),
}


@pytest.mark.parametrize(("first", "then", "elements", "cells"), TOLD.values(), ids=TOLD)
def test_a_correction_is_told_and_made_only_on_wish(
    tmp_path: Path, sink: Ndjson, first: tuple[str, str], then: tuple[str, str], elements: list[str], cells: list[str]
) -> None:
    write(tmp_path / "d", sink, files(*first), corrects=False)
    patient = only(sink, "Patient")
    for _ in range(2):
        done = write(tmp_path / "d", sink, files(*then), corrects=False)
        assert only(sink, "Patient") == patient
        found = done.differ.get(key_of(patient))
        assert (list(found.elements) if found else []) == elements
        assert sorted(map(str, found.cells) if found else []) == cells
        assert found is None or found.whose == "ours"


def test_a_second_dataset_of_a_study_is_told_and_put_beside_the_first_only_on_wish(
    tmp_path: Path, sink: Ndjson
) -> None:
    write(tmp_path / "a", sink, files(), corrects=False)
    study = only(sink, "ImagingStudy")
    done = write(tmp_path / "b", sink, files(), B, corrects=False)
    assert only(sink, "ImagingStudy") == study
    assert (done.differ[key_of(study)].elements, done.differ[key_of(study)].whose) == (("identifier",), "dataset")
    assert write(tmp_path / "b", sink, files(), B).differ == {}
    before = versions(sink)
    for root, uuid in ((tmp_path / "a", A), (tmp_path / "b", B)):
        assert write(root, sink, files(), uuid, corrects=False).differ == {}
    assert versions(sink) == before


def test_what_others_may_write_too_is_signed_by_the_dataset(tmp_path: Path, sink: Ndjson) -> None:
    write(tmp_path / "d", sink, files())
    for kind in ("Patient", "ImagingStudy"):
        assert only(sink, kind)["meta"]["source"].startswith(f"{SITE.base}/sds/{A}/")
    for kind in ("Group", "ResearchStudy", "ResearchSubject"):
        assert "meta" not in only(sink, kind)


OVERWRITTEN = {  # what the live path says of the Patient -> elements that differ, cells that say them
    "the same": ({}, [], []),
    "another sex": ({"gender": "male"}, ["gender"], ["subjects.csv B2"]),
    "no sex": ({"gender": None}, ["gender"], ["subjects.csv B2"]),
    "no species": ({"extension": None}, ["extension"], ["subjects.csv C2"]),
    "another name": ({"name": [{"family": "Other"}]}, ["name"], []),
    "more than the dataset": ({"birthDate": "1978"}, [], []),
}


@pytest.mark.parametrize(("elements", "differ", "cells"), OVERWRITTEN.values(), ids=OVERWRITTEN)
def test_what_somebody_else_wrote_last_is_left_alone_and_told_by_its_cell(
    tmp_path: Path, sink: Ndjson, elements: Json, differ: list[str], cells: list[str]
) -> None:
    content = files("female", "Mus musculus")
    write(tmp_path / "d", sink, content)
    theirs = taken_over(sink, "Patient", **elements)
    for _ in range(2):
        done = write(tmp_path / "d", sink, content)
        assert (done.made, done.changed) == (0, 0)
        assert only(sink, "Patient") == theirs
        found = done.differ.get(key_of(theirs))
        assert (list(found.elements) if found else []) == differ
        assert (list(map(str, found.cells)) if found else []) == cells
        assert found is None or found.whose == "others"


def test_what_somebody_changed_under_the_signature_is_theirs(tmp_path: Path, sink: Ndjson) -> None:
    write(tmp_path / "d", sink, files())
    theirs = {**only(sink, "Patient"), "gender": "other"}
    sink.put([theirs])
    done = write(tmp_path / "d", sink, files())
    assert (done.changed, only(sink, "Patient")) == (0, theirs)
    assert done.differ[key_of(theirs)].whose == "others"
    sink.put([{**theirs, "gender": "female"}])
    assert numbers(write(tmp_path / "d", sink, files("male"))) == (0, 1, []), "put back as it was, it is ours again"


def test_the_live_path_speaks_of_a_patient_as_soon_as_it_has_a_study(tmp_path: Path, sink: Ndjson) -> None:
    """Even where it says the same of the Patient, so that a server makes no new version and keeps the signature."""
    write(tmp_path / "d", sink, files())
    taken_over(sink, "ImagingStudy", description="from the archive")
    done = write(tmp_path / "d", sink, files("male"))
    patient = only(sink, "Patient")
    assert (done.changed, patient["gender"]) == (0, "female")
    told = done.differ[key_of(patient)]
    assert (told.elements, told.whose) == (("gender",), "others")


# -- two datasets ---------------------------------------------------------------------------------------------------


def identifiers(sink: Ndjson, system: str = systems.SPARC_DATASET) -> list[str]:
    return [one["value"] for one in only(sink, "ImagingStudy")["identifier"] if one["system"] == system]


def test_one_study_in_two_datasets_is_found_by_both_and_nothing_flaps(tmp_path: Path, sink: Ndjson) -> None:
    both = [("a", A), ("b", B)]
    for name, uuid in both:
        write(tmp_path / name, sink, files(), uuid)
    assert identifiers(sink) == [f"urn:uid:a-{A}", f"urn:uid:b-{B}"]
    before = versions(sink)
    for _ in range(2):
        for name, uuid in both:
            assert numbers(write(tmp_path / name, sink, files(), uuid)) == (0, 0, [])
            assert versions(sink) == before


def test_what_another_dataset_wrote_is_compared(tmp_path: Path, sink: Ndjson) -> None:
    write(tmp_path / "a", sink, files("female"), A)
    done = write(tmp_path / "b", sink, files("male"), B)
    (found,) = done.differ.values()
    assert (found.elements, found.whose, list(map(str, found.cells))) == (("gender",), "dataset", ["subjects.csv B2"])
    assert only(sink, "Patient")["gender"] == "female"
    assert write(tmp_path / "a", sink, files("male"), A).changed == 1
    assert write(tmp_path / "b", sink, files("male"), B).differ == {}


def test_a_renamed_folder_moves_its_own_identifier_and_no_other_ones(tmp_path: Path, sink: Ndjson) -> None:
    write(tmp_path / "a", sink, files(), A)
    write(tmp_path / "b", sink, files(), B)
    for first, then in (("a", "c"), ("b", "d")):
        uuid = {"a": A, "b": B}[first]
        (tmp_path / first).rename(tmp_path / then)
        assert write(tmp_path / then, sink, {}, uuid).differ == {}
    assert identifiers(sink) == [f"urn:uid:c-{A}", f"urn:uid:d-{B}"]
    before = versions(sink)
    assert numbers(write(tmp_path / "c", sink, {}, A)) == numbers(write(tmp_path / "d", sink, {}, B)) == (0, 0, [])
    assert versions(sink) == before


def test_a_subject_of_another_name_leaves_no_identifier_behind(tmp_path: Path, sink: Ndjson) -> None:
    write(tmp_path / "a", sink, files())
    (tmp_path / "a/primary/sub-1").rename(tmp_path / "a/primary/sub-9")
    write(tmp_path / "a", sink, {"subjects.csv": "subject id\nsub-9\n"})
    assert identifiers(sink, systems.SPARC_STUDY) == ["urn:uid:sub-9-1.2.1"]


# -- one dataset under two UUIDs ------------------------------------------------------------------------------------


def described(title: str, doi: str = "") -> str:
    return DESCRIPTION.format(version="3.0.2").replace("A dataset", title).replace("10.5555/x", doi)


TWINS = {  # folder, title and DOI first, and then -> whether it may be the same, or is by another name
    "as it was": (("a", "T", ""), ("a", "T", ""), "itself"),
    "a title that is corrected": (("a", "T", ""), ("a", "T2", ""), "twin"),
    "a folder that is renamed": (("a", "T", ""), ("b", "T", ""), "twin"),
    "the title in other letters": (("a", "T", ""), ("b", " t ", ""), "twin"),
    "a DOI that is given later": (("a", "T", ""), ("a", "T", "10.5555/x"), "twin"),
    "a DOI that is taken away": (("a", "T", "10.5555/x"), ("a", "T", ""), "twin"),
    "a folder that is renamed, with a DOI": (("a", "T", "10.5555/x"), ("b", "T2", "10.5555/x"), "renamed"),
    "two DOIs are two datasets": (("a", "T", "10.5555/x"), ("a", "T", "10.5555/y"), "new"),
    "another dataset": (("a", "T", ""), ("b", "T2", ""), "new"),
    "no title": (("a", "", ""), ("b", "", ""), "new"),
}


@pytest.mark.parametrize(("first", "then", "what"), TWINS.values(), ids=TWINS)
def test_a_dataset_that_stands_there_by_another_uuid_or_name_is_told(
    tmp_path: Path, sink: Ndjson, first: tuple[str, str, str], then: tuple[str, str, str], what: str
) -> None:
    name, title, doi = first
    root = tmp_path / "one" / name
    written = dataset(root, {**files(), "dataset_description.csv": described(title, doi)})
    one = dataset_uuid(written)
    write(root, sink, {}, one)
    name, title, doi = then
    told = dataset(tmp_path / "two" / name, {**files(), "dataset_description.csv": described(title, doi)})
    expected = {"itself": Known(), "new": Known(), "twin": Known((one,)), "renamed": Known(renamed=True, retitled=True)}
    assert known(told, dataset_uuid(told), SITE, sink) == expected[what]
    assert known(told, one, SITE, sink).twins == (), "its UUID is named"
    assert known(told, one, SITE, sink).retitled is (title.strip().casefold() != first[1].casefold())


def test_a_dataset_of_another_namespace_is_none_of_ours(tmp_path: Path, sink: Ndjson) -> None:
    write(tmp_path / "a", sink, {**files(), "dataset_description.csv": described("T")}, A)
    told = read(tmp_path / "a")
    assert known(told, B, SITE, sink).twins == (A,)
    assert known(told, B, SITE.model_copy(update={"namespace": B}), sink).twins == ()


# -- what is no longer said -----------------------------------------------------------------------------------------


class Answering(Ndjson):
    """A server that does not know the search parameter, and answers all that it has."""

    def named(self, kind: str, system: str) -> Iterator[Any]:
        yield from list(self.latest(kind))


def test_a_server_that_answers_more_than_it_was_asked_for_loses_nothing_of_others(tmp_path: Path) -> None:
    (tmp_path / "fhir").mkdir()
    sink = Answering(tmp_path / "fhir")
    write(tmp_path / "a", sink, files())
    write(tmp_path / "b", sink, files(), B)
    sink.put([{"resourceType": "Group", "id": "theirs", "type": "person", "actual": True}])
    done = write(tmp_path / "a", sink, files())
    assert gone(sink, done.said, Writer(SITE.base, A)) == []
    sink.close()


TWO = "subject id,species\nsub-1,Homo sapiens\nsub-2,{}\n"
GONE = {  # subjects first, and then -> types of what is left behind
    "as it was": (TWO.format("Homo sapiens"), TWO.format("Homo sapiens"), []),
    "a subject that is gone": (
        TWO.format("Homo sapiens"),
        "subject id,species\nsub-1,Homo sapiens\n",
        ["Patient", "ResearchSubject"],
    ),
    "a species that is corrected": (TWO.format("Mus musculus"), TWO.format("Homo sapiens"), ["Group"]),
}


@pytest.mark.parametrize(("first", "then", "left"), GONE.values(), ids=GONE)
def test_what_the_dataset_no_longer_says_is_found(
    tmp_path: Path, sink: Ndjson, first: str, then: str, left: list[str]
) -> None:
    write(tmp_path / "a", sink, {"subjects.csv": first})
    write(tmp_path / "b", sink, {"subjects.csv": first}, B)
    done = write(tmp_path / "a", sink, {"subjects.csv": then})
    assert sorted(kind for kind, _ in gone(sink, done.said, Writer(SITE.base, A))) == left


def test_a_patient_that_somebody_took_over_is_none_that_is_left_behind(tmp_path: Path, sink: Ndjson) -> None:
    write(tmp_path / "a", sink, {"subjects.csv": "subject id\nsub-1\n"})
    taken_over(sink, "Patient", gender="other")
    done = write(tmp_path / "a", sink, {"subjects.csv": "subject id\nsub-9\n"})
    assert [kind for kind, _ in gone(sink, done.said, Writer(SITE.base, A))] == ["ResearchSubject"]


def test_a_measurement_that_is_gone_stands_nowhere_twice(tmp_path: Path, sink: Ndjson) -> None:
    """Of two of one code the first is taken away: the second is the first one now, and the other one is left behind."""

    def measured(*values: int) -> dict[str, Content]:
        size = {"code": "21889-1", "codeSystem": "http://loinc.org"}
        observations = [{**size, "value": {"valueInteger": value}} for value in values]
        patients = [{"name": "sub-1", "observations": observations}]
        return {
            "subjects.csv": "subject id\nsub-1\n",
            "measurements.json": json.dumps({"dataset": {"name": "d"}, "patients": patients}),
        }

    write(tmp_path / "d", sink, measured(3, 5))
    done = write(tmp_path / "d", sink, measured(5))
    left = gone(sink, done.said, Writer(SITE.base, A))
    assert [kind for kind, _ in left] == ["Observation"]
    assert [one["valueInteger"] for one in sink.latest("Observation") if key_of(one) not in left] == [5]
