"""Where each column of the template goes: an element of FHIR, a comparison, or nowhere. Printed as docs/datasets.md."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mapper.maps.research import patient, research_study, research_subject
from mapper.maps.research.cells import CellRule
from mapper.records.sds.columns import TEMPLATES
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.description import Elements

RULES: Mapping[str, tuple[CellRule, ...]] = {
    "dataset_description": research_study.RULES,
    "subjects": (*patient.RULES, *research_subject.RULES),
}
"""Sheet -> the rows of tables that read its cells."""
GROUP = "Group.member"
LIKENESS = "Group.characteristic"
BESIDE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("dataset_description", "Study organ system"): ("ImagingStudy.series.bodySite",),
    ("subjects", "subject experimental group"): ("ResearchStudy.arm", LIKENESS),
    ("subjects", "species"): (LIKENESS,),
    ("subjects", "strain"): (LIKENESS,),
    ("subjects", "RRID for strain"): (LIKENESS,),
    ("subjects", "pool id"): (GROUP,),
    ("subjects", "member of"): (GROUP,),
    ("samples", "pool id"): (GROUP,),
    ("samples", "member of"): (GROUP,),
    ("samples", "sample anatomical location"): ("ImagingStudy.series.bodySite",),
    ("samples", "laterality"): ("ImagingStudy.series.laterality",),
}
"""Sheet and column -> elements that code makes of it, beside the rows."""
USED: Mapping[str, Mapping[str, str]] = {
    "dataset_description": {
        "Metadata version": "how the sheets are read",
        **dict.fromkeys(
            ("Number of subjects", "Number of samples", "Number of sites", "Number of performances"),
            "compared with the rows",
        ),
    },
    "subjects": {
        "metadata only": "whether images are missed",
        "number of directly derived samples": "compared with the samples",
    },
    "samples": {
        "sample id": "which series it is",
        "subject id": "whose it is",
        "was derived from": "whose it is",
        "number of directly derived samples": "compared with the samples",
    },
    "sites": {"specimen id": "whose a file is"},
    "performances": {"participants": "whose a file is"},
    "manifest": dict.fromkeys(
        ("filename", "pattern", "entity", "specimen", "subject", "sample", "site", "performance"), "whose a file is"
    ),
}
"""Sheet -> columns without an element of their own, and what they are needed for."""
COMPARED: Mapping[tuple[str, str], str] = {
    ("subjects", "age"): "compared with PatientAge",
    ("subjects", "laboratory internal id"): "compared with PatientID",
}
"""Columns that are looked at and whose values are not in FHIR all the same."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a dataset: its name in the template, its file, and the template's columns that are filled."""

    stem: str
    file: str
    filled: frozenset[str]


def elements(stem: str, column: str) -> tuple[str, ...]:
    """Return the FHIR elements that a column becomes, none where no map uses it."""
    rows = (row.element for row in RULES.get(stem, ()) if column in row.names)
    return tuple(dict.fromkeys((*rows, *BESIDE.get((stem, column), ()))))


def names(stem: str) -> tuple[str, ...]:
    """Return what a sheet has in the template: its elements, or its columns."""
    return TEMPLATES[stem].elements or TEMPLATES[stem].columns


def unmapped(sheet: Sheet) -> tuple[str, ...]:
    """Return the filled columns of a sheet whose values are not in FHIR, in the order of the template."""
    used = USED.get(sheet.stem, {})
    return tuple(
        name
        for name in names(sheet.stem)
        if name in sheet.filled and name not in used and not elements(sheet.stem, name)
    )


def sheets(dataset: Dataset) -> Iterator[Sheet]:
    """Yield the sheets that a dataset has; each manifest is one."""
    for one in (dataset.description, dataset.submission):
        if one.file:
            yield Sheet(one.stem, one.file, filled(one))
    tables = ("subjects", "samples", "sites", "performances", "resources", "manifest")
    for stem in tables:
        by_file: dict[str, set[str]] = {}
        for row in getattr(dataset, stem):
            by_file.setdefault(row.sheet.file, set()).update(row.cells)
        for file, columns in by_file.items():
            yield Sheet(stem, file, frozenset(columns))


def filled(sheet: Elements) -> frozenset[str]:
    """Return the elements that have a value; a role or a description that nobody has yet is the template's own word."""
    return frozenset(name for name in sheet.values if sheet.all(name))


def table() -> str:
    """Return where each column goes, in Markdown."""
    lines = ["| sheet | column | in FHIR |", "| --- | --- | --- |"]
    for stem in TEMPLATES:
        for name in names(stem):
            found = ", ".join(f"`{one}`" for one in elements(stem, name))
            use = USED.get(stem, {}).get(name) or COMPARED.get((stem, name))
            lines.append(f"| {stem} | {name} | {found or (f'not mapped ({use})' if use else 'not mapped')} |")
    return "\n".join(lines)
