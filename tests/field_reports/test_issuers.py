"""Whose number it is, where the series of one study do not say the same (PS3.3 C.7.1.1, C.7.2.1)."""

import json
from typing import Any

import pytest

from mapper.dicom.collector import Collector
from mapper.errors import TwoPatients
from mapper.fhir.bundle import transaction
from mapper.fhir.check import faults
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.site import Site
from tests.support.datasets import BASE, dataset
from tests.support.datasets import site as site_with
from tests.support.everything import studies_of, study_of

OID = "1.2.276.0.76.3.1.999"
OTHER_OID = "1.2.276.0.76.3.1.1"
BY_OID, BY_HOSP, OF_NOBODY = f"urn:oid:{OID}", f"{BASE}/patient/HOSP", f"{BASE}/patient"


def universal(value: str, kind: str = "ISO", **more: Any) -> dict[str, Any]:
    """Return the issuer of some number."""
    return {"UniversalEntityID": value, "UniversalEntityIDType": kind, **more}


NONE: dict[str, Any] = {}
NAME = {"IssuerOfPatientID": "HOSP"}
OTHER_NAME = {"IssuerOfPatientID": "CLINIC"}
QUALIFIED = {"IssuerOfPatientIDQualifiersSequence": universal(OID)}
OTHERWISE = {"IssuerOfPatientIDQualifiersSequence": universal(OTHER_OID)}
MALFORMED = {"IssuerOfPatientIDQualifiersSequence": universal("1.02")}
ONLY_A_TYPE = {"IssuerOfPatientIDQualifiersSequence": {"IdentifierTypeCode": "MR"}}
UNREADABLE = {"IssuerOfPatientID": ...}


def image(series: int, number: int = 1, **more: Any) -> dict[str, Any]:
    """Return one instance of study 1.2.3; `...` is what nobody can read."""
    uid = f"1.2.3.{series}"
    own = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": uid, "SOPInstanceUID": f"{uid}.{number}"}
    chosen = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT", "PatientID": "1001", "SeriesNumber": series}
    whole = {**own, **chosen, "InstanceNumber": number, **more}
    made = dataset(**{keyword: value for keyword, value in whole.items() if value is not ...})
    broken = dataset(**{keyword: None for keyword, value in whole.items() if value is ...})
    return made | {tag: {"vr": "LO", "Value": [{}]} for tag in broken}


def mapped(*images: dict[str, Any], at: Site | None = None) -> Mapped:
    """Return what one study becomes; the Bundle must be clean."""
    made = study_to_fhir(study_of(json.dumps(images).encode()), at or site_with())
    assert faults(transaction(made.resources, "https://fhir.example.org")) == []
    return made


def system_of(made: Mapped) -> str | None:
    """Return the system of the one Patient, to whom the study belongs."""
    (patient,) = [one for one in made.resources if one["resourceType"] == "Patient"]
    (study,) = [one for one in made.resources if one["resourceType"] == "ImagingStudy"]
    assert study["subject"] == {"reference": f"Patient/{patient['id']}"}
    return next((one["system"] for one in patient.get("identifier", [])), None)


def recorded(made: Mapped, keyword: str) -> list[str]:
    """Return why an attribute was recorded."""
    return [one.reason for one in made.problems if keyword in one.attribute.split()]


SERIES = [  # what the series 1, 2 ... state; whose number it is; whether they contradict each other
    # the report: a structured report (series 1) without the issuer that the images (series 2) have
    ([NONE, QUALIFIED], BY_OID, False),
    ([NONE, NAME], BY_HOSP, False),
    ([NONE, NAME | QUALIFIED], BY_OID, False),
    ([QUALIFIED, NONE], BY_OID, False),
    ([NONE, NONE], OF_NOBODY, False),
    ([NONE, NONE, NAME], BY_HOSP, False),
    # the best that any of them states: qualifiers before a name before none
    ([NAME, NAME | QUALIFIED], BY_OID, False),
    ([NAME | QUALIFIED, NAME], BY_OID, False),
    ([NAME, QUALIFIED], BY_OID, True),  # nothing says that they are one
    ([QUALIFIED, QUALIFIED | NAME], BY_OID, False),
    # what names no system is no issuer (PS3.3 table 10-18)
    ([MALFORMED, NAME], BY_HOSP, True),
    ([MALFORMED, NONE], OF_NOBODY, True),
    ([ONLY_A_TYPE, NAME], BY_HOSP, False),
    ([ONLY_A_TYPE, QUALIFIED], BY_OID, False),
    ([MALFORMED | NAME, QUALIFIED], BY_OID, True),
    # others: the first of the best rank speaks
    ([NAME, OTHER_NAME], BY_HOSP, True),
    ([OTHER_NAME, NAME | QUALIFIED], BY_OID, True),
    ([QUALIFIED, OTHERWISE], BY_OID, True),
    ([NAME | QUALIFIED, NAME | OTHERWISE], BY_OID, True),
    ([NONE, OTHER_NAME, NAME], f"{BASE}/patient/CLINIC", True),
    ([{"IssuerOfPatientID": "Klinik Mu\u0308nchen"}, {"IssuerOfPatientID": "Klinik M\u00fcnchen"}],
     f"{BASE}/patient/Klinik%20M%C3%BCnchen", False),
    # what nobody can read is an issuer all the same: not taken for none, not for another's
    ([UNREADABLE, NONE], None, True),
    ([UNREADABLE, UNREADABLE], None, True),
    ([UNREADABLE, NAME], BY_HOSP, True),
    ([NONE, UNREADABLE, QUALIFIED], BY_OID, True),
]  # fmt: skip


@pytest.mark.parametrize(("stated", "system", "contradicted"), SERIES)
@pytest.mark.parametrize("inside", [False, True], ids=["a series each", "inside one series"])
def test_the_issuer_is_the_best_that_any_data_set_states(stated, system, contradicted, inside):
    """PS3.3 C.7.1.1: issuer and qualifiers are Type 3, so a data set without them denies nothing."""
    images = [image(1, number, **one) if inside else image(number, **one) for number, one in enumerate(stated, 1)]
    made = mapped(*images)
    assert system_of(made) == system
    assert bool(recorded(made, "IssuerOfPatientID")) == contradicted
    assert mapped(*images[::-1]).resources == made.resources, "the order of arrival is nothing"


def test_an_issuer_that_the_sites_table_names_is_the_universal_one():
    at = site_with(issuers={"HOSP": BY_OID})
    made = mapped(image(1, **NAME), image(2, **QUALIFIED), at=at)
    assert (system_of(made), recorded(made, "IssuerOfPatientID")) == (BY_OID, [])
    contradicted = mapped(image(1, **NAME), image(2, **OTHERWISE), at=at)
    assert recorded(contradicted, "IssuerOfPatientID")


def test_everything_else_that_asks_whose_number_it_is_gets_the_same_answer():
    others = {"OtherPatientIDsSequence": [{"PatientID": "1001", **QUALIFIED}, {"PatientID": "1001", **NAME}]}
    made = mapped(image(1, **others), image(2, **QUALIFIED, PatientSize="1.7", StudyDate="20240517"))
    (patient,) = [one for one in made.resources if one["resourceType"] == "Patient"]
    assert [one["system"] for one in patient["identifier"]] == [BY_OID, BY_HOSP], "the main one is not said again"
    (observation,) = [one for one in made.resources if one["resourceType"] == "Observation"]
    assert observation["subject"] == {"reference": f"Patient/{patient['id']}"}


def test_a_phantom_and_a_de_identified_patient_have_one_issuer_too():
    phantom = mapped(image(1, QualityControlSubject="YES"), image(2, **QUALIFIED))
    (device,) = [one for one in phantom.resources if one["resourceType"] == "Device"]
    assert device["identifier"][0]["system"] == BY_OID
    removed = mapped(image(1, PatientIdentityRemoved="YES"), image(2, PatientIdentityRemoved="YES", **QUALIFIED))
    assert system_of(removed) == BY_OID
    (patient,) = [one for one in removed.resources if one["resourceType"] == "Patient"]
    assert "meta" not in patient, "studies that were not de-identified may share it"


# -- blank PatientIDs ---------------------------------------------------------------------------------------------

BLANKS = [None, "", "  ", "\u0000", ...]


@pytest.mark.parametrize("blank", BLANKS, ids=repr)
@pytest.mark.parametrize("first", [True, False])
def test_a_blank_patient_id_beside_one_real_id_is_no_second_patient(blank, first):
    """PS3.3 C.7.1.1: PatientID is Type 2; empty means unknown, not another patient."""
    numbers = (1, 2) if first else (2, 1)
    made = mapped(image(numbers[0], PatientID=blank), image(numbers[1], **NAME))
    assert system_of(made) == BY_HOSP
    assert recorded(made, "PatientID")
    assert "1001" not in str(made.problems)


def test_the_issuer_of_a_blank_patient_id_is_nobodys():
    made = mapped(image(1, PatientID=None, **QUALIFIED), image(2))
    assert system_of(made) == OF_NOBODY
    label = mapped(
        image(1, PatientID=None, PatientIdentityRemoved="YES"), image(2, PatientIdentityRemoved="YES")
    ).resources[-1]["meta"]["security"]
    assert label[0]["code"] == "PSEUDED", "somebody may hold a key to the id of series 2"


def test_blank_patient_ids_alone_are_recorded_nowhere():
    made = mapped(image(1, PatientID=None), image(2, PatientID=" "))
    assert system_of(made) is None
    assert not recorded(made, "PatientID")


@pytest.mark.parametrize("ids", [("1001", "1002"), ("1001", None, "1002"), ("1001", "01001"), ("a", "A")])
def test_two_real_ids_stay_refused(ids):
    images = [image(number, PatientID=one) for number, one in enumerate(ids, 1)]
    with pytest.raises(TwoPatients, match="under 2 PatientIDs"):
        studies_of(json.dumps(images).encode()).only_study()


def test_one_id_in_two_normal_forms_is_one_id():
    made = mapped(image(1, PatientID="Mu\u0308-1"), image(2, PatientID="M\u00fc-1", **NAME))
    assert system_of(made) == BY_HOSP


def test_the_places_that_a_refusal_names_are_those_of_real_ids():
    collector = Collector()
    for number, patient in enumerate(["A-1", None, "B-1"]):
        collector.add(image(1, number, PatientID=patient), where=f"/folder/{number}.dcm")
    with pytest.raises(TwoPatients) as refused:
        collector.study("1.2.3")
    assert "/folder/0.dcm, /folder/2.dcm" in str(refused.value)
    assert "/folder/1.dcm" not in str(refused.value)


# -- numbers of orders --------------------------------------------------------------------------------------------

ISSUER = {"IssuerOfAccessionNumberSequence": universal("1.2.276.0.76.3.1.998")}
ISSUED, UNISSUED = "urn:oid:1.2.276.0.76.3.1.998", f"{BASE}/accession"


def request(number: str, **more: Any) -> dict[str, Any]:
    return {"RequestAttributesSequence": {"AccessionNumber": number, **more}}


ORDERS = [  # what the series 1, 2 ... state; the orders that are told
    ([{"AccessionNumber": "A1"}], [(UNISSUED, "A1")]),
    ([{"AccessionNumber": "A1", **request("A1")}], [(UNISSUED, "A1")]),
    # the report: the request states the issuer, the study does not, or the other way round
    ([{"AccessionNumber": "A1", **request("A1", **ISSUER)}], [(ISSUED, "A1")]),
    ([{"AccessionNumber": "A1", **ISSUER, **request("A1")}], [(ISSUED, "A1")]),
    ([{"AccessionNumber": "A1"}, {"AccessionNumber": "A1", **ISSUER}], [(ISSUED, "A1")]),
    ([request("A1"), request("A1", **ISSUER)], [(ISSUED, "A1")]),
    ([{"AccessionNumber": "A1", "ReferencedRequestSequence": {"AccessionNumber": "A1"}, **request("A1")}],
     [(UNISSUED, "A1")]),
    # other numbers, and one number of two issuers, are other orders
    ([{"AccessionNumber": "A1", **ISSUER, **request("A2")}], [(ISSUED, "A1"), (UNISSUED, "A2")]),
    ([{"AccessionNumber": "A1", **ISSUER,
       **request("A1", IssuerOfAccessionNumberSequence=universal(OTHER_OID))}],
     [(ISSUED, "A1"), (f"urn:oid:{OTHER_OID}", "A1")]),
]  # fmt: skip


@pytest.mark.parametrize(("stated", "told"), ORDERS)
def test_one_order_is_told_once(stated, told):
    """PS3.3 C.7.2.1, table 10-9: the issuer is Type 3 wherever the number stands."""
    made = mapped(*(image(number, **one) for number, one in enumerate(stated, 1)))
    (study,) = [one for one in made.resources if one["resourceType"] == "ImagingStudy"]
    assert [(one["identifier"]["system"], one["identifier"]["value"]) for one in study["basedOn"]] == told
    numbers = [one for one in study["identifier"] if one["system"] != "urn:dicom:uid"]
    assert [(one["system"], one["value"]) for one in numbers] == told[: len(numbers)]


def test_the_stub_of_an_order_is_not_told_again_by_its_number():
    at = site_with(options=("order_stub",))
    made = mapped(image(1, AccessionNumber="A1", **request("A1", **ISSUER)), at=at)
    (study,) = [one for one in made.resources if one["resourceType"] == "ImagingStudy"]
    (stub,) = [one for one in made.resources if one["resourceType"] == "ServiceRequest"]
    assert study["basedOn"] == [{"reference": f"ServiceRequest/{stub['id']}"}]
    assert stub["identifier"][0]["system"] == ISSUED
