"""What a dataset holds that contradicts itself, or its files: findings, as data."""

from collections.abc import Callable, Iterable

from mapper.records.sds.compare import compared
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.description import is_orcid
from mapper.records.sds.finding import WHOLE, Finding, Findings, Where, graded
from mapper.records.sds.ids import id_findings
from mapper.records.sds.paths import path_findings
from mapper.records.sds.row import Row

VERSIONS = (2, 3)
COUNTED = (
    ("Number of subjects", "subjects"),
    ("Number of samples", "samples"),
    ("Number of sites", "sites"),
    ("Number of performances", "performances"),
)


Check = Callable[[Dataset, Findings], None]
"""What looks through a dataset for findings."""


def check(dataset: Dataset, further: Iterable[Check] = ()) -> tuple[Finding, ...]:
    """Return everything found wrong or worth knowing, the gravest first: while reading, here, and by further checks."""
    findings = Findings()
    described(dataset, findings)
    counted(dataset, findings)
    id_findings(dataset, findings)
    path_findings(dataset, findings)
    placed(dataset, findings)
    compared(dataset, findings)
    for look in further:
        look(dataset, findings)
    return graded([*dataset.findings, *findings])


def described(dataset: Dataset, findings: Findings) -> None:
    """Look at dataset_description: version, title, DOI, contributors."""
    description = dataset.description
    if not description.file:
        findings.add("no-description", WHOLE, listed=dataset.within)
        return
    if description.version is None:
        findings.add("no-version", Where(description.file))
    elif dataset.version is None or dataset.version[0] not in VERSIONS:
        findings.add("other-version", description.at("Metadata version"))
    if description["Title"] is None:
        findings.add("no-title", WHOLE)
    if description.doi is None:
        findings.add("no-doi", WHOLE)
    for related in description.related_identifiers:
        if related.is_called_own and not related.is_own:
            findings.add("other-doi", related.where)
    for place, (name, orcid, _) in description.column(
        "Contributor name", "Contributor ORCiD", "Contributor affiliation"
    ):
        if not name:
            findings.add("no-contributor-name", description.at("Contributor name", place))
        if orcid and not is_orcid(orcid):
            findings.add("orcid", description.at("Contributor ORCiD", place))


def counted(dataset: Dataset, findings: Findings) -> None:
    """Compare the numbers that the sheets state with the rows that they have; a population is no one of them."""
    for element, name in COUNTED:
        stated = dataset.description[element]
        rows: tuple[Row, ...] = getattr(dataset, name)
        number = sum(not row.id.startswith("pop-") for row in rows)
        if stated is not None and not is_number(stated):
            findings.add("no-count", dataset.description.at(element))
        elif stated is not None and whole(stated) != number:
            findings.add("count-differs", dataset.description.at(element), count=number)
    derived = directly_derived(dataset)
    for row in (*dataset.subjects, *dataset.samples):
        column = "number of directly derived samples"
        stated = row.stated(column)
        if stated is not None and not is_number(stated):
            findings.add("no-count", row.at(column))
        elif stated is not None and whole(stated) != derived.get(row.id, 0):
            findings.add("derived-count-differs", row.at(column), count=derived.get(row.id, 0))


def directly_derived(dataset: Dataset) -> dict[str, int]:
    """Return {id: samples that are derived from it directly}: from the subject where no sample stands between."""
    found: dict[str, int] = {}
    for sample in dataset.samples:
        for parent in sample.words("was derived from") or sample.words("subject id"):
            found[parent] = found.get(parent, 0) + 1
    return found


def is_number(text: str) -> bool:
    """Tell whether a text is a number of things; `3.0` is how some programs write 3."""
    before, dot, after = text.partition(".")
    return (
        before.isascii()
        and before.isdigit()
        and len(before) < 10
        and (not dot or (after != "" and not after.strip("0")))
    )


def whole(text: str) -> int:
    return int(text.partition(".")[0])


def placed(dataset: Dataset, findings: Findings) -> None:
    """Look for studies without a subject, or with several, and for subjects without studies."""
    for study in dataset.studies:
        where = Where(f"study {study.study.uid}")
        if not study.subjects:
            findings.add("no-subject", where)
        elif study.subject is None:
            findings.add("two-subjects", where, count=len(study.subjects))
        twice = sum(one.reason.startswith("seen twice in one series") for one in study.study.problems)
        if twice:
            findings.add("same-instance", where, count=twice)
        for samples in study.samples.values():
            if len(samples) > 1:
                findings.add("two-samples", where, count=len(samples))
    if dataset.studies and not dataset.subjects:
        findings.add("no-subjects", WHOLE)
    with_images = {subject for study in dataset.studies for subject in study.subjects}
    for subject in dataset.subjects if dataset.studies else ():
        if (
            subject.id not in with_images
            and not is_true(subject["metadata only"])
            and not subject.id.startswith("pop-")
        ):
            findings.add("no-images", subject.at())
    if dataset.images:
        findings.add("image-no-dicom", WHOLE, count=sum(dataset.images.values()))


def is_true(text: str | None) -> bool:
    """Tell whether a cell says yes."""
    return (text or "").casefold() in ("true", "yes", "y", "1", "x")
