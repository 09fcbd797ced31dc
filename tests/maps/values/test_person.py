"""People: by name, unless the header says who they are."""

from mapper.maps import keys
from mapper.maps.site import PUBLIC_NAMESPACE
from mapper.maps.values.person import operating, people, performing, referrer
from tests.support.datasets import BASE, run

PEOPLE = "NameOfPhysiciansReadingStudy* PhysiciansReadingStudyIdentificationSequence*"


def identified(value, designator, **more):
    code = {"CodeValue": value, "CodingSchemeDesignator": designator}
    return {"PersonIdentificationCodeSequence": [code], **more}


def test_a_name_is_a_display_and_no_practitioner():
    made = run(
        referrer,
        "ReferringPhysicianName* ReferringPhysicianIdentificationSequence*",
        ReferringPhysicianName="Weber^Karl",
    )
    assert made == ({"display": "Weber, Karl"}, [])


def test_nobody_is_no_performer():
    for by in (performing, operating):
        assert run(by, "OperatorsName* OperatorIdentificationSequence*", OperatorsName=None) == ([], [])
        assert run(by, "OperatorsName* OperatorIdentificationSequence*", OperatorsName=["^^"]) == ([], [])


def test_performers_have_a_function():
    system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
    for by, code in ((performing, "PRF"), (operating, "SPRF")):
        made, _ = run(by, "OperatorsName* OperatorIdentificationSequence*", OperatorsName=["A^B", "C^D", "A^B"])
        assert made == [
            {"function": {"coding": [{"system": system, "code": code}]}, "actor": {"display": name}}
            for name in ("A, B", "C, D")
        ]


def test_who_is_identified_is_referred_to_as_a_practitioner():
    made, _ = run(
        people,
        PEOPLE,
        NameOfPhysiciansReadingStudy=["Weber^Karl", "Roth^Eva"],
        PhysiciansReadingStudyIdentificationSequence=[identified("1234567893", "NPI"), identified("7", "99H")],
    )
    assert [one["display"] for one in made] == ["Weber, Karl", "Roth, Eva"]
    ids = [
        keys.id_of(PUBLIC_NAMESPACE, keys.practitioner({"system": system, "value": value}))
        for system, value in (("http://hl7.org/fhir/sid/us-npi", "1234567893"), (f"{BASE}/codesystem/99H", "7"))
    ]
    assert [one["reference"] for one in made] == [f"Practitioner/{id}" for id in ids]


def test_names_and_identifications_are_paired_only_when_they_are_as_many():
    made, reasons = run(
        people,
        PEOPLE,
        NameOfPhysiciansReadingStudy=["Weber^Karl", "Roth^Eva"],
        PhysiciansReadingStudyIdentificationSequence=[identified("1", "NPI")],
    )
    assert made == [{"display": "Weber, Karl"}, {"display": "Roth, Eva"}]
    assert len(reasons) == 1


def test_an_identification_without_a_scheme_identifies_nobody():
    made, _ = run(
        people,
        PEOPLE,
        NameOfPhysiciansReadingStudy=["Weber^Karl"],
        PhysiciansReadingStudyIdentificationSequence=[identified("1", None)],
    )
    assert made == [{"display": "Weber, Karl"}]
