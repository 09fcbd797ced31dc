"""What a dataset's job wrote once and the dataset no longer says: counted, and removed where that is asked for."""

from collections.abc import Collection, Iterable
from typing import Protocol

from mapper.fhir.resource import Key, key_of
from mapper.jobs.sds.apply import Named
from mapper.jobs.sds.writer import Writer, is_alone
from mapper.maps import dataset_keys

KINDS = (("Observation", "measurement"), ("ResearchSubject", "subject"), ("Group", "group"), ("Patient", "subject"))
"""Type, and the kind of thing that its identifier names: what refers stands before what is referred to."""


class Removing(Protocol):
    """A sink that can take a resource away."""

    def remove(self, key: Key) -> bool:
        """Take a resource away; False where something else refers to it still."""


def gone(sink: Named, said: Collection[Key], mine: Writer) -> list[Key]:
    """Return what stands in a sink by this dataset and is not among what it says now.

    Only what nobody else writes, and Patients of subjects without images that nobody took over; a server that answers
    more than it was asked for is not believed.
    """
    found = []
    for kind, thing in KINDS:
        system = dataset_keys.system(mine.base, thing, mine.uuid)
        for one in sink.named(kind, system):
            named = any(each.get("system") == system for each in one.get("identifier", ()))
            if named and key_of(one) not in said and (is_alone(one) or mine.wrote(one)):
                found.append(key_of(one))
    return found


def removed(sink: Removing, keys: Iterable[Key]) -> tuple[list[Key], list[Key]]:
    """Take resources away; returns those that are gone, and those to which something else refers."""
    done: dict[Key, bool] = {key: sink.remove(key) for key in keys}
    return [key for key, away in done.items() if away], [key for key, away in done.items() if not away]
