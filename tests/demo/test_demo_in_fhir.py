"""What the reports and documents of the sample studies become: enough for the questions of docs/fhir-questions.md."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mapper.dicom.collector import Collector
from mapper.dicom.study import IDENTITY
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, Mapped, study_to_fhir
from mapper.sources.data_set import json_model
from samples.studies import DemoStudy, studies
from tests.support.reported import SITE, coded, of_kind

LONG_AXIS, VOLUME, DOSE, DOSE_LENGTH = "103339001", "118565006", "73569-6", "113813"
READ = {*KEYWORDS, *DOCUMENT_KEYWORDS, *INSTANCE_KEYWORDS, *IDENTITY}
TWICE = ("chest-ct", "chest-ct-follow-up")


@pytest.fixture(scope="module")
def mapped() -> Callable[[str], Mapped]:
    made = {study.name: study for study in studies()}
    return lambda name: study_to_fhir(read(made[name]).only_study(), SITE)


def read(study: DemoStudy) -> Collector:
    """Return a sample study as a folder of files gives it."""
    collector = Collector()
    for data in study.datasets:
        found = json_model(data, READ)
        collector.add(found, document=found if data.Modality in ("SR", "DOC") else None)
    return collector


def quantities(found: Mapped, code: str) -> list[tuple[str, float, str]]:
    """Return time, value and unit of the measurements of one kind."""
    return [
        (one["effectiveDateTime"][:10], one["valueQuantity"]["value"], one["valueQuantity"]["code"])
        for one in coded(found, code)
    ]


def test_nothing_of_a_demo_study_is_left_out(mapped: Callable[[str], Mapped]) -> None:
    for name in (*TWICE, "brain-mr"):
        assert mapped(name).problems == []


@pytest.mark.parametrize(
    ("name", "day", "diameter", "volume", "dose"),
    [("chest-ct", "2024-05-17", 18, 2960, 512.3), ("chest-ct-follow-up", "2024-11-20", 24, 7040, 33.38)],
)
def test_what_was_measured_is_said_with_its_day_and_unit(
    mapped: Callable[[str], Mapped], name: str, day: str, diameter: float, volume: float, dose: float
) -> None:
    found = mapped(name)
    assert quantities(found, LONG_AXIS) == [(day, diameter, "mm")]
    assert quantities(found, VOLUME) == [(day, volume, "mm3")]
    (summary,) = coded(found, DOSE)
    (total,) = [one for one in summary["component"] if one["code"]["coding"][0]["code"] == DOSE_LENGTH]
    assert (total["valueQuantity"]["value"], total["valueQuantity"]["code"]) == (dose, "mGy.cm")
    assert summary["effectiveDateTime"][:10] == day


def test_both_studies_speak_of_one_nodule_of_one_patient(mapped: Callable[[str], Mapped]) -> None:
    lesions = [of_kind(mapped(name), "BodyStructure") for name in TWICE]
    assert [len(one) for one in lesions] == [1, 1]
    assert lesions[0] == lesions[1]
    (lesion,) = lesions[0]
    assert "Nodule 1" in [one["value"] for one in lesion["identifier"]]
    for name in TWICE:
        for one in coded(mapped(name), LONG_AXIS) + coded(mapped(name), VOLUME):
            (named,) = one["bodySite"]["extension"]
            assert named["valueReference"] == {"reference": f"BodyStructure/{lesion['id']}"}
            assert one["subject"] == lesion["patient"]


def test_the_report_of_the_follow_up_is_final_and_says_what_it_concludes(mapped: Callable[[str], Mapped]) -> None:
    (report,) = of_kind(mapped("chest-ct-follow-up"), "DiagnosticReport")
    assert (report["status"], report["issued"]) == ("final", "2024-11-20T16:00:00+01:00")
    assert report["conclusion"] == "The nodule of the left lung has grown. Tissue sampling is recommended."
    assert of_kind(mapped("chest-ct"), "DiagnosticReport") == []


def test_the_pdf_of_the_brain_says_where_it_is(mapped: Callable[[str], Mapped]) -> None:
    (document,) = of_kind(mapped("brain-mr"), "DocumentReference")
    attachment = document["content"][0]["attachment"]
    assert (attachment["contentType"], attachment["title"]) == ("application/pdf", "Radiology report")
    assert attachment["url"].startswith(SITE.dicomweb)
