"""Whether FHIR holds what the archive holds: the same studies with as many instances, StudyDate by StudyDate.

Both sides are read anew: the archive by QIDO-RS, FHIR by a search at the archive's Endpoint. No ledger is asked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from mapper.fhir.resource import Resource
from mapper.sinks.sink import study_uids
from mapper.sources.dicomweb.search import Search, text


@dataclass(frozen=True, slots=True)
class Held:
    """One study on one side; `day` is YYYYMMDD, or empty, and `instances` None where it is not told."""

    study_uid: str
    day: str
    instances: int | None


@dataclass
class Bucket:
    """The studies of one StudyDate: numbers, and those that differ."""

    day: str
    source: str = ""
    archive: int = 0
    fhir: int = 0
    missing: list[str] = field(default_factory=list)
    """In the archive alone."""
    superfluous: list[str] = field(default_factory=list)
    """In FHIR alone; of these the date is that of `started`."""
    short: list[str] = field(default_factory=list)
    """In FHIR with another number of instances than is right."""

    @property
    def complete(self) -> bool:
        """Whether both sides hold the same."""
        return not (self.missing or self.superfluous or self.short)


IsRight = Callable[[str, int], bool]
"""Tells whether a study (by its UID) is right with fewer instances in FHIR: a rejection note takes some out."""


def compare(
    archive: Iterable[Held], fhir: Iterable[Held], source: str = "", is_right: IsRight = lambda uid, instances: False
) -> list[Bucket]:
    """Return a bucket a StudyDate, those without one first; in memory is a line a study of the archive."""
    there = {one.study_uid: one for one in archive}
    buckets: dict[str, Bucket] = {}

    def bucket(day: str) -> Bucket:
        return buckets.setdefault(day, Bucket(day, source))

    for one in there.values():
        bucket(one.day).archive += 1
    found: set[str] = set()
    for one in fhir:
        original = there.get(one.study_uid)
        mine = bucket(original.day if original else one.day)
        mine.fhir += 1
        if original is None or one.study_uid in found:
            mine.superfluous.append(one.study_uid)
        elif not is_whole(original.instances, one, is_right):
            mine.short.append(one.study_uid)
        found.add(one.study_uid)
    for one in there.values():
        if one.study_uid not in found:
            bucket(one.day).missing.append(one.study_uid)
    return [buckets[day] for day in sorted(buckets)]


def is_whole(instances: int | None, in_fhir: Held, is_right: IsRight) -> bool:
    """Tell whether FHIR has the instances that the archive counts, or fewer that are right."""
    if instances is None or instances == in_fhir.instances:
        return True
    return (
        in_fhir.instances is not None
        and in_fhir.instances < instances
        and is_right(in_fhir.study_uid, in_fhir.instances)
    )


def in_archive(search: Search) -> Iterator[Held]:
    """Yield every study as the archive tells it; raises SourceDown or SourceBusy."""
    for one in search.studies():
        number = text(one, "NumberOfStudyRelatedInstances")
        day = text(one, "StudyDate").replace(".", "").replace("-", "")
        yield Held(
            text(one, "StudyInstanceUID") or "no StudyInstanceUID", day, int(number) if number.isdecimal() else None
        )


def in_fhir(resources: Iterable[Resource]) -> Iterator[Held]:
    """Yield every study of ImagingStudy resources."""
    for one in resources:
        for uid in study_uids(one)[:1]:
            yield Held(uid, str(one.get("started", ""))[:10].replace("-", ""), one.get("numberOfInstances"))
