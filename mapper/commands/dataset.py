"""A dataset that a command is given: read with progress, checked, and refused where it could be lost."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mapper.commands.output import Record
from mapper.commands.progress import Progress
from mapper.configuration import WrongArgument
from mapper.convert import pool_for
from mapper.errors import Problem, SettingError
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.research.checked import CHECKS
from mapper.records.sds.check import check
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.finding import Finding, printable
from mapper.records.sds.profile import Profile, profile
from mapper.sources.sds.reader import read_dataset
from mapper.sources.sds.tree import MEASUREMENTS


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
            {
                "level": one.level,
                "code": one.code,
                "where": str(one.where),
                "reason": one.reason,
                "remedy": one.remedy,
                "left_out": one.left_out,
                "more": one.more,
                "listed": [printable(name) for name in one.listed],
            }
            for one in self.findings
        ]
        return {**asdict(self.profile), "well": self.profile.well, "findings": told}


def checked(path: Path) -> Checked:
    """Read and check a dataset; raises Unreadable and SettingError as the reader does."""
    with Progress("files") as progress, pool_for(sum(1 for _ in path.rglob("*"))) as pool:
        dataset = read_dataset(
            path, KEYWORDS, INSTANCE_KEYWORDS, document_keywords=DOCUMENT_KEYWORDS, pool=pool, progress=progress.at
        )
    findings = check(dataset, CHECKS)
    return Checked(dataset, findings, profile(dataset, findings))


def no_dataset(path: Path, found: Checked) -> SettingError:
    """Return that a folder is no dataset, and which of those in it are."""
    within = ", ".join(map(printable, found.dataset.within))
    named = f"name one of these: {within}" if within else "name the folder in which it lies"
    return SettingError(f"{path}: no dataset_description lies here: {named}")


def not_onto_itself(path: Path) -> None:
    """Raise WrongArgument where standard output is the dataset's own measurements.json: its shell has emptied it."""
    own = path / MEASUREMENTS
    try:
        same = own.exists() and os.path.samestat(own.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):  # standard output is no file
        return
    if same:
        raise WrongArgument(
            f"standard output is {own} itself, and `>` has emptied it: take it back from a copy, and write elsewhere"
        )


def not_lost(path: Path, found: Checked) -> None:
    """Raise SettingError where measurements.json is there and cannot be read: what it holds would not be in ours."""
    if MEASUREMENTS in found.dataset.files and found.dataset.measurements is None:
        raise SettingError(f"{path / MEASUREMENTS} cannot be read, so what it holds would be lost: mend it first")


@contextmanager
def told(record: Record, found: Checked) -> Iterator[Record]:
    """Hand on what is told of problems; at the end it is told of each cell or file left out that no map met."""
    met: list[str] = []

    def heard(study_uid: str, problems: list[Problem]) -> None:
        met.extend(one.attribute for one in problems)
        record(study_uid, problems)

    yield heard
    cells = {cell.partition(": ")[0] for one in met for cell in one.split("; ")}
    left = [Problem("", str(one.where), one.reason) for one in found.findings if one.left_out]
    record("", [one for one in left if one.attribute not in cells])
