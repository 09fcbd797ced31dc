"""Who wrote what stands in a sink: this dataset, another one, or somebody else; `meta.source` tells (FHIR R4 Meta).

What others may write too is signed with it: the dataset, and a digest of what it wrote. Whoever writes it without that
signature has taken it over, and so has who keeps the signature and changes what it stands under.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from mapper.fhir import systems
from mapper.fhir.bundle import dump
from mapper.fhir.resource import Resource
from mapper.maps import dataset_keys

ALONE = frozenset({"Group", "ResearchStudy", "ResearchSubject"})
"""Types that nobody but a dataset's job writes."""
SIGNED = frozenset({"ImagingStudy", "Patient", "Practitioner"})
"""Types that others write too."""
OF_DATASETS = f"/{dataset_keys.SDS}/"
"""What the system of an identifier has in it where a dataset's job alone writes the resource: a measurement."""
SERVERS = frozenset({"meta", "text"})
"""Elements in which a server says something of its own."""
DIGITS = 12
SPARC = frozenset({systems.SPARC_DATASET, systems.SPARC_STUDY})


@dataclass(frozen=True, slots=True)
class Writer:
    """A dataset as it signs what it writes."""

    base: str
    uuid: UUID
    corrects: bool = False
    """What it wrote last of what others may write too is brought in line, and its identifiers go beside another's."""

    @property
    def source(self) -> str:
        """What it signs with."""
        return dataset_keys.source(self.base, self.uuid)

    def sign(self, resource: dict[str, Any]) -> None:
        """Put the signature on what others write too."""
        if resource["resourceType"] in SIGNED:
            resource["meta"] = signed(resource, self.source)["meta"]

    def wrote(self, held: Resource) -> bool:
        """Tell whether this dataset was the last to write what stands there."""
        return author_of(held) == self.source

    def is_datasets(self, held: Resource) -> bool:
        """Tell whether a dataset was, this one or another."""
        return author_of(held).startswith(f"{self.base}{OF_DATASETS}")

    def identifiers(self, speaker: Resource, ours: Resource, held: Resource) -> list[Any]:
        """Return identifiers of a study: the speaker's, and those of each dataset, in one order whoever came last.

        What this dataset said of itself by another name of its folder goes. A study's name is no dataset's for
        sure where several are there: then each stays.
        """
        mine = list(sparc(ours))
        theirs = [one for one in sparc(held) if one not in mine and not self.is_mine(one)]
        if not any(one["system"] == systems.SPARC_DATASET for one in theirs):
            theirs = []
        named = sorted([*mine, *theirs], key=lambda one: (one["system"], one["value"]))
        return [*(one for one in speaker.get("identifier", ()) if one.get("system") not in SPARC), *named]

    def is_mine(self, identifier: Resource) -> bool:
        """Tell whether an identifier names this dataset, by whatever name."""
        return identifier["system"] == systems.SPARC_DATASET and str(identifier["value"]).endswith(f"-{self.uuid}")


def is_alone(resource: Resource) -> bool:
    """Tell whether nobody but a dataset's job writes a resource."""
    if resource["resourceType"] == "Observation":
        return any(OF_DATASETS in one.get("system", "") for one in resource.get("identifier", ()))
    return resource["resourceType"] in ALONE


def author_of(held: Resource) -> str:
    """Return with what somebody signed, empty without a signature or where it stands under something else.

    HAPI FHIR puts `#` and the id of the request behind `meta.source`.
    """
    author, _, digest = str(held.get("meta", {}).get("source", "")).partition("#")[0].rpartition("/")
    return author if digest == digest_of(held) else ""


def signed(resource: Resource, author: str) -> dict[str, Any]:
    """Return a resource with somebody's signature on what it says."""
    return {**resource, "meta": {**resource.get("meta", {}), "source": f"{author}/{digest_of(resource)}"}}


def digest_of(resource: Resource) -> str:
    """Return the beginning of the SHA-256 of what a resource says, whatever the order of its names."""
    plain = orjson.loads(dump({name: value for name, value in resource.items() if name not in SERVERS}))
    return sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()[:DIGITS]


def sparc(resource: Resource) -> Iterator[Any]:
    """Yield the identifiers that datasets give a study."""
    return (one for one in resource.get("identifier", ()) if one.get("system") in SPARC)
