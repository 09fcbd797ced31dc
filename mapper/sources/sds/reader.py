"""A folder -> a Dataset."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

from mapper.records.measurements import Measurements
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.description import Description, Elements
from mapper.records.sds.finding import WHOLE, Findings, Where
from mapper.records.sds.lineage import Lineage
from mapper.records.sds.row import ManifestEntry, Performance, Resource, Row, Sample, Site, Subject
from mapper.sources.sds.elements import read_elements
from mapper.sources.sds.measurements import parse_measurements
from mapper.sources.sds.places import Places
from mapper.sources.sds.placing import Placing
from mapper.sources.sds.sheet import Refused, read_bounded
from mapper.sources.sds.studies import Progress, Wanted, collected, studies
from mapper.sources.sds.table import read_table
from mapper.sources.sds.tree import MEASUREMENTS, Tree, walk

R = TypeVar("R", bound=Row)
E = TypeVar("E", bound=Elements)


def read_dataset(
    root: Path,
    keywords: Iterable[str] = (),
    instance_keywords: Iterable[str] = (),
    *,
    document_keywords: Iterable[str] = (),
    entities: Mapping[str, str] | None = None,
    pool: Executor | None = None,
    progress: Progress = lambda done, total: None,
) -> Dataset:
    """Return the dataset in a folder, with what was found wrong on the way (`check` finds the rest).

    `keywords` are the DICOM attributes read of each series, `instance_keywords` those of each instance,
    `document_keywords` those of documents (mapper.dicom.documents);
    `entities` is a person's word: StudyInstanceUID or SeriesInstanceUID -> id of a subject or sample;
    `progress` is told of files done and of all that may be DICOM.
    Raises Unreadable when the folder, or one within it, cannot be read, SettingError when xlsx cannot be read here.
    """
    findings = Findings()
    tree = walk(root, findings)
    description = elements(Description, "dataset_description", tree, findings)
    subjects = table(Subject, tree, findings)
    samples = table(Sample, tree, findings)
    sites = table(Site, tree, findings)
    performances = table(Performance, tree, findings)
    lineage = Lineage(subjects, samples, sites, performances)
    manifest = tuple(
        entry
        for file in tree.manifests(findings)
        for entry in read_table(ManifestEntry, tree.path(file), file, findings)
    )
    places = Places(manifest, lineage, tree.files, findings)
    collector, images = collected(
        tree, Wanted(keywords, instance_keywords, document_keywords, pool, progress), findings
    )
    if manifest and (unlisted := places.unlisted()):
        findings.add("not-listed", WHOLE, count=len(unlisted), listed=tuple(unlisted))
    placing = Placing(tree, places, lineage, entities or {}, findings)
    placed = tuple(placing.place(study) for study in studies(collector, findings))
    known = {*collector.study_uids, *(uid for one in placed for uid in one.entities)}
    for uid, entity in sorted((entities or {}).items()):
        if uid not in known:
            findings.add("no-such-study", Where(f"study {uid}"))
        if not lineage.knows(entity):
            findings.add("unknown-entity", Where(f"study {uid}"))
    return Dataset(
        name=root.resolve().name,
        description=description,
        submission=elements(Elements, "submission", tree, findings),
        subjects=subjects,
        samples=samples,
        sites=sites,
        performances=performances,
        resources=table(Resource, tree, findings),
        manifest=manifest,
        studies=placed,
        files=tree.files,
        images=images,
        measurements=measured(tree, findings),
        findings=tuple(findings),
        within=tree.datasets,
        lineage=lineage,
    )


def elements(kind: type[E], stem: str, tree: Tree, findings: Findings) -> E:
    """Return the elements of a sheet at the top of the dataset, none where there is no such sheet."""
    file = tree.sheet(stem, findings)
    if file is None:
        return kind(stem, "")
    return read_elements(kind, stem, tree.path(file), file, findings)


def table(kind: type[R], tree: Tree, findings: Findings) -> tuple[R, ...]:
    """Return the rows of a sheet at the top of the dataset, none where there is no such sheet."""
    file = tree.sheet(kind.STEM, findings)
    return () if file is None else read_table(kind, tree.path(file), file, findings)


def measured(tree: Tree, findings: Findings) -> Measurements | None:
    """Return what fhir-cda has left in the dataset."""
    if MEASUREMENTS not in tree.files:
        return None
    try:
        return parse_measurements(read_bounded(tree.path(MEASUREMENTS), MEASUREMENTS, findings))
    except Refused:
        return None
    except ValueError:
        findings.add("no-measurements", Where(MEASUREMENTS))
        return None
