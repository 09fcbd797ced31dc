"""Datasets as FHIR, for tests: what is made of one, by type."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from mapper.fhir.check import check
from mapper.jobs.sds.plan import Part, parts
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.site import Site
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.identity import dataset_uuid
from mapper.sources.sds.reader import read_dataset
from tests.sds.folders import Content, dataset

SITE = Site()


def read(root: Path) -> Dataset:
    """Read a dataset with all that the maps want."""
    return read_dataset(root, KEYWORDS, INSTANCE_KEYWORDS, document_keywords=DOCUMENT_KEYWORDS)


def planned(told: Dataset, uuid: UUID | None = None, site: Site = SITE) -> list[Part]:
    """Return the transactions of a dataset, each checked as before it is sent."""
    found = list(parts(told, site, dataset_uuid(told, uuid)))
    for part in found:
        check(part.resources)
    return found


def resources(told: Dataset, **how: Any) -> dict[str, list[dict[str, Any]]]:
    """Return everything that a dataset becomes, by resource type."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in planned(told, **how):
        for one in part.resources:
            found.setdefault(one["resourceType"], []).append(one)
    return found


def made(root: Path, files: Mapping[str, Content], **how: Any) -> dict[str, list[dict[str, Any]]]:
    """Write files as a dataset and return what it becomes."""
    dataset(root, files)
    return resources(read(root), **how)
