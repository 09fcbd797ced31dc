"""The patients of the demo: nobody."""

from __future__ import annotations

from samples.dataset import Attributes, issuer

UTF8, LATIN1 = "ISO_IR 192", "ISO_IR 100"

PATIENTS: dict[str, Attributes] = {
    "anna": {  # an identifier with its issuer in both forms
        "SpecificCharacterSet": UTF8,
        "PatientName": "Example^Anna^Maria^Dr.",
        "PatientID": "DEMO-0001",
        "IssuerOfPatientID": "EXAMPLE HOSPITAL",
        "IssuerOfPatientIDQualifiersSequence": [issuer("patients of the hospital")],
        "PatientBirthDate": "19700228",
        "PatientSex": "F",
    },
    "boris": {
        "SpecificCharacterSet": UTF8,
        "PatientName": "Example^Boris",
        "PatientID": "DEMO-0002",
        "PatientBirthDate": "19551011",
        "PatientSex": "M",
    },
    "hanako": {  # "mihon", the family name, means "sample"
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": "Mihon^Hanako=見本^花子=みほん^はなこ",
        "PatientID": "DEMO-0003",
        "PatientBirthDate": "19880704",
        "PatientSex": "F",
    },
    "käthe": {
        "SpecificCharacterSet": LATIN1,
        "PatientName": "Beispiel^Käthe",
        "PatientID": "DEMO-0004",
        "PatientBirthDate": "19620517",
        "PatientSex": "F",
    },
    "eleni": {  # "paradigma", the family name, means "example"
        "SpecificCharacterSet": UTF8,
        "PatientName": "Παράδειγμα^Ελένη",
        "PatientID": "DEMO-0005",
        "PatientBirthDate": "19491224",
        "PatientSex": "F",
    },
    "oliver": {  # the issuer is a text only
        "SpecificCharacterSet": UTF8,
        "PatientName": "Sample^Oliver^^^Jr.",
        "PatientID": "000042",
        "IssuerOfPatientID": "EXAMPLE CLINIC",
        "PatientBirthDate": "19930401",
        "PatientSex": "M",
    },
    "nobody": {  # brought in without papers: present, and empty
        "SpecificCharacterSet": UTF8,
        "PatientName": "Example^Unknown",
        "PatientID": "",
        "PatientBirthDate": "",
        "PatientSex": "",
    },
    "mia": {
        "SpecificCharacterSet": UTF8,
        "PatientName": "Example^Mia",
        "PatientID": "DEMO-0006",
        "PatientBirthDate": "20150615",
        "PatientSex": "F",
    },
    "pseudonym": {
        "SpecificCharacterSet": UTF8,
        "PatientName": "ANON-0007",
        "PatientID": "ANON-0007",
        "PatientBirthDate": "",
        "PatientSex": "",
    },
}
