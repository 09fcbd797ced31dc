"""Who issued an id, and what system that makes: patients, orders, visits."""

import pytest

from mapper.maps.values.identifier import TYPES, other_patient_identifiers, patient_identifier, serial_number
from mapper.maps.values.order import accession_order, encounter, requested_orders
from mapper.maps.values.order_number import accession, filler, placer, visit
from tests.support.datasets import BASE, run, site
from tests.support.tables import rows

PATIENT = "PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence*"
ACCESSION = "AccessionNumber IssuerOfAccessionNumberSequence*"


def typed(code):
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}]}


def universal(value, kind, **more):
    return {"UniversalEntityID": value, "UniversalEntityIDType": kind, **more}


def test_the_qualifiers_win_and_the_issuer_is_the_assigner():
    made = run(
        patient_identifier,
        PATIENT,
        PatientID="MRN-0042",
        IssuerOfPatientID="HOSP",
        IssuerOfPatientIDQualifiersSequence=[universal("1.2.276.0.76.3.1.999", "ISO")],
    )
    expected = {
        "use": "usual",
        "type": typed("MR"),
        "system": "urn:oid:1.2.276.0.76.3.1.999",
        "value": "MRN-0042",
        "assigner": {"display": "HOSP"},
    }
    assert made == (expected, [])


@rows(
    "value, issuer, system, made",
    """
    1001    HOSP_A   /patient/HOSP_A    1001
    1001    HOSP_B   /patient/HOSP_B    1001
    01001   HOSP_A   /patient/HOSP_A    01001   # another patient
    aBc     H&A/B ä  /patient/H%26A%2FB%20%C3%A4  aBc
    """,
)
def test_an_issuers_name_makes_a_system_of_the_site(value, issuer, system, made):
    identifier, reasons = run(patient_identifier, PATIENT, PatientID=value, IssuerOfPatientID=issuer)
    assert (identifier["system"], identifier["value"]) == (BASE + system, made)
    assert (identifier["type"], identifier["assigner"]) == (typed("MR"), {"display": issuer})
    assert not reasons


def test_padding_is_no_part_of_an_id():
    padded, plain = (run(patient_identifier, PATIENT, PatientID=value)[0] for value in ("1001 ", "1001"))
    assert padded == plain


def test_without_an_issuer_the_source_is_the_issuer_and_the_type_is_not_known():
    made, _ = run(patient_identifier, PATIENT, PatientID="A|B,C$1 & 50%")
    assert made == {"use": "usual", "system": f"{BASE}/patient", "value": "A|B,C$1 & 50%"}
    made, _ = run(patient_identifier, PATIENT, site(patient_system="urn:oid:1.2.3"), PatientID="1")
    assert made == {"use": "usual", "system": "urn:oid:1.2.3", "value": "1"}


def test_the_sites_table_gives_an_issuer_its_system():
    issuers = {"HOSP": "https://hosp.example.org/mrn"}
    made, _ = run(patient_identifier, PATIENT, site(issuers=issuers), PatientID="1", IssuerOfPatientID="HOSP")
    assert made["system"] == "https://hosp.example.org/mrn"


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_patient_id_is_no_identifier(blank):
    assert run(patient_identifier, PATIENT, PatientID=blank, IssuerOfPatientID="HOSP") == (None, [])


@rows(
    "kind, value, system, recorded",
    """
    ISO    1.2.3.4                               urn:oid:1.2.3.4                                no
    UUID   F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6  urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6  no
    URI    https://h.example/id                  https://h.example/id                           no
    DNS    mpi.h.example                         http://mpi.h.example                           no
    X500   o=x,c=de                              BASE/patient/o%3Dx%2Cc%3Dde                    no
    EUI64  02-00-00                              BASE/patient/02-00-00                          no
    -      1.2.3                                 BASE/patient/1.2.3                             no
    iso    1.2.3.4                               urn:oid:1.2.3.4                                no
    ISO    1.02.3                                BASE/patient/HOSP                              yes
    UUID   1.2.3                                 BASE/patient/HOSP                              yes
    URI    no uri                                BASE/patient/HOSP                              yes
    DNS    h example                             BASE/patient/HOSP                              yes
    ISO    -                                     BASE/patient/HOSP                              no
    """,
)
def test_universal_entity_ids(kind, value, system, recorded):
    made, reasons = run(
        patient_identifier,
        PATIENT,
        PatientID="1",
        IssuerOfPatientID="HOSP",
        IssuerOfPatientIDQualifiersSequence=[universal(value, kind)],
    )
    assert made["system"] == system.replace("BASE", BASE)
    assert bool(reasons) == (recorded == "yes")


@rows(
    "code, made",
    """
    SS   SS
    PPN  PPN
    mr   MR
    XYZ  MR
    -    MR
    """,
)
def test_the_type_of_an_id_is_that_of_the_header_where_it_is_a_known_one(code, made):
    qualifiers = universal("1.2.3", "ISO", IdentifierTypeCode=code)
    identifier, _ = run(patient_identifier, PATIENT, PatientID="1", IssuerOfPatientIDQualifiersSequence=[qualifiers])
    assert identifier["type"] == typed(made)


def test_the_assigning_facility_is_named_when_the_issuer_is_not():
    qualifiers = universal("1.2.3", "ISO", AssigningFacilitySequence=[{"LocalNamespaceEntityID": "WARD"}])
    identifier, _ = run(patient_identifier, PATIENT, PatientID="1", IssuerOfPatientIDQualifiersSequence=[qualifiers])
    assert identifier["assigner"] == {"display": "WARD"}


def test_a_deidentified_id_never_lands_among_the_hospitals():
    expected = {
        "use": "usual",
        "type": typed("ANON"),
        "system": f"{BASE}/patient-deidentified",
        "value": "ANON-0007",
    }
    attributes = {"PatientID": "ANON-0007", "PatientIdentityRemoved": "YES"}
    assert run(patient_identifier, PATIENT, site(patient_system="urn:oid:1.2"), **attributes) == (expected, [])


def test_other_ids_stand_once_each_without_a_use_and_without_labels():
    made, reasons = run(
        other_patient_identifiers,
        "OtherPatientIDsSequence*",
        PatientID="1",
        IssuerOfPatientID="A",
        OtherPatientIDsSequence=[
            {"PatientID": "1", "IssuerOfPatientID": "A", "TypeOfPatientID": "TEXT"},  # the main one
            {"PatientID": "1", "IssuerOfPatientID": "B", "TypeOfPatientID": "TEXT"},
            {"PatientID": "1", "IssuerOfPatientID": "B"},
            {"PatientID": "9", "IssuerOfPatientID": "A", "TypeOfPatientID": "RFID"},
            {"PatientID": "9", "IssuerOfPatientID": "A", "TypeOfPatientID": "barcode"},
            {"PatientID": None, "IssuerOfPatientID": "C"},
        ],
    )
    assert made == [{"type": typed("MR"), "system": f"{BASE}/patient/B", "value": "1", "assigner": {"display": "B"}}]
    assert not reasons


@pytest.mark.parametrize(
    ("issuer", "system"),
    [
        ([universal("1.2.276.0.76.3.1.998", "ISO")], "urn:oid:1.2.276.0.76.3.1.998"),
        ([{"LocalNamespaceEntityID": "RIS"}], f"{BASE}/accession/RIS"),
        ([universal("1.02", "ISO", LocalNamespaceEntityID="RIS")], f"{BASE}/accession/RIS"),
        ([], f"{BASE}/accession"),
        (None, f"{BASE}/accession"),
    ],
)
def test_accession_numbers(issuer, system):
    attributes = {"AccessionNumber": "A2024-001", "IssuerOfAccessionNumberSequence": issuer}
    identifier = {"type": typed("ACSN"), "system": system, "value": "A2024-001"}
    assert run(accession, ACCESSION, **attributes)[0] == identifier
    reference = {"type": "ServiceRequest", "identifier": identifier}
    assert run(accession_order, ACCESSION, **attributes)[0] == reference


def test_a_blank_accession_is_no_order():
    assert run(accession, ACCESSION, AccessionNumber=None) == (None, [])
    assert run(accession_order, ACCESSION, AccessionNumber=" ") == (None, [])


def test_requests_are_known_by_their_own_accessions():
    made, _ = run(
        requested_orders,
        "RequestAttributesSequence*",
        RequestAttributesSequence=[
            {"AccessionNumber": "A1", "IssuerOfAccessionNumberSequence": [universal("1.2", "ISO")]},
            {"AccessionNumber": "A1", "IssuerOfAccessionNumberSequence": [universal("1.2", "ISO")]},
            {"AccessionNumber": "A2"},
            {"RequestedProcedureID": "P"},
        ],
    )
    assert [(one["identifier"]["system"], one["identifier"]["value"]) for one in made] == [
        ("urn:oid:1.2", "A1"),
        (f"{BASE}/accession", "A2"),
    ]


def test_order_numbers_and_visits():
    cases = (
        (placer, "PlacerOrderNumberImagingServiceRequest", "OrderPlacerIdentifierSequence", "PLAC"),
        (filler, "FillerOrderNumberImagingServiceRequest", "OrderFillerIdentifierSequence", "FILL"),
        (visit, "AdmissionID", "IssuerOfAdmissionIDSequence", "VN"),
    )
    for by, number, issuer, code in cases:
        attributes = {number: "7", issuer: [universal("1.2", "ISO")]}
        made, _ = run(by, f"{number} {issuer}*", **attributes)
        assert made == {"type": typed(code), "system": "urn:oid:1.2", "value": "7"}
    made, _ = run(encounter, "AdmissionID IssuerOfAdmissionIDSequence*", AdmissionID="7")
    assert made["type"] == "Encounter"


def test_serial_numbers_are_unique_with_their_manufacturer_only():
    made, _ = run(serial_number, "DeviceSerialNumber", DeviceSerialNumber="SN123")
    assert made == {"type": typed("SNO"), "value": "SN123"}


def test_every_type_code_we_write_is_in_the_table():
    assert {"MR", "ANON", "ACSN", "PLAC", "FILL", "VN", "SNO"} <= TYPES
