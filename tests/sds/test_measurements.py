"""measurements.json: what fhir-cda writes comes in as records and goes out the same."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.records.measurements import (
    Attachment,
    DocumentReference,
    ImagingSeries,
    ImagingStudy,
    MeasuredDataset,
    MeasuredPatient,
    Measurements,
    Observation,
)
from mapper.sources.sds.measurements import dump_measurements, parse_measurements

WRITTEN = (Path(__file__).parent / "fhir-cda-1.2.5.json").read_bytes()
"""What fhir-cda 1.2.5 made of our breast dataset, with an NRRD image, a document and a value of every kind."""


def exactly(raw: bytes) -> Any:
    """Return JSON with numbers to their last digit."""
    return json.loads(raw, parse_float=Decimal)


def test_what_fhir_cda_writes_goes_out_as_it_came_in() -> None:
    assert exactly(dump_measurements(parse_measurements(WRITTEN))) == exactly(WRITTEN)


def test_nothing_that_fhir_cda_writes_is_unknown() -> None:
    """Only what it writes as null has no field: absent and null are two things."""
    seen: list[Any] = []

    def look(part: Any) -> None:
        seen.append(part)
        assert all(value is None for value in part.extra.values()), part
        for name in part.KEYS:
            value = getattr(part, name)
            for one in value if isinstance(value, tuple) else ():
                look(one)

    read = parse_measurements(WRITTEN)
    look(read)
    look(read.dataset)
    assert {type(one).__name__ for one in seen} == {
        *("Measurements", "MeasuredDataset", "MeasuredPatient", "Observation", "ImagingStudy", "ImagingSeries"),
        *("DocumentReference", "Attachment"),
    }


def test_the_records_of_it() -> None:
    read = parse_measurements(WRITTEN)
    assert (read.dataset.name, read.dataset.uuid) == ("breast", "")
    first, second = read.patients or ()
    assert (first.name, second.name) == ("sub-1", "sub-2")
    size, small, *_ = first.observations or ()
    assert size.value == {
        "valueQuantity": {"value": Decimal("0.15"), "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"}
    }
    assert (size.code, size.code_system, size.display, size.unit) == ("21889-1", "http://loinc.org", "Size Tumor", None)
    assert (small.unit, small.display) == ("m", "Größe")
    (study,) = first.imaging_studies or ()
    assert (study.description, study.display) == ("dcm", "")
    assert [(one.name, one.number_of_instances, one.instances) for one in sorted(study.series or (), key=str)] == [
        (name, 2, ()) for name in sorted(one.name or "" for one in study.series or ())
    ]
    assert all(one.body_site and one.body_site["code"] == "76752008" for one in study.series or ())
    assert [one.description for one in second.imaging_studies or ()] == ["dcm", "nrrd"]
    (document,) = second.document_references or ()
    assert (document.attachments or ())[0].content_type == "application/pdf"


def test_what_we_make_has_fhir_cda_s_shape() -> None:
    made = Measurements(
        dataset=MeasuredDataset(name="heart"),
        patients=(
            MeasuredPatient(
                name="sub-1",
                observations=(Observation(value={"valueInteger": 3}, code="x", code_system="http://example.org"),),
                imaging_studies=(
                    ImagingStudy(
                        description="dcm",
                        display="",
                        series=(ImagingSeries(uid="1.2.3", name="sam-1", number_of_instances=2),),
                    ),
                ),
                document_references=(DocumentReference(attachments=(Attachment(title="t", url="u"),)),),
            ),
        ),
    )
    assert json.loads(dump_measurements(made)) == {
        "dataset": {"uuid": "", "name": "heart"},
        "patients": [
            {
                "uuid": "",
                "name": "sub-1",
                "observations": [
                    {
                        "resourceType": "Observation",
                        "uuid": "",
                        "value": {"valueInteger": 3},
                        "code": "x",
                        "codeSystem": "http://example.org",
                    }
                ],
                "imagingStudy": [
                    {
                        "resourceType": "ImagingStudy",
                        "uuid": "",
                        "endpointUrl": "",
                        "description": "dcm",
                        "display": "",
                        "series": [
                            {
                                "uid": "1.2.3",
                                "endpointUuid": "",
                                "endpointUrl": "",
                                "name": "sam-1",
                                "numberOfInstances": 2,
                                "instances": [],
                            }
                        ],
                    }
                ],
                "documentReference": [
                    {"resourceType": "DocumentReference", "uuid": "", "attachments": [{"title": "t", "url": "u"}]}
                ],
            }
        ],
    }
    assert parse_measurements(dump_measurements(made)) == made


KEPT = {
    "an empty one": '{"dataset": {}}',
    "unknown keys": '{"dataset": {"doi": "x"}, "patients": [{"age": {"value": 4}}], "version": 2}',
    "nulls": '{"dataset": {"uuid": null}, "patients": [{"observations": null, "name": null}]}',
    "other types": '{"dataset": {"name": 5}, "patients": {"sub-1": {}}}',
    "a list with something else in it": '{"dataset": {}, "patients": [{"observations": [1, {}]}]}',
    "truth where a number is": (
        '{"dataset": {}, "patients": [{"imagingStudy": [{"series": [{"numberOfInstances": true}]}]}]}'
    ),
    "an empty list": '{"dataset": {}, "patients": []}',
    "instances": (
        '{"dataset": {}, "patients": [{"imagingStudy": [{"series": [{"instances": [{"uid": "1.2", "sopClassUid": "1.3",'
        ' "sopClassName": null, "number": 1}, {"number": "1"}]}]}]}]}'
    ),
    "decimals": '{"dataset": {}, "patients": [{"observations": [{"value": {"valueQuantity": {"value": 1.10}}}]}]}',
    "many decimals": '{"dataset": {"x": 0.1234567890123456789012345}}',
    "powers": '{"dataset": {"x": [1E-30, 1e+5, -0.0, 0.00]}}',
    "a long number": '{"dataset": {"x": 123456789012345678901234567890}}',
    "a mark of the byte order": '\ufeff{"dataset": {}}',
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_others_write_goes_out_as_it_came_in(text: str) -> None:
    out = exactly(dump_measurements(parse_measurements(text.encode())))
    assert out == exactly(text.removeprefix("\ufeff").encode())
    numbers = [
        digits for digits in ("1.10", "0.1234567890123456789012345", "123456789012345678901234567890") if digits in text
    ]
    assert all(digits in dump_measurements(parse_measurements(text.encode())).decode() for digits in numbers)


REFUSED = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "no dataset": b'{"patients": []}',
    "a dataset of another kind": b'{"dataset": "breast"}',
    "no number": b'{"dataset": {"x": NaN}}',
    "a key twice": b'{"dataset": {"x": 1, "x": 2}}',
    "no text": b'{"dataset": {"x": "\xff"}}',
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_what_is_no_such_file_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of many kinds: none of their words is shown
        parse_measurements(raw)


def test_what_nests_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="deep"):
        parse_measurements(b'{"dataset": ' + b"[" * 200_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(["uuid", "name", "observations", "imagingStudy", "documentReference", "series", "value", "x"])
OBJECTS = st.recursive(
    st.dictionaries(KEYS, JSON, max_size=4),
    lambda inner: st.dictionaries(KEYS, st.lists(inner, max_size=2) | JSON, max_size=4),
    max_leaves=6,
)


@given(patients=st.lists(OBJECTS, max_size=3), told=OBJECTS)
def test_any_object_goes_out_as_it_came_in(patients: list[Any], told: Any) -> None:
    raw = json.dumps({"dataset": told, "patients": patients}).encode()
    assert exactly(dump_measurements(parse_measurements(raw))) == exactly(raw)
