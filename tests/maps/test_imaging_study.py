"""ImagingStudy: which attribute speaks where several may, what adds up, and what a site may choose."""

from typing import Any

import pytest

from tests.support.datasets import BASE, site
from tests.support.made import made_of, series

DCM = "http://dicom.nema.org/resources/ontology/DCM"
ACSN = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}]}


def code(value: str, meaning: str = "") -> dict[str, str]:
    """Return an item of a code sequence in a private scheme."""
    return {"CodeValue": value, "CodingSchemeDesignator": "99X", "CodeMeaning": meaning or value.lower()}


def study_of(*instances: dict[str, Any], **choices: Any) -> Any:
    """Return the ImagingStudy of one study."""
    return made_of(*instances, at=site(**choices))["ImagingStudy"]


def said(concepts: list[dict[str, Any]]) -> list[str]:
    """Return the code or the text of CodeableConcepts."""
    return [one["coding"][0]["code"] if "coding" in one else one["text"] for one in concepts]


PROCEDURES = {
    "ProcedureCodeSequence": code("DONE"),
    "RequestedProcedureCodeSequence": code("ASKED"),
    "RequestAttributesSequence": {"RequestedProcedureCodeSequence": code("INSIDE")},
    "RequestedProcedureDescription": "In words",
}


@pytest.mark.parametrize(("absent", "speaks"), list(enumerate(["DONE", "ASKED", "INSIDE", "In words", None])))
def test_the_procedure_is_what_was_done_else_what_was_asked_for_else_its_words(absent, speaks):
    found = study_of(series(**dict(list(PROCEDURES.items())[absent:])))
    assert said(found.get("procedureCode", [])) == ([speaks] if speaks else [])


def test_the_words_of_a_request_come_last():
    inside = {"RequestAttributesSequence": [{"RequestedProcedureDescription": "Inside"}, {}]}
    assert said(study_of(series(**inside))["procedureCode"]) == ["Inside"]
    assert said(study_of(series(**inside, RequestedProcedureDescription="In words"))["procedureCode"]) == ["In words"]


def test_an_unreadable_procedure_code_leaves_the_word_to_the_next():
    broken = series(**PROCEDURES) | {"00081032": {"vr": "SQ", "Value": ["no item"]}}
    assert said(study_of(broken)["procedureCode"]) == ["ASKED"]


def test_reasons_add_up_and_each_is_said_once():
    found = study_of(
        series(
            ReasonForTheRequestedProcedure="Cough",
            ReasonForRequestedProcedureCodeSequence=code("R1"),
            RequestAttributesSequence={
                "ReasonForTheRequestedProcedure": "Cough",
                "ReasonForRequestedProcedureCodeSequence": code("R2"),
            },
            ReasonForPerformedProcedureCodeSequence=code("R1"),
            AdmittingDiagnosesDescription=["Fever", "Cough"],
            AdmittingDiagnosesCodeSequence=[code("R3"), code("R4")],
        )
    )
    assert said(found["reasonCode"]) == ["Cough", "R1", "R2", "Fever", "R3", "R4"]


def order(kind: str, system: str, value: str) -> dict[str, Any]:
    """Return a logical reference to an order."""
    coding = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": kind}
    identifier = {"type": {"coding": [coding]}, "system": f"{BASE}/{system}", "value": value}
    return {"type": "ServiceRequest", "identifier": identifier}


def test_orders_are_logical_references_and_the_studys_own_accession_is_its_identifier():
    found = study_of(
        series(
            AccessionNumber="A1",
            RequestAttributesSequence=[{"AccessionNumber": "A1"}, {"AccessionNumber": "A2"}, {"AccessionNumber": None}],
            PlacerOrderNumberImagingServiceRequest="P1",
            FillerOrderNumberImagingServiceRequest="F1",
        )
    )
    assert found["basedOn"] == [
        order("ACSN", "accession", "A1"),
        order("ACSN", "accession", "A2"),
        order("PLAC", "placer-order", "P1"),
        order("FILL", "filler-order", "F1"),
    ]
    assert [one["value"] for one in found["identifier"]] == ["urn:oid:1.2.3", "A1"]


def test_an_accession_inside_a_request_is_no_identifier_of_the_study():
    found = study_of(series(RequestAttributesSequence={"AccessionNumber": "A2"}))
    assert len(found["identifier"]) == 1
    assert found["basedOn"] == [order("ACSN", "accession", "A2")]


def test_a_site_may_ask_for_stubs_of_its_orders():
    made = made_of(
        series(AccessionNumber="A1", ReasonForTheRequestedProcedure="Cough"), at=site(options=("order_stub",))
    )
    stub = made["ServiceRequest"]
    assert made["ImagingStudy"]["basedOn"] == [{"reference": f"ServiceRequest/{stub['id']}"}]
    assert (stub["status"], stub["intent"], said(stub["reasonCode"])) == ("unknown", "order", ["Cough"])
    assert "ServiceRequest" not in made_of(series(), at=site(options=("order_stub",)))


TITLES: dict[str, Any] = {
    "DocumentTitle": "Report",
    "ConceptNameCodeSequence": code("T", "Concept"),
    "ContentDescription": "What it is",
    "ContentLabel": "LABEL",
    "StructureSetLabel": "Structures",
}


@pytest.mark.parametrize(
    ("absent", "title"), list(enumerate(["Report", "Concept", "What it is", "LABEL", "Structures", None]))
)
def test_the_title_of_an_instance(absent, title):
    found = study_of(series(ImageType=["ORIGINAL", "PRIMARY"], **dict(list(TITLES.items())[absent:])))
    assert found["series"][0]["instance"][0].get("title") == title


def test_an_image_has_its_type_as_title_only_where_a_site_wants_that():
    found = study_of(series(ImageType=["ORIGINAL", "PRIMARY", "AXIAL"]), options=("image_type_title",))
    assert found["series"][0]["instance"][0]["title"] == "ORIGINAL\\PRIMARY\\AXIAL"


@pytest.mark.parametrize(
    ("attributes", "element", "value"),
    [
        ({"InstitutionalDepartmentName": "Radiology", "PerformedLocation": "R2"}, "location", {"display": "Radiology"}),
        ({"PerformedLocation": "R2"}, "location", {"display": "R2"}),
        ({"StudyComments": "short breath"}, "note", [{"text": "short breath"}]),
        ({"StudyDescription": "CT"}, "note", None),
        ({"StudyDescription": "CT"}, "description", "CT"),
        ({"NameOfPhysiciansReadingStudy": ["A^B", "C^D"]}, "interpreter", [{"display": "A, B"}, {"display": "C, D"}]),
        ({"ReferringPhysicianName": ["A^B", "C^D"]}, "referrer", {"display": "A, B"}),
        ({"StudyID": "7"}, "encounter", None),
    ],
)
def test_elements_of_a_study(attributes, element, value):
    assert study_of(series(**attributes)).get(element) == value


def test_a_visit_is_a_logical_reference():
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "VN"}]}
    identifier = {"type": kind, "system": f"{BASE}/visit", "value": "V1"}
    assert study_of(series(AdmissionID="V1"))["encounter"] == {"type": "Encounter", "identifier": identifier}


def test_the_number_of_a_study_is_an_identifier_only_where_a_site_wants_that():
    assert len(study_of(series(StudyID="7"))["identifier"]) == 1
    assert study_of(series(StudyID="7"), options=("study_id",))["identifier"][1] == {"value": "7"}


def test_modalities_of_a_study_by_policy():
    several = [series(1, Modality="SR"), series(2, Modality="CT"), series(3, Modality="SEG")]
    assert study_of(*several)["modality"] == [{"system": DCM, "code": "CT"}]
    assert [one["code"] for one in study_of(*several, study_modality="all")["modality"]] == ["CT", "SEG", "SR"]


def test_a_pacs_is_named_only_where_one_is_known():
    made = made_of(series())
    assert "Endpoint" not in made
    assert "endpoint" not in made["ImagingStudy"]
    assert "meta" not in made["ImagingStudy"]
    made = made_of(series(), at=site(dicomweb="https://pacs.example.org/dicom-web/"))
    assert made["Endpoint"]["address"] == made["ImagingStudy"]["meta"]["source"] == "https://pacs.example.org/dicom-web"
    assert made["ImagingStudy"]["endpoint"] == [{"reference": f"Endpoint/{made['Endpoint']['id']}"}]


def test_a_series_is_described_by_its_words_else_by_its_code():
    both = {"SeriesDescription": "Lung", "SeriesDescriptionCodeSequence": code("L", "Lung kernel")}
    found = study_of(series(1, **both), series(2, SeriesDescriptionCodeSequence=both["SeriesDescriptionCodeSequence"]))
    assert [one["description"] for one in found["series"]] == ["Lung", "Lung kernel"]


def test_a_specimen_is_a_logical_reference():
    found = study_of(series(SpecimenDescriptionSequence=[{"SpecimenIdentifier": "S1"}, {"SpecimenIdentifier": None}]))
    identifier = {"system": f"{BASE}/specimen", "value": "S1"}
    assert found["series"][0]["specimen"] == [{"type": "Specimen", "identifier": identifier}]


def test_performers_are_physicians_then_operators_then_equipment():
    found = study_of(
        series(PerformingPhysicianName="P^Q", OperatorsName=["O^P", "O^P"], Manufacturer="M", StationName="S")
    )
    performers = found["series"][0]["performer"]
    assert [one["function"]["coding"][0]["code"] for one in performers] == ["PRF", "SPRF", "DEV"]


def test_the_offset_belongs_to_the_series_whose_date_it_is():
    found = study_of(
        series(1, TimezoneOffsetFromUTC="+0900"),
        series(2, StudyDate="20240517", StudyTime="093105", TimezoneOffsetFromUTC="-0500"),
    )
    assert found["started"] == "2024-05-17T09:31:05-05:00"


@pytest.mark.parametrize(
    ("broken", "started"),
    [
        ({"00080030": {"vr": "TM", "Value": [{}]}}, "2024-05-17"),
        ({"00080201": {"vr": "SH", "Value": [{}]}}, "2024-05-17"),
        ({"00080020": {"vr": "DA", "Value": [{}]}}, None),
    ],
)
def test_of_an_unreadable_time_the_date_is_left(broken, started):
    whole = series(StudyDate="20240517", StudyTime="093105", TimezoneOffsetFromUTC="+0200")
    assert study_of(whole | broken).get("started") == started


def test_the_orders_of_every_series_are_named_each_once():
    requests = [{"RequestAttributesSequence": {"AccessionNumber": number}} for number in ("A1", "A2", "A1")]
    found = study_of(*(series(number, **request) for number, request in enumerate(requests, start=1)))
    assert [one["identifier"]["value"] for one in found["basedOn"]] == ["A1", "A2"]
