"""Studies as a dice makes them: few patients, scanners and physicians, so that studies have much to share."""

from copy import deepcopy
from random import Random
from typing import Any

from pydicom import Dataset
from pydicom.uid import MRImageStorage

from samples.dataset import Attributes, dataset
from tests.support.study import PIXELS

PATIENTS, SCANNERS, PHYSICIANS = 3, 2, 2


def uid(random: Random) -> str:
    """Return a UID (`2.25.` and a number of the dice)."""
    return f"2.25.{random.getrandbits(120)}"


def patient_id(random: Random, name: str) -> str:
    """Return one of the PatientIDs of a walk."""
    return f"{name}-P{random.randint(1, PATIENTS)}"


def person(random: Random) -> Attributes:
    """Return what a study says of its patient: each study may say something else."""
    return {
        "PatientName": f"Walk^{random.choice('ABCDEFGH')}",
        "PatientBirthDate": f"19{random.randint(40, 99)}0{random.randint(1, 9)}11",
        "PatientSex": random.choice("FMO"),
    }


def circumstances(random: Random, name: str) -> dict[str, Any]:
    """Return what a study says of itself: date, description, scanner, physician, vital signs."""
    made: dict[str, Any] = {
        "StudyDate": f"20{random.randint(18, 25)}0{random.randint(1, 9)}{random.randint(10, 28)}",
        "StudyTime": "093105",
        "StudyDescription": f"Study {random.randint(1, 999)}",
        "DeviceSerialNumber": f"{name}-S{random.randint(1, SCANNERS)}",
        "SoftwareVersions": random.choice(("1", "2")),
    }
    made |= vital_signs(random)
    if random.random() < 0.5:
        number = f"{name}-D{random.randint(1, PHYSICIANS)}"
        who = {"CodeValue": number[-16:], "CodingSchemeDesignator": "99WALK", "CodeMeaning": "A physician"}
        made["ReferringPhysicianName"] = f"Doctor^{random.choice('ABCD')}"
        made["ReferringPhysicianIdentificationSequence"] = [{"PersonIdentificationCodeSequence": [who]}]
    return made


def vital_signs(random: Random) -> dict[str, Any]:
    """Return what becomes an Observation: none, one or both."""
    made = {"PatientWeight": str(random.randint(40, 120)), "PatientSize": f"1.{random.randint(40, 99)}"}
    return {keyword: value for keyword, value in made.items() if random.random() < 0.5}


def study(random: Random, name: str) -> list[Dataset]:
    """Return the instances of a new study of one of a walk's patients."""
    whole = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": MRImageStorage,
        "PatientID": patient_id(random, name),
        "StudyInstanceUID": uid(random),
        "TimezoneOffsetFromUTC": "+0200",
        "StudyID": "1",
        "AccessionNumber": "",
        "Modality": "MR",
        "Manufacturer": "Example",
        "ManufacturerModelName": "Scanner",
        "ReferringPhysicianName": "",
        **person(random),
        **circumstances(random, name),
        **PIXELS,
    }
    made = []
    for series in range(1, random.randint(1, 3) + 1):
        whole |= {"SeriesInstanceUID": uid(random), "SeriesNumber": series, "SeriesDescription": f"Series {series}"}
        for instance in range(1, random.randint(1, 3) + 1):
            made.append(dataset({**whole, "SOPInstanceUID": uid(random), "InstanceNumber": instance}))
    return made


def one_more(random: Random, like: Dataset) -> Dataset:
    """Return one more instance, of the same series or of a new one."""
    made = deepcopy(like)
    made.SOPInstanceUID = uid(random)
    made.InstanceNumber = random.randint(10, 999)
    if random.random() < 0.5:
        made.SeriesInstanceUID = uid(random)
        made.SeriesNumber = random.randint(10, 99)
    return made


def changed(instances: list[Dataset], attributes: Attributes) -> list[Dataset]:
    """Return the same instances, which now say something else."""
    named = dataset(attributes)
    for each in instances:
        each.update(named)
    return instances
