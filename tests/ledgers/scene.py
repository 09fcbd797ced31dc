"""The scene behind the ledgers of this folder: what the archive held, and what had become of each study."""

from mapper.errors import BundleRejected, SinkBusy
from mapper.namespace import fingerprint
from tests.support.fakes import SITE, FakeSource, World

PARKED, RETRYING, PENDING, SYNCING, REMOVED, TWO_PATIENTS = (f"1.2.{number}" for number in range(4, 10))
SYNCED = ("1.2.1", "1.2.2", "1.2.3")
OPEN = (PENDING, SYNCING, RETRYING)
OWNER = "0123abcd-4711-1700000000-5f0f6a2c9d9b4c1e8a7d6b5c4e3f2a1b"
"""A claim of a process on a machine that is gone."""


def archive() -> FakeSource:
    """Return the archive: three studies of two patients with one device, and those that something happened to."""
    source = FakeSource()
    scanner = {"Manufacturer": "Example", "ManufacturerModelName": "Scanner", "DeviceSerialNumber": "4711"}
    for number, (study_uid, patient) in enumerate(zip(SYNCED, ("P1", "P1", "P2"), strict=True)):
        for instance in "123":
            day = f"2024051{number}"
            source.store(study_uid, patient, instance, PatientName=f"Example^{number}", StudyDate=day, **scanner)
    source.store(PARKED, "P3", PatientWeight="70")
    source.store(RETRYING, "P4")
    source.store(PENDING, "P1", StudyDate="20240520", PatientName="Example^9")
    source.store(SYNCING, "P5")
    source.store(TWO_PATIENTS, "P6")
    source.store(TWO_PATIENTS, "P7")
    return source


def play(url: str) -> World:
    """Return a world whose ledger holds studies in every state."""
    world = World(url, archive())
    world.ledger.meta.guard({"namespace": fingerprint(SITE.namespace), "base": SITE.base})
    world.source.store(REMOVED, "P1", StudyDate="20240401", PatientName="Example^Earlier")
    world.mark(*SYNCED, REMOVED, TWO_PATIENTS)
    world.work()
    world.source.delete(REMOVED)
    world.mark(REMOVED)
    world.work()
    world.sink.failures.append(BundleRejected("the FHIR server refuses the content: HTTP 422 (invalid)"))
    world.mark(PARKED)
    world.work()
    world.sink.failures.append(SinkBusy("the FHIR server sees a conflict with another writer: HTTP 409"))
    world.mark(RETRYING)
    world.work()
    world.mark(SYNCING)
    world.ledger.studies.claim([world.source.name])
    world.mark(PENDING)
    return world
