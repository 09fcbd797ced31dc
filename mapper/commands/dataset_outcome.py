"""What became of a dataset where it went, for people and for programs: by file and cell where the dataset says it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mapper.fhir.resource import Key
from mapper.jobs.sds.apply import Applied, Differing
from mapper.jobs.sds.deposit import Deposited
from mapper.plural import counted, plural
from mapper.records.sds.finding import Where

WHO = {
    "ours": "it was there before",
    "dataset": "another dataset wrote it",
    "others": "it was not written by a dataset",
}
WAYS = {
    ("Patient", "others"): "where Orthanc holds the images, their headers count: correct them there",
    ("Patient", "dataset"): "let the sheets of both say the same",
    ("ImagingStudy", "others"): "`--to orthanc` has Orthanc keep the identifiers; of all else the headers count",
    (
        "ImagingStudy",
        "dataset",
    ): "--correct puts this dataset's identifiers beside; of all else both have to say the same",
    ("Practitioner", "others"): "write the name as it stands there, or correct it there",
    ("Practitioner", "dataset"): "write the name as the other dataset does",
}
"""Type of what is left alone, and whose it is -> the way on."""
CORRECT = "an earlier run of this dataset wrote it, and --correct brings it in line"
"""The way on of all types that this dataset wrote itself."""
HEADERS = "it is made of DICOM headers alone: the archive's count"
"""The same of all other types."""
PEOPLE = "Practitioner"
"""Whose name may be spelled otherwise: told, and no failure."""
MOST = 10
"""Cells that one line names."""


class Outcome(Protocol):
    """What became of a dataset."""

    @property
    def well(self) -> bool:
        """Whether all of it went where it should."""

    def lines(self) -> Iterator[str]:
        """Yield it as people read it."""

    def json(self) -> dict[str, Any]:
        """Return it for programs."""


@dataclass(slots=True)
class InFhir:
    """What became of a dataset in FHIR."""

    uuid: str
    applied: Applied
    left_out: Sequence[str]
    gone: Sequence[Key] = ()
    """What its job wrote once and it no longer says."""
    renamed: bool = False
    removed: Sequence[Key] = ()
    referred: Sequence[Key] = field(default=())
    """Those of `gone` that cannot be removed, as something else refers to them."""

    @property
    def well(self) -> bool:
        """Tell whether every study could be expressed, and FHIR says of studies and patients what the dataset says."""
        return not (self.left_out or self.referred) and all(kind == PEOPLE for kind, _ in self.applied.differ)

    def lines(self) -> Iterator[str]:
        """Yield numbers, what is there and says otherwise, what was left out, and what is there for nothing."""
        done = self.applied
        made = counted(done.made, "resource")
        yield f"dataset {self.uuid}: {made} made, {done.changed} changed, {done.same} as they were"
        if self.renamed:
            yield (
                "it was written from a folder of another name before, and is called by this one now; if that folder is "
                "another dataset, give each its own DOI or --dataset-uuid"
            )
        yield from (differs(key, one) for key, one in sorted(done.differ.items()))
        yield from (f"study {uid} left out: nothing of it can be expressed in FHIR" for uid in self.left_out)
        if self.gone and not (self.removed or self.referred):
            yield f"in FHIR and no longer in the dataset: {by_type(self.gone)}; --prune removes them (--to fhir)"
        if self.removed:
            yield f"removed, as no longer in the dataset: {by_type(self.removed)}"
        yield from (f"{'/'.join(key)} cannot be removed: something else refers to it" for key in self.referred)

    def json(self) -> dict[str, Any]:
        """Return the same for programs."""
        done = self.applied
        differ = [
            {
                "resource": "/".join(key),
                "elements": list(one.elements),
                "whose": one.whose,
                "cells": list(map(str, one.cells)),
                "study_uid": one.study_uid,
            }
            for key, one in sorted(done.differ.items())
        ]
        return {
            "dataset_uuid": self.uuid,
            "made": done.made,
            "changed": done.changed,
            "same": done.same,
            "differ": differ,
            "left_out": list(self.left_out),
            "renamed": self.renamed,
            "gone": ["/".join(key) for key in self.gone],
            "removed": ["/".join(key) for key in self.removed],
            "referred": ["/".join(key) for key in self.referred],
        }


@dataclass(frozen=True, slots=True)
class InOrthanc:
    """What became of a dataset in Orthanc."""

    uuid: str
    done: Deposited
    marked: bool
    unsaid: Sequence[Where] = ()
    """Cells that say of a Patient what no header of its images says."""

    @property
    def well(self) -> bool:
        """Tell whether Orthanc took every instance, and FHIR will say what the sheets say."""
        return not (self.done.refused or self.unsaid)

    def lines(self) -> Iterator[str]:
        """Yield numbers, what FHIR will not have, and what was refused."""
        done = self.done
        yield (
            f"dataset {self.uuid}: {counted(done.sent, 'instance')} sent, {done.there} {plural(done.there, 'was')} "
            f"there, identifiers written of {counted(len(done.kept), 'study')}"
        )
        if done.changed:
            how = "marked: a running `serve` syncs them" if self.marked else "no ledger here: `serve` finds them itself"
            yield f"{counted(len(done.changed), 'study')} changed, {how}"
        for value in done.replaced:
            yield f"{value} was kept for these studies before: it gave way to this dataset's identifier"
        if self.unsaid:
            yield (
                f"{cells(self.unsaid)}: no DICOM header says this; FHIR will not have it while Orthanc holds the study "
                "(to keep it, write it into the headers)"
            )
        for uid, number in done.refused.items():
            yield f"study {uid}: Orthanc refused {counted(number, 'instance')}"

    def json(self) -> dict[str, Any]:
        """Return the same for programs."""
        done = self.done
        return {
            "dataset_uuid": self.uuid,
            "sent": done.sent,
            "there": done.there,
            "kept": done.kept,
            "changed": done.changed,
            "replaced": done.replaced,
            "unsaid": list(map(str, self.unsaid)),
            "refused": done.refused,
            "marked": self.marked,
        }


def differs(key: Key, one: Differing) -> str:
    """Return what is left alone: the dataset's place, who wrote it, the elements, and what to do."""
    study = f"study {one.study_uid}" if one.study_uid else "the dataset"
    place = cells(one.cells) if one.cells else study
    elements = ", ".join(one.elements)
    way = CORRECT if one.whose == "ours" else WAYS.get((key[0], one.whose), HEADERS)
    return f"{place}: {'/'.join(key)} in FHIR says otherwise ({elements}) and is left alone, as {WHO[one.whose]}: {way}"


def cells(places: Iterable[Where]) -> str:
    """Return cells, those of one file together, the first of many."""
    told = list(dict.fromkeys(map(str, places)))
    named: dict[str, list[str]] = {}
    for one in told[:MOST]:
        file, _, cell = one.rpartition(" ")
        named.setdefault(file, []).append(cell)
    more = f" (and {len(told) - MOST} more)" if len(told) > MOST else ""
    return "; ".join(f"{file} {', '.join(several)}" for file, several in named.items()) + more


def by_type(keys: Iterable[Key]) -> str:
    """Return how many there are of each type."""
    return ", ".join(f"{number} {kind}" for kind, number in sorted(Counter(kind for kind, _ in keys).items()))
