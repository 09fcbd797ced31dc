"""What the headers of a study say, against what the sheets say of its subject.

Only what both say clearly is compared: F and M, ages with a unit, whole dates.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

from mapper.dicom.item import Item
from mapper.records.sds.columns import name_key
from mapper.records.sds.dataset import Dataset, DatasetStudy
from mapper.records.sds.finding import Findings, Where
from mapper.records.sds.row import Subject
from mapper.records.sds.species import MAN, SPELLINGS, species_of
from mapper.records.sds.words import SEXES, SIDES, age_of

DAYS = {"D": Decimal(1), "W": Decimal(7), "M": Decimal("30.4375"), "Y": Decimal("365.25")}
AGE_STRING = re.compile(r"([0-9]{3})([DWMY])")
DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def compared(dataset: Dataset, findings: Findings) -> None:
    """Compare each study with the row of its subject."""
    patient_ids: defaultdict[str, set[str]] = defaultdict(set)
    for study in dataset.studies:
        subject = dataset.lineage.subjects.get(study.subject or "")
        if subject is None:
            continue
        sides_differ(dataset, study, findings)
        for code, column, differs in COMPARED:
            if differs(study.study.item, subject):
                findings.add(code, Where(f"study {study.study.uid}"), other=subject.at(column))
        if patient_id := said(study.study.item, "PatientID"):
            patient_ids[subject.id].add(patient_id)
            identified(dataset, study, subject, patient_id, findings)
    first: dict[str, str] = {}
    for subject_id, ids in patient_ids.items():
        for patient_id in sorted(ids):
            if (other := first.setdefault(patient_id, subject_id)) != subject_id:
                where = dataset.lineage.subjects[subject_id].at("subject id")
                findings.add("shared-patient-id", where, other=dataset.lineage.subjects[other].at("subject id"))
        if len(ids) > 1:
            findings.add("several-patient-ids", dataset.lineage.subjects[subject_id].at("subject id"), count=len(ids))
    for subject in dataset.subjects:
        with suppress(ValueError):
            if species_of(subject.stated("species") or "") != MAN:
                findings.add("animal", subject.at("species"))


def identified(dataset: Dataset, study: DatasetStudy, subject: Subject, patient_id: str, findings: Findings) -> None:
    """Look whether PatientID is the subject's id, with or without `sub-`, or the laboratory's, or another's."""
    where = Where(f"study {study.study.uid}")
    if patient_id in ids_of(subject):
        return
    for other in dataset.subjects:
        if patient_id in ids_of(other):
            findings.add("other-patient-id", where, other=other.at("subject id"))
            return
    findings.add("patient-id", where)


def ids_of(subject: Subject) -> tuple[str, ...]:
    return (subject.id, subject.id.removeprefix("sub-"), subject.cells.get("laboratory internal id", subject.id))


def said(item: Item, keyword: str) -> str | None:
    """Return the value of an attribute, None where it is absent or unreadable."""
    try:
        value = item[keyword]
    except ValueError:
        return None
    return str(value) if value is not None else None


def sex_differs(item: Item, subject: Subject) -> bool:
    """Tell whether both name a sex, and not the same."""
    stated = SEXES.get((subject["sex"] or "").strip().casefold())
    header = said(item, "PatientSex")
    return stated is not None and header in ("F", "M") and header != stated


def age_differs(item: Item, subject: Subject) -> bool:
    """Tell whether the ages lie apart by more than one of the coarser unit: they need not be of the same day."""
    header = AGE_STRING.fullmatch(said(item, "PatientAge") or "")
    try:
        age, unit = age_of(subject["age"] or "")
    except ValueError:
        return False
    if not header:
        return False
    apart = abs(age * DAYS[unit] - Decimal(header[1]) * DAYS[header[2]])
    return apart > max(DAYS[unit], DAYS[header[2]])


def birth_date_differs(item: Item, subject: Subject) -> bool:
    """Tell whether both name a whole date of birth, and not the same."""
    stated = DATE.fullmatch(subject["date of birth"] or "")
    header = said(item, "PatientBirthDate") or ""
    return stated is not None and re.fullmatch("[0-9]{8}", header) is not None and "".join(stated.groups()) != header


def species_differs(item: Item, subject: Subject) -> bool:
    """Tell whether both name a species, and not the same; all names of one are the same."""
    stated, header = subject.stated("species"), said(item, "PatientSpeciesDescription")
    if stated is None or not header:
        return False
    one, other = (SPELLINGS.get(key, key) for key in (name_key(stated), name_key(header)))
    return one != other


def sides_differ(dataset: Dataset, study: DatasetStudy, findings: Findings) -> None:
    """Compare the side of each series with the side of its sample."""
    for series in study.study.series:
        header = said(series.item, "Laterality")
        for id in study.samples.get(series.uid, ()):
            sample = dataset.lineage.samples.get(id)
            stated = SIDES.get((sample["laterality"] or "").strip().casefold()) if sample else None
            if sample and stated and header in ("L", "R") and header != stated:
                findings.add("laterality-differs", Where(f"study {study.study.uid}"), other=sample.at("laterality"))


COMPARED: tuple[tuple[str, str, Callable[[Item, Subject], bool]], ...] = (
    ("sex-differs", "sex", sex_differs),
    ("age-differs", "age", age_differs),
    ("birth-date-differs", "date of birth", birth_date_differs),
    ("species-differs", "species", species_differs),
)
"""Finding, the subject's column, and what tells that the header says another thing."""
