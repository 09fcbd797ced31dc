"""What a dataset is known by, the same in every run: a UUID that its DOI makes, or its name and title."""

import re
from uuid import NAMESPACE_URL, UUID, uuid5

from mapper.records.sds.dataset import Dataset

DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.[0-9]{4,9}/\S+)", re.IGNORECASE)
"""A DOI with or without what people write before it (doi.org, DOI handbook section 2.2)."""
RESOLVER = "https://doi.org/"


def doi_of(text: str | None) -> str | None:
    """Return a DOI without what stands before it, None where a text is none.

    >>> doi_of("https://doi.org/10.5555/Breast"), doi_of("doi: 10.5555/breast"), doi_of("a book")
    ('10.5555/Breast', '10.5555/breast', None)
    """
    found = DOI.fullmatch((text or "").strip())
    return found[1] if found else None


def dataset_uuid(dataset: Dataset, given: UUID | None = None) -> UUID:
    """Return the dataset's UUID: the one that is given, else of its DOI (whatever its case), else of name and title."""
    if given is not None:
        return given
    if doi := doi_of(dataset.description.doi):
        return uuid5(NAMESPACE_URL, RESOLVER + doi.casefold())
    title = " ".join((dataset.description["Title"] or "").split())
    return uuid5(NAMESPACE_URL, f"urn:sparc_dataset:{dataset.name}:{title}")
