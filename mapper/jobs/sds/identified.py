"""Studies of a dataset as the maps are given them: with the dataset's identifiers, and the places its samples name."""

from dataclasses import replace
from uuid import UUID

from mapper.dicom.study import Series, Study
from mapper.fhir import systems
from mapper.records.sds.dataset import Dataset, DatasetStudy
from mapper.records.sds.words import SIDES

PRIMARY = "primary"


def identifiers(dataset: Dataset, study: DatasetStudy, uuid: UUID) -> tuple[tuple[str, str], ...]:
    """Return system and value of what SPARC's users search a study by: the dataset; its subject's folder and UID."""
    subject = study.subject or folder_of(study)
    named = f"urn:uid:{subject}-{study.study.uid}" if subject else f"urn:uid:{study.study.uid}"
    return (
        (systems.SPARC_DATASET, f"urn:uid:{dataset.name}-{uuid}"),
        (systems.SPARC_STUDY, named),
    )


def folder_of(study: DatasetStudy) -> str | None:
    """Return the folder within `primary` in which the files of a study without a subject lie, the first of several."""
    parts = (folder.split("/") for folder in study.folders)
    return next((one[1] for one in parts if len(one) > 1 and one[0] == PRIMARY), None)


def identified(dataset: Dataset, study: DatasetStudy, uuid: UUID) -> Study:
    """Return a study with what the dataset says of it beside its headers."""
    series = tuple(placed(dataset, study, one) for one in study.study.series)
    return replace(study.study, series=series, identifiers=identifiers(dataset, study, uuid))


def placed(dataset: Dataset, study: DatasetStudy, series: Series) -> Series:
    """Return a series with where it was taken: as its sample says, else the one organ system of the dataset.

    What a sample names and nobody knows stays a text: the dataset's wider word might be another place. A side that
    nobody knows makes none.
    """
    rows = [dataset.lineage.samples[one] for one in study.samples.get(series.uid, ()) if one in dataset.lineage.samples]
    places = dict.fromkeys(place for row in rows if (place := row.stated("sample anatomical location")))
    organs = dataset.description.all("Study organ system")
    if len(organs) == 1 and not places:
        places[organs[0]] = None
    words = {word.strip().casefold() for row in rows if (word := row.stated("laterality"))}
    sides = {SIDES[word] for word in words} if words <= SIDES.keys() else set()
    return replace(series, places=tuple(places), sides=tuple(sorted(sides)))
