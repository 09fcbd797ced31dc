"""The names of a dataset's files, as SDS 3 wants them."""

import re

from mapper.records.sds.dataset import Dataset
from mapper.records.sds.finding import Findings, Where

PART = re.compile(r"[A-Za-z0-9.,\-_](?:[A-Za-z0-9.,\-_ ]*[A-Za-z0-9.,\-_])?")
"""A name of a file or folder: no blank at its ends (docs/sds-3-changelog.org, Validation changes)."""


def path_findings(dataset: Dataset, findings: Findings) -> None:
    """Look for names with other characters; SDS 2 has no such rule."""
    if dataset.version is None or dataset.version[0] < 3:
        return
    for file in dataset.files:
        if not all(map(PART.fullmatch, file.split("/"))):
            findings.add("path-form", Where(file))
