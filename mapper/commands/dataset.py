"""A dataset that a command is given: read with progress, and checked."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mapper.commands.progress import Progress
from mapper.convert import pool_for
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.records.sds.check import check
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.finding import Finding
from mapper.records.sds.profile import Profile, profile
from mapper.sources.sds.reader import read_dataset


@dataclass(frozen=True, slots=True)
class Checked:
    """A dataset, what was found of it, and its numbers."""

    dataset: Dataset
    findings: tuple[Finding, ...]
    profile: Profile

    def lines(self) -> Iterator[str]:
        """Yield the profile and the findings as people read them, the gravest first."""
        yield from self.profile.lines()
        yield from (f"{one.level}: {one}" for one in self.findings)

    def json(self) -> dict[str, Any]:
        """Return the same for programs."""
        told = [
            {"level": one.level, "code": one.code, "where": str(one.where), "reason": one.reason, "more": one.more}
            for one in self.findings
        ]
        return {**asdict(self.profile), "well": self.profile.well, "findings": told}


def checked(path: Path) -> Checked:
    """Read and check a dataset; raises Unreadable and SettingError as the reader does."""
    with Progress("files") as progress, pool_for(sum(1 for _ in path.rglob("*"))) as pool:
        dataset = read_dataset(
            path, KEYWORDS, INSTANCE_KEYWORDS, document_keywords=DOCUMENT_KEYWORDS, pool=pool, progress=progress.at
        )
    findings = check(dataset)
    return Checked(dataset, findings, profile(dataset, findings))
