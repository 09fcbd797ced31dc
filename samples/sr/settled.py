"""What a library took from the clock or from chance, replaced by what is the same in every run."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.uid import UID

from samples.dataset import Attributes, dataset, uid
from samples.header import Header

CLOCK = {
    "DA": {"InstanceCreationDate", "ContentDate", "SeriesDate"},
    "TM": {"InstanceCreationTime", "ContentTime", "SeriesTime"},
    "DT": {"ContributionDateTime", "VerificationDateTime", "ObservationDateTime"},
}


def settled(made: Dataset, header: Header, series: Attributes) -> Dataset:
    """Return a data set with the patient, study and series that it belongs to, and nothing of today in it."""
    date, time = str(series["SeriesDate"]), str(series["SeriesTime"])
    today = {"DA": date, "TM": time, "DT": date + time}
    names: dict[str, str] = {}
    for element in made.iterall():
        if element.VR in CLOCK and element.keyword in CLOCK[element.VR]:
            element.value = today[element.VR]
        elif element.VR == "UI" and isinstance(element.value, UID) and is_chance(element.value):
            known = len(names)
            element.value = names.setdefault(element.value, uid(header.name, series["SeriesNumber"], "chance", known))
    plain = Dataset()
    plain.update(made)
    own = {"SOPInstanceUID": uid(header.name, series["SeriesNumber"], 1), "InstanceNumber": 1}
    plain.update(dataset({**header.shared, **series, **own}))
    return plain


def is_chance(value: UID) -> bool:
    """Tell whether a UID is neither ours nor DICOM's own."""
    return not value.startswith(("2.25.", "1.2.840.10008."))
