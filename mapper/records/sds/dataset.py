"""A dataset as a whole: what its sheets say, the studies of its DICOM files, and what was found wrong on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mapper.dicom.study import Study
from mapper.records.measurements import Measurements
from mapper.records.sds.description import Description, Elements
from mapper.records.sds.finding import Finding
from mapper.records.sds.lineage import Lineage
from mapper.records.sds.row import ManifestEntry, Performance, Resource, Sample, Site, Subject

By = Literal["mapping", "manifest", "folder", ""]
"""Who said what a file is about: a person, a manifest, the names of its folders, nobody."""


@dataclass(frozen=True, slots=True)
class DatasetStudy:
    """One DICOM study of the dataset, put together by its headers, and what it belongs to by the dataset.

    `subjects` holds several ids when the dataset contradicts itself; `subject` is the one that it can be given to.
    `entities`, `samples`: by SeriesInstanceUID, ids from the widest to the narrowest. `folders`: where its files
    lie, within the dataset.
    """

    study: Study
    subjects: tuple[str, ...] = ()
    entities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    by: By = ""

    @property
    def subject(self) -> str | None:
        """The id of the subject, when there is exactly one."""
        return self.subjects[0] if len(self.subjects) == 1 else None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Everything that a dataset says; `findings` is what was met while it was read (see `check` for the rest)."""

    name: str
    """The name of its folder."""
    description: Description
    submission: Elements
    subjects: tuple[Subject, ...] = ()
    samples: tuple[Sample, ...] = ()
    sites: tuple[Site, ...] = ()
    performances: tuple[Performance, ...] = ()
    resources: tuple[Resource, ...] = ()
    manifest: tuple[ManifestEntry, ...] = ()
    """Every entry of every manifest; `sheet.file` says of which."""
    studies: tuple[DatasetStudy, ...] = ()
    """In the order of StudyInstanceUID."""
    files: tuple[str, ...] = ()
    """Every file's path within the dataset, sheets included."""
    images: Mapping[str, int] = field(default_factory=dict)
    """Images that are no DICOM: kind -> how many."""
    measurements: Measurements | None = None
    findings: tuple[Finding, ...] = ()
    within: tuple[str, ...] = ()
    """Folders at its top that are datasets of their own: somebody may have named the folder above them."""
    lineage: Lineage = field(default_factory=Lineage, compare=False, repr=False)

    @property
    def version(self) -> tuple[int, ...] | None:
        """The version of the template as numbers, None where it has none or one that is no version."""
        parts = (self.description.version or "").split(".")
        if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
            return None
        return tuple(map(int, parts))
