"""What the maps would drop of a dataset, told by cell before anything is written: by the readers that the maps use."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mapper.errors import BundleRejected
from mapper.fhir.check import check
from mapper.maps.research.columns import sheets, unmapped
from mapper.maps.research.measurement import FILE, concept
from mapper.maps.research.values import day_of
from mapper.maps.values.body_site import part_of
from mapper.records.measurements import Observation
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.finding import Findings, Where
from mapper.records.sds.missing import is_missing
from mapper.records.sds.species import species_of
from mapper.records.sds.words import age_of, rrid_of, sex_of, side_of


def place_of(text: str) -> Any:
    """Return the Coding of a body part; raises ValueError."""
    if (found := part_of(text)) is None:
        raise ValueError("no body part that PS3.16 table L-1 names")
    return found


@dataclass(frozen=True, slots=True)
class CellReader:
    """A column that FHIR takes over or that is compared, what reads its cells, and the finding where that fails."""

    sheet: str
    column: str
    read: Callable[[str], Any]
    code: str


# fmt: off
READERS = (
    CellReader("subjects",            "sex",                        sex_of,     "no-sex"),
    CellReader("subjects",            "date of birth",              day_of,     "no-date"),
    CellReader("subjects",            "age",                        age_of,     "no-age"),
    CellReader("subjects",            "species",                    species_of, "no-species"),
    CellReader("subjects",            "RRID for strain",            rrid_of,    "no-rrid"),
    CellReader("samples",             "sample anatomical location", place_of,   "no-place"),
    CellReader("samples",             "laterality",                 side_of,    "no-side"),
    CellReader("dataset_description", "Study organ system",         place_of,   "no-place"),
)
# fmt: on


def cells(dataset: Dataset, findings: Findings) -> None:
    """Read each cell that is filled."""
    for reader in READERS:
        for text, where in filled(dataset, reader.sheet, reader.column):
            try:
                reader.read(text)
            except ValueError:
                findings.add(reader.code, where)


def filled(dataset: Dataset, sheet: str, column: str) -> Iterator[tuple[str, Where]]:
    """Yield each value under a name that says something, with its place."""
    if sheet == "dataset_description":
        for place, (text,) in dataset.description.column(column):
            if not is_missing(text):
                yield str(text), dataset.description.at(column, place)
    else:
        for row in getattr(dataset, sheet):
            if (text := row.stated(column)) is not None:
                yield text, row.at(column)


def measured(dataset: Dataset, findings: Findings) -> None:
    """Look through measurements.json, by the number of patient and observation: names are values."""
    known = {row.id for row in dataset.subjects} | {one for study in dataset.studies for one in study.subjects}
    for number, patient in enumerate((dataset.measurements.patients if dataset.measurements else None) or (), 1):
        where = f"{FILE} patient {number}"
        if patient.observations and patient.name not in known:
            findings.add("no-measured-subject", Where(where))
            continue
        for place, one in enumerate(patient.observations or (), 1):
            if code := fault(one):
                findings.add(code, Where(f"{where} observation {place}"))


def fault(one: Observation) -> str | None:
    """Return the finding of a measurement that becomes no Observation, None where it becomes one."""
    if not (code := concept(one)):
        return "no-measured-code"
    try:
        check([{"resourceType": "Observation", "id": "1", "status": "unknown", "code": code, **(one.value or {})}])
    except BundleRejected:
        return "no-measured-value"
    return None


def dropped(dataset: Dataset, findings: Findings) -> None:
    """Name the columns of each sheet that are filled and that no map uses."""
    for sheet in sheets(dataset):
        if names := unmapped(sheet):
            findings.add("not-mapped", Where(sheet.file), listed=names)


CHECKS = (cells, measured, dropped)
"""What looks through a dataset with the eyes of the maps."""
