"""A dataset that stands in a sink under another UUID, or under another name: both are told, as nobody means them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mapper.dicom.study import Study
from mapper.fhir import systems
from mapper.jobs.sds.apply import Named
from mapper.maps import dataset_keys
from mapper.maps.research.cells import Research
from mapper.maps.site import Site
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.identity import RESOLVER, doi_of


@dataclass(frozen=True, slots=True)
class Known:
    """What a sink knows of a dataset before it is written."""

    twins: tuple[UUID, ...] = ()
    """UUIDs of datasets that may be this very one; none where this one is there itself."""
    renamed: bool = False
    """It was written from a folder of another name."""
    retitled: bool = False
    """It was written with another title."""


def known(dataset: Dataset, uuid: UUID, site: Site, sink: Named) -> Known:
    """Look for a dataset in a sink: by its UUID, else by the name of its folder and by its title.

    Two that have DOIs of their own are two.
    """
    cx = Research(site, Study("", ()))
    twins = []
    for one in sink.named("ResearchStudy", f"{site.base}/sds/dataset"):
        found = uuid_of(one, site.base)
        if found is None or one["id"] != cx.id(*dataset_keys.research_study(found)):
            continue  # of another namespace
        named = value_of(one, systems.SPARC_DATASET)
        if found == uuid:
            other_title = plain(one.get("title")) != plain(dataset.description["Title"])
            return Known(renamed=named != f"urn:uid:{dataset.name}-{uuid}", retitled=other_title)
        if is_twin(dataset, one, named == f"urn:uid:{dataset.name}-{found}"):
            twins.append(found)
    return Known(tuple(sorted(twins)))


def is_twin(dataset: Dataset, other: Mapping[str, Any], same_name: bool) -> bool:
    """Tell whether a ResearchStudy may be of the same dataset: by folder or title, as long as not by two DOIs."""
    mine, theirs = doi_of(dataset.description.doi), value_of(other, systems.URI).removeprefix(RESOLVER)
    if mine and theirs:
        return mine.casefold() == theirs.casefold()
    title = plain(dataset.description["Title"])
    return same_name or (title != "" and title == plain(other.get("title")))


def plain(text: str | None) -> str:
    """Return a title as it is compared."""
    return " ".join((text or "").split()).casefold()


def value_of(resource: Mapping[str, Any], system: str) -> str:
    """Return the first identifier of a system, empty where there is none."""
    values = (one.get("value", "") for one in resource.get("identifier", ()) if one.get("system") == system)
    return str(next(values, ""))


def uuid_of(resource: Mapping[str, Any], base: str) -> UUID | None:
    """Return the UUID of the dataset that a ResearchStudy is of."""
    try:
        return UUID(value_of(resource, f"{base}/sds/dataset"))
    except ValueError:
        return None
