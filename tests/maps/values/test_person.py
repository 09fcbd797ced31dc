"""People: by name, unless the header says who they are."""

from mapper.maps.values.person import operating, people, performing, practitioners, referrer
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
    assert run(practitioners, PEOPLE, NameOfPhysiciansReadingStudy=["Weber^Karl"]) == ([], [])


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


def test_who_is_identified_is_a_practitioner_and_referred_to():
    attributes = {
        "NameOfPhysiciansReadingStudy": ["Weber^Karl", "Roth^Eva"],
        "PhysiciansReadingStudyIdentificationSequence": [identified("1234567893", "NPI"), identified("7", "99H")],
    }
    made, _ = run(people, PEOPLE, **attributes)
    resources, _ = run(practitioners, PEOPLE, **attributes)
    assert [one["display"] for one in made] == ["Weber, Karl", "Roth, Eva"]
    assert [one["reference"] for one in made] == [f"Practitioner/{one['id']}" for one in resources]
    assert [one["identifier"] for one in resources] == [
        [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
        [{"system": f"{BASE}/codesystem/99H", "value": "7"}],
    ]
    assert resources[0]["name"] == [{"family": "Weber", "given": ["Karl"]}]


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
