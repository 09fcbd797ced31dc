"""Whether FHIR holds what the archive holds: the same studies with as many instances, StudyDate by StudyDate.

Both sides are read anew: the archive by QIDO-RS, FHIR by a search at the archive's Endpoint. No ledger is asked.
"""

from collections.abc import Iterable, Iterator
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
    archive: int = 0
    fhir: int = 0
    missing: list[str] = field(default_factory=list)
    """In the archive alone."""
    superfluous: list[str] = field(default_factory=list)
    """In FHIR alone; of these the date is that of `started`."""
    short: list[str] = field(default_factory=list)
    """In FHIR with another number of instances: by a rejection note it is fewer, and that is right."""

    @property
    def complete(self) -> bool:
        """Whether both sides hold the same."""
        return not (self.missing or self.superfluous or self.short)


def compare(archive: Iterable[Held], fhir: Iterable[Held]) -> list[Bucket]:
    """Return a bucket a StudyDate, those without one first; in memory is a line a study of the archive."""
    there = {one.study_uid: one for one in archive}
    buckets: dict[str, Bucket] = {}

    def bucket(day: str) -> Bucket:
        return buckets.setdefault(day, Bucket(day))

    for one in there.values():
        bucket(one.day).archive += 1
    found: set[str] = set()
    for one in fhir:
        original = there.get(one.study_uid)
        mine = bucket(original.day if original else one.day)
        mine.fhir += 1
        if original is None or one.study_uid in found:
            mine.superfluous.append(one.study_uid)
        elif original.instances is not None and original.instances != one.instances:
            mine.short.append(one.study_uid)
        found.add(one.study_uid)
    for one in there.values():
        if one.study_uid not in found:
            bucket(one.day).missing.append(one.study_uid)
    return [buckets[day] for day in sorted(buckets)]


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
