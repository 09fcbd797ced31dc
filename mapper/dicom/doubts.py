"""What is doubted of a study as a whole: its character sets, blank PatientIDs, one instance in two series."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mapper.dicom.charset import doubt, named
from mapper.dicom.graphic_sets import DEFAULT
from mapper.dicom.item import Item, strings
from mapper.dicom.study import Series
from mapper.errors import Problem

CHARSET = "SpecificCharacterSet"
BLANK_PATIENT_ID = Problem(
    "ImagingStudy.subject",
    "PatientID",
    "blank or unreadable in some instances: the one id of the others counts for all",
)
IN_TWO_SERIES = Problem(
    "ImagingStudy.series.instance", "SOPInstanceUID", "seen in two series: listed and counted in the first one only"
)


def of_texts(series: Iterable[Series]) -> Iterator[Problem]:
    """Yield why the texts of a study are not to be trusted; what instances share is looked at once."""
    seen: set[int] = set()
    for one in series:
        for item in (one.item, *(instance.whole for instance in one.instances)):
            fresh = {tag: element for tag, element in item.raw.items() if id(element) not in seen}
            seen.update(map(id, fresh.values()))
            yield from of_data_set(item, fresh)


def of_data_set(item: Item, fresh: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield why some attributes of a data set are not to be trusted, by the character sets that it names."""
    try:
        declared = [value or "" for value in item.positions(CHARSET)]
    except ValueError as error:
        yield Problem("ImagingStudy", CHARSET, f"{error or 'not readable'}: text may be wrong")
        return
    if any(declared) and DEFAULT.issuperset(declared) and not all(map(str.isascii, strings(fresh))):
        yield Problem("ImagingStudy", CHARSET, "names ASCII where text holds more: text may be wrong")
    for terms in named(fresh):
        if reason := doubt(terms):
            yield Problem("ImagingStudy", CHARSET, reason)


def each_once(series: Sequence[Series]) -> list[Series]:
    """Return series in which every instance stands once, in the first that has it; one with nothing left goes."""
    seen: set[str] = set()
    left = []
    for one in series:
        instances = tuple(instance for instance in one.instances if instance.uid not in seen)
        seen.update(instance.uid for instance in instances)
        if len(instances) == len(one.instances):
            left.append(one)
        elif instances:
            left.append(replace(one, instances=instances))
    return left
