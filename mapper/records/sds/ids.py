"""The ids of a dataset: that each is there, once, and in the form that SDS gives it."""

from mapper.records.sds.dataset import Dataset
from mapper.records.sds.finding import Findings, Where
from mapper.records.sds.lineage import ENTITY_ID
from mapper.records.sds.row import ManifestEntry, Row

FORMS = {"subjects": "sub", "samples": "sam", "sites": "site", "performances": "perf"}
"""Sheet -> prefix of its ids; `pop-` may stand before it."""
REFERENCES = (
    ("samples", "subject id"),
    ("samples", "was derived from"),
    ("sites", "specimen id"),
    ("performances", "participants"),
)
"""Columns that hold ids of other rows. Pools and populations need no row of their own."""


def id_findings(dataset: Dataset, findings: Findings) -> None:
    """Look for ids of the wrong form, twice over all sheets, of nothing, or that lead back to themselves."""
    rows: dict[str, tuple[Row, ...]] = {
        stem: getattr(dataset, stem) for stem in ("subjects", "samples", "sites", "performances")
    }
    first: dict[str, Where] = {}
    third = dataset.version is not None and dataset.version[0] >= 3
    for stem, prefix in FORMS.items():
        for row in rows[stem]:
            where = row.at(row.template().keys[0])
            if not row.id.startswith((f"{prefix}-", f"pop-{prefix}-")):
                findings.add("id-prefix", where)
            elif third and not ENTITY_ID.fullmatch(row.id):
                findings.add("id-form", where)
            if row.id in first:
                findings.add("id-twice", where, other=first[row.id])
            first.setdefault(row.id, where)
    for stem, column in REFERENCES:
        for row in rows[stem]:
            for entity in row.words(column):
                if not dataset.lineage.knows(entity):
                    findings.add("unknown-entity", row.at(column))
    for sample in dataset.samples:
        if sample.id in dataset.lineage.ancestors(sample.id):
            findings.add("circle", sample.at("was derived from"))
    manifest_findings(dataset, findings)


def manifest_findings(dataset: Dataset, findings: Findings) -> None:
    """Look for ids in manifests and in the places of studies that no sheet has."""
    for entry in dataset.manifest:
        for column in ManifestEntry.ENTITIES:
            whole = entry[column]
            if whole and not dataset.lineage.knows(whole):
                for entity in entry.words(column):
                    if not dataset.lineage.knows(entity):
                        findings.add("unknown-entity", entry.at(column))
    for study in dataset.studies:
        unknown = {one for ids in study.entities.values() for one in ids if not dataset.lineage.knows(one)}
        for folder in study.folders:
            if unknown & set(folder.split("/")):
                findings.add("unknown-entity", Where(folder))
