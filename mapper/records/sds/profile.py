"""What a dataset holds, in numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mapper.records.sds.dataset import Dataset
from mapper.records.sds.finding import Finding
from mapper.records.sds.sentences import LEVELS, Level


@dataclass(frozen=True, slots=True)
class Profile:
    """A dataset in numbers; `version` is the template's as the dataset says it, None where it says none."""

    name: str
    version: str | None
    rows: Mapping[str, int]
    """Sheet -> how many rows it has."""
    studies: int
    series: int
    instances: int
    subjects_with_images: int
    images: Mapping[str, int]
    """Images that are no DICOM: kind -> how many."""
    measurements: int
    """Observations in measurements.json."""
    levels: Mapping[Level, int]
    """How many findings there are, by how grave they are."""
    left_out: int = 0
    """How many of them say that something of the dataset does not reach FHIR."""

    @property
    def well(self) -> bool:
        """Tell whether nothing was found that contradicts itself, and all that is read can be used."""
        return not self.levels["error"] and not self.left_out

    def lines(self) -> Iterable[str]:
        """Yield the numbers as people read them."""
        yield f"{self.name}: SDS {self.version or 'of no version'}"
        yield f"  rows: {', '.join(f'{number} {sheet}' for sheet, number in self.rows.items())}"
        yield (
            f"  DICOM: {self.studies} studies, {self.series} series, {self.instances} instances, "
            f"of {self.subjects_with_images} subjects"
        )
        if self.images:
            yield f"  no DICOM: {', '.join(f'{number} {kind}' for kind, number in self.images.items())}"
        if self.measurements:
            yield f"  measurements.json: {self.measurements} observations"
        yield f"  found: {', '.join(f'{number} {level}s' for level, number in self.levels.items())}"


def profile(dataset: Dataset, findings: Iterable[Finding]) -> Profile:
    """Return a dataset in numbers; `findings` are those of its check."""
    levels: Counter[Level] = Counter()
    left_out = 0
    for one in findings:
        levels[one.level] += 1 + one.more
        left_out += (1 + one.more) * one.left_out
    sheets = ("subjects", "samples", "sites", "performances", "manifest")
    patients = (dataset.measurements.patients if dataset.measurements else None) or ()
    return Profile(
        name=dataset.name,
        version=dataset.description.version,
        rows={sheet: len(getattr(dataset, sheet)) for sheet in sheets},
        studies=len(dataset.studies),
        series=sum(len(one.study.series) for one in dataset.studies),
        instances=sum(one.study.instances for one in dataset.studies),
        subjects_with_images=len({subject for one in dataset.studies for subject in one.subjects}),
        images=dataset.images,
        measurements=sum(len(one.observations or ()) for one in patients),
        levels={level: levels[level] for level in LEVELS},
        left_out=left_out,
    )
