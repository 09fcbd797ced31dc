"""How the contract's tests look at an archive."""

from mapper.sources.source import Sighting
from tests.contract.archives import Archive
from tests.support.http_fake import wait_until


def sightings(archive: Archive, study_uid: str) -> list[Sighting]:
    return [one for one in archive.source.listing() if one.study_uid == study_uid]


def settled(archive: Archive, study_uid: str) -> Sighting:
    """Return the one sighting of a study when it is the same in two looks: no longer young."""

    def same() -> bool:
        (first,), (second,) = sightings(archive, study_uid), sightings(archive, study_uid)
        return first == second and not first.young

    wait_until(same, 20)
    (found,) = sightings(archive, study_uid)
    return found
