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
            prefixes = (f"{prefix}-", f"pop-{prefix}-")
            if not row.id.startswith(prefixes):
                findings.add("id-case" if row.id.casefold().startswith(prefixes) else "id-prefix", where)
            elif third and not ENTITY_ID.fullmatch(row.id):
                findings.add("id-form", where)
            if row.id in first:
                findings.add("id-twice", where, other=first[row.id])
            first.setdefault(row.id, where)
    for stem, column in REFERENCES:
        for row in rows[stem]:
            for entity in row.words(column):
                if not dataset.lineage.knows(entity):
                    unknown(entity, row.at(column), dataset, findings)
    for sample in dataset.samples:
        if not sample.words("subject id") and not sample.words("was derived from"):
            findings.add("no-parent", sample.at("subject id"))
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
                        unknown(entity, entry.at(column), dataset, findings)
    folders: dict[str, str] = {}
    for folder in (folder for study in dataset.studies for folder in study.folders):
        names = folder.split("/")
        for depth, name in enumerate(names, 1):
            if ENTITY_ID.fullmatch(name) and not dataset.lineage.knows(name):
                folders["/".join(names[:depth])] = name
    for folder, name in folders.items():
        unknown(name, Where(folder), dataset, findings)


def unknown(entity: str, where: Where, dataset: Dataset, findings: Findings) -> None:
    """Find an id that no sheet has; one that has it in other letters is named."""
    same = dataset.lineage.folded.get(entity.casefold())
    if same is None:
        findings.add("unknown-entity", where)
    else:
        findings.add("entity-case", where, other=same.at(same.template().keys[0]))
