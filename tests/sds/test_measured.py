"""measurements.json becomes Observations, and is written again as it was."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mapper.commands.cli import app
from mapper.fhir.bundle import dump
from mapper.jobs.sds.measured import measured
from mapper.sources.sds.measurements import dump_measurements, parse_measurements
from samples.sds import DATASETS, write
from tests.sds.folders import dataset, image
from tests.sds.planned import planned, read, resources

Json = dict[str, Any]


def measurements(*observations: Json, name: str = "sub-1") -> str:
    return json.dumps({"dataset": {"name": "x"}, "patients": [{"name": name, "observations": list(observations)}]})


SIZE = {"code": "21889-1", "codeSystem": "http://loinc.org", "display": "Size Tumor"}
CODED = {"coding": [{"system": "http://loinc.org", "code": "21889-1", "display": "Size Tumor"}], "text": "Size Tumor"}
QUANTITY = {"value": 1.50, "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"}
CASES = {  # observation -> code, value
    "a quantity": ({**SIZE, "value": {"valueQuantity": QUANTITY}}, CODED, {"valueQuantity": QUANTITY}),
    "a whole number": ({**SIZE, "value": {"valueInteger": 3}}, CODED, {"valueInteger": 3}),
    "a text": ({**SIZE, "value": {"valueString": "large"}}, CODED, {"valueString": "large"}),
    "no value": (SIZE, CODED, {}),
    "a code without its system": ({"code": "x", "value": {"valueInteger": 3}}, {"text": "x"}, {"valueInteger": 3}),
    "words alone": ({"display": "Size", "value": {"valueInteger": 3}}, {"text": "Size"}, {"valueInteger": 3}),
}
LEFT_OUT = {
    "nothing said": ({"value": {"valueInteger": 3}}, "Observation.code"),
    "no such value": ({**SIZE, "value": {"valueSize": 3}}, "Observation.value"),
    "two values": ({**SIZE, "value": {"valueInteger": 3, "valueString": "x"}}, "Observation.value"),
    "no number": ({**SIZE, "value": {"valueQuantity": {"value": "SECRET"}}}, "Observation.value"),
}


@pytest.mark.parametrize(("observation", "code", "value"), CASES.values(), ids=CASES)
def test_a_measurement_becomes_an_observation(tmp_path: Path, observation: Json, code: Json, value: Json) -> None:
    dataset(tmp_path, {"subjects.csv": "subject id\nsub-1\n", "measurements.json": measurements(observation)})
    found = resources(read(tmp_path))
    (made,) = found["Observation"]
    assert made["subject"] == {"reference": f"Patient/{found['Patient'][0]['id']}"}
    assert (made["status"], made["code"]) == ("unknown", code)
    said = json.loads(dump(made))
    assert {name: said[name] for name in said if name.startswith("value")} == value


@pytest.mark.parametrize(("observation", "element"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_measurement_that_fhir_does_not_allow_is_left_out_alone(
    tmp_path: Path, observation: Json, element: str
) -> None:
    good = {**SIZE, "value": {"valueInteger": 3}}
    dataset(tmp_path, {"subjects.csv": "subject id\nsub-1\n", "measurements.json": measurements(observation, good)})
    (part,) = planned(read(tmp_path))
    assert sum(one["resourceType"] == "Observation" for one in part.resources) == 1
    assert [one.element for one in part.problems] == [element]
    assert "SECRET" not in str(part.problems)


OTHER_CODE = {"code": "8302-2", "codeSystem": "http://loinc.org", "value": {"valueInteger": 9}}


def sized(value: int, **more: Any) -> Json:
    return {**SIZE, "value": {"valueInteger": value}, **more}


MOVED = {  # measurements first, and then -> how many Observations keep their ids
    "one before it is taken away": ([OTHER_CODE, sized(1)], [sized(1)], 1),
    "one before it is added": ([sized(1)], [OTHER_CODE, sized(1)], 1),
    "another order of codes": ([OTHER_CODE, sized(1)], [sized(1), OTHER_CODE], 2),
    "a value that is corrected": ([sized(1)], [sized(2)], 1),
    "the first of two of one code is taken away": ([sized(1), sized(2)], [sized(2)], 1),
    "a UUID, wherever it stands": ([sized(1, uuid="u-1"), sized(2)], [sized(2), sized(1, uuid="u-1")], 2),
    "a UUID, whatever is measured": ([sized(1, uuid="u-1")], [{**OTHER_CODE, "uuid": "u-1"}], 1),
    "an empty UUID is none": ([sized(1, uuid=""), sized(2, uuid="")], [sized(1), sized(2)], 2),
    "one UUID twice": ([sized(1, uuid="u-1"), sized(2, uuid="u-1")], [sized(1, uuid="u-1"), sized(2)], 2),
    "another code": ([sized(1)], [OTHER_CODE], 0),
}


@pytest.mark.parametrize(("first", "then", "kept"), MOVED.values(), ids=MOVED)
def test_a_measurement_is_known_by_its_uuid_else_by_its_code_and_never_by_its_place(
    tmp_path: Path, first: list[Json], then: list[Json], kept: int
) -> None:
    ids = []
    for number, observations in enumerate((first, then)):
        files = {"subjects.csv": "subject id\nsub-1\n", "measurements.json": measurements(*observations)}
        dataset(tmp_path / str(number) / "d", files)
        found = resources(read(tmp_path / str(number) / "d"))["Observation"]
        assert len(found) == len(observations)
        ids.append({one["id"] for one in found})
    assert len(ids[0] & ids[1]) == kept


def test_a_measurement_leads_to_its_dataset(tmp_path: Path) -> None:
    dataset(tmp_path, {"subjects.csv": "subject id\nsub-1\n", "measurements.json": measurements(SIZE)})
    found = resources(read(tmp_path))
    (extension,) = found["Observation"][0]["extension"]
    assert extension["valueReference"] == {"reference": f"ResearchStudy/{found['ResearchStudy'][0]['id']}"}


def test_measurements_of_nobody_are_left_out(tmp_path: Path) -> None:
    dataset(tmp_path, {"subjects.csv": "subject id\nsub-1\n", "measurements.json": measurements(SIZE, name="sub-9")})
    (part,) = planned(read(tmp_path))
    assert [one.element for one in part.problems] == ["Observation.subject"]


def test_a_number_keeps_its_digits(tmp_path: Path) -> None:
    text = measurements({**SIZE, "value": {"valueQuantity": {"value": 77.25}}}).replace("77.25", "1.500")
    dataset(tmp_path, {"subjects.csv": "subject id\nsub-1\n", "measurements.json": text})
    (made,) = resources(read(tmp_path))["Observation"]
    assert made["valueQuantity"]["value"] == Decimal("1.500")
    assert b'"value":1.500' in dump(made)


def test_what_was_imported_is_exported_the_same(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    said = CliRunner().invoke(app, ["sds", str(root), "--to", "measurements"])
    assert said.exit_code == 0
    assert json.loads(said.stdout) == json.loads((root / "measurements.json").read_text())


@pytest.mark.parametrize("name", DATASETS)
def test_what_is_exported_is_imported_the_same(tmp_path: Path, name: str) -> None:
    """Without the file it is made of the studies, as fhir-cda does: subject by subject, series by sample."""
    root = write(tmp_path, name)
    given = json.loads((root / "measurements.json").read_text()) if name == "breast" else None
    (root / "measurements.json").unlink(missing_ok=True)
    told = read(root)
    raw = dump_measurements(measured(told, [one for part in planned(told) for one in part.resources]))
    (root / "measurements.json").write_bytes(raw)
    assert dump_measurements(parse_measurements(raw)) == raw
    again = read(root)
    assert dump_measurements(measured(again, [one for part in planned(again) for one in part.resources])) == raw
    made = {one["name"]: one["imagingStudy"][0]["series"] for one in json.loads(raw)["patients"]}
    if given:
        assert made == {one["name"]: one["imagingStudy"][0]["series"] for one in given["patients"]}


def test_a_subject_that_the_file_lacks_is_added_and_the_others_stay(tmp_path: Path) -> None:
    files = {
        "subjects.csv": "subject id\nsub-1\nsub-2\n",
        "primary/sub-2/sam-1/a.dcm": image("1.2.1", PatientID="2"),
        "measurements.json": measurements({**SIZE, "strange": 1}),
    }
    dataset(tmp_path, files)
    told = read(tmp_path)
    found = json.loads(dump_measurements(measured(told, [])))
    assert found["patients"][0] == json.loads(files["measurements.json"])["patients"][0]
    assert [one["name"] for one in found["patients"]] == ["sub-1", "sub-2"]
