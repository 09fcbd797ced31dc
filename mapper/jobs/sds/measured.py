"""A dataset -> measurements.json, as fhir-cda 1.2.5 writes it: what is there stays, missing subjects are added."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from mapper.records.measurements import (
    ImagingSeries,
    ImagingStudy,
    MeasuredDataset,
    MeasuredPatient,
    Measurements,
)
from mapper.records.sds.dataset import Dataset

DICOM = "dcm"
"""What fhir-cda calls studies of DICOM files."""


def measured(dataset: Dataset, resources: Iterable[Mapping[str, Any]]) -> Measurements:
    """Return the records of the file; `resources` are what the dataset becomes in FHIR: they know the body sites."""
    given = dataset.measurements or Measurements(dataset=MeasuredDataset(name=dataset.name))
    sites = {
        series["uid"]: series["bodySite"]
        for one in resources
        if one["resourceType"] == "ImagingStudy"
        for series in one["series"]
        if "bodySite" in series
    }
    known = {one.name for one in given.patients or ()}
    series = series_by_subject(dataset, sites)
    added = tuple(patient(subject, found) for subject, found in series.items() if subject not in known)
    if not added:
        return given
    return Measurements(dataset=given.dataset, patients=(*(given.patients or ()), *added), extra=given.extra)


def series_by_subject(dataset: Dataset, sites: Mapping[str, Any]) -> dict[str, list[ImagingSeries]]:
    """Return the series of each subject, by the samples that they are."""
    found: defaultdict[str, list[ImagingSeries]] = defaultdict(list)
    for study in dataset.studies:
        for series in study.study.series if study.subject else ():
            samples = study.samples.get(series.uid) or (None,)
            found[str(study.subject)].append(
                ImagingSeries(
                    uid=series.uid,
                    name=samples[0],
                    number_of_instances=series.count,
                    body_site=sites.get(series.uid),
                )
            )
    return dict(sorted(found.items()))


def patient(subject: str, series: Iterable[ImagingSeries]) -> MeasuredPatient:
    """Return a subject with one study of all its DICOM series, as fhir-cda has them."""
    study = ImagingStudy(description=DICOM, display="", series=tuple(series))
    return MeasuredPatient(name=subject, imaging_studies=(study,))
