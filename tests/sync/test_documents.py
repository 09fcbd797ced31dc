"""What the documents of a study make: theirs goes with them, what several studies speak of has one speaker."""

import threading
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from pydicom.sr.coding import Code

from mapper.ledger.claim import BY_HAND
from mapper.maps import Mapped, study_to_fhir
from mapper.sinks.sink import DERIVED, Key
from mapper.sources.source import Reading, Source
from mapper.sync.reconcile import reconcile
from mapper.sync.sweep import sweep
from samples.sr.content import CONTAINS, CONTEXT, coded, container, num, text, uidref, unit
from tests.support.ages import DATES, MIDDLE, NEW, OLD
from tests.support.documented import GROUP, IMPRESSION, LENGTH, LUNG, REPORT, SITES, TITLE
from tests.support.fakes import CT, SITE, FakeSource, World, study_identifier, study_key, with_a_new_ledger

COMPREHENSIVE, BASIC_TEXT, PDF = (f"1.2.840.10008.5.1.4.1.1.{one}" for one in ("88.33", "88.11", "104.1"))
TRACKING_UID, NAME = Code("112040", "DCM", "Tracking Unique Identifier"), Code("111001", "DCM", "Algorithm Name")
LESION = "1.2.99.1"
VERIFIED = {"VerificationFlag": "VERIFIED"}
LIVER, KIDNEY = Code("10200004", "SCT", "Liver"), Code("64033007", "SCT", "Kidney")
PLACES = {OLD: LUNG, MIDDLE: LIVER, NEW: KIDNEY}
"""Where each study says that the lesion is."""


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    yield world
    world.database.close()


def measured(place: Code = LUNG, station: str = "A", value: str = "12.40") -> dict[str, Any]:
    """Return the attributes of a measurement report of the lesion, by an algorithm on some station."""
    items = (
        uidref(CONTEXT, TRACKING_UID, LESION),
        coded(CONTEXT, SITES, place),
        text(CONTEXT, NAME, "Lesion Finder"),
        num(CONTAINS, LENGTH, value, unit("mm")),
    )
    root = container("", REPORT, container(CONTAINS, GROUP, *items), template="1500")
    made_by = {"Manufacturer": "Acme", "StationName": station}
    return {"SOPClassUID": COMPREHENSIVE, "Modality": "SR", **VERIFIED, **made_by, **root}


def written() -> dict[str, Any]:
    """Return the attributes of a text report."""
    root = container("", TITLE, text(CONTAINS, IMPRESSION, "A lesion."), template="2000")
    return {"SOPClassUID": BASIC_TEXT, "Modality": "SR", **VERIFIED, **root}


def scanned() -> dict[str, Any]:
    """Return the attributes of an encapsulated document."""
    said = {"MIMETypeOfEncapsulatedDocument": "application/pdf", "DocumentTitle": "Letter"}
    return {"SOPClassUID": PDF, "Modality": "DOC", **said}


KINDS = {"measurements": measured, "text": written, "document": scanned}


def store(world: World, study_uid: str, *kinds: str, images: int = 1, source: FakeSource | None = None) -> None:
    """Store a study with images and these documents, a series each, and mark it."""
    archive = source or world.source
    day = {"StudyDate": DATES[study_uid], "PatientName": "Doe^Jane"}
    for number in range(1, images + 1):
        archive.store(study_uid, instance=str(number), **day)
    for kind in kinds:
        more = measured(PLACES[study_uid], study_uid) if kind == "measurements" else KINDS[kind]()
        place = {"SeriesInstanceUID": f"{study_uid}.{kind_number(kind)}", "InstanceNumber": "1"}
        archive.store(study_uid, instance=kind, **day, **more, **place, SOPInstanceUID=sop_uid(study_uid, kind))
    world.mark(study_uid, source=archive.name)


def kind_number(kind: str) -> int:
    return 10 + list(KINDS).index(kind)


def sop_uid(study_uid: str, kind: str) -> str:
    return f"{study_uid}.{kind_number(kind)}.1"


def derived(world: World, study_uid: str) -> list[Key]:
    """Return what the sink holds that was derived from a study."""
    return [(one["resourceType"], one["id"]) for one in world.sink.ours(study_identifier(study_uid))]


def statuses(world: World, keys: list[Key]) -> set[tuple[str, str]]:
    return {(key[0], world.sink.now(key)["status"]) for key in keys}


def lesion(world: World) -> Key:
    (key,) = world.sink.keys("BodyStructure")
    return key


def algorithm(world: World) -> Key:
    (key,) = [one for one in world.sink.keys("Device") if "parent" in world.sink.now(one)]
    return key


def place_of(world: World) -> str:
    """Return where the server says that the lesion is."""
    return str(world.sink.now(lesion(world))["location"]["coding"][0]["code"])


def moved(world: World, before: dict[Key, int]) -> set[Key]:
    """Return what has another version than before, and what is new."""
    return {key for key, number in world.sink.versions().items() if before.get(key) != number}


# -- what belongs to a study ---------------------------------------------------------------------


def test_a_late_report_moves_the_study_once_and_nothing_else(world: World) -> None:
    store(world, OLD, "text")
    world.work()
    before = world.sink.versions()
    store(world, OLD, "measurements")
    world.work()
    kinds = {key[0] for key in moved(world, before) if key in before}
    assert kinds == {"ImagingStudy"}
    assert {key[0] for key in moved(world, before) if key not in before} == {"BodyStructure", "Device", "Observation"}
    again = world.sink.versions()
    world.ledger.studies.mark("orthanc", [OLD], BY_HAND)
    world.work()
    assert world.sink.versions() == again


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("measurements", {("Observation", "unknown")}),
        ("text", {("DiagnosticReport", "unknown")}),
        ("document", {("DocumentReference", "entered-in-error")}),
    ],
)
@pytest.mark.parametrize("lost", ["", "the ledger is lost", "the ledger is lost, and the sink thought to be empty"])
def test_a_document_that_goes_takes_what_it_made_along(
    new_database: Any, kind: str, expected: set[tuple[str, str]], lost: str
) -> None:
    world = World(new_database())
    store(world, OLD, *KINDS)
    world.work()
    others = [one for one in KINDS if one != kind]
    everything = derived(world, OLD)
    before = world.sink.versions()
    world.source.delete_instance(OLD, kind)
    if lost:
        world.database.close()
        world = with_a_new_ledger(world, new_database())
        world.worker.delivery.hunch.nothing = "empty" in lost
    world.mark(OLD)
    world.work()
    gone = [key for key in everything if key in moved(world, before)]
    assert statuses(world, gone) == expected
    kept = set(everything) - set(gone)
    assert {key[0] for key in kept} == {
        {"measurements": "Observation", "text": "DiagnosticReport", "document": "DocumentReference"}[one]
        for one in others
    }
    assert {status for _, status in statuses(world, list(kept))}.isdisjoint({"unknown", "entered-in-error"})
    assert {key[0] for key in moved(world, before)} <= {*DERIVED, "ImagingStudy"}, "what is shared stays as it is"
    world.database.close()


@pytest.mark.parametrize("lost", [False, True], ids=["", "the ledger is lost"])
def test_a_study_that_goes_takes_all_of_its_documents_along(new_database: Any, lost: bool) -> None:
    world = World(new_database())
    store(world, OLD, *KINDS)
    world.work()
    shared = {key: world.sink.now(key) for key in (lesion(world), algorithm(world))}
    everything = derived(world, OLD)
    assert {key[0] for key in everything} == set(DERIVED)
    world.source.delete(OLD)
    if lost:
        world.database.close()
        world = with_a_new_ledger(world, new_database())
    world.mark(OLD)
    world.work()
    assert world.state(OLD) == "removed"
    assert {status for _, status in statuses(world, everything)} == {"unknown", "entered-in-error"}
    assert {key: world.sink.now(key) for key in shared} == shared
    world.database.close()


def test_what_others_derived_from_a_study_of_ours_is_never_retracted(new_database: Any) -> None:
    world = World(new_database())
    store(world, OLD, *KINDS)
    world.work()
    copies = [(kind, f"of-somebody-else-{kind}") for kind in DERIVED]
    for kind, id in copies:
        key = next(one for one in derived(world, OLD) if one[0] == kind)
        world.sink.held[kind, id] = [{**world.sink.now(key), "id": id}]
    before = [world.sink.now(key) for key in copies]
    world.source.delete(OLD)
    world.database.close()
    other = with_a_new_ledger(world, new_database())
    other.mark(OLD)
    other.work()
    assert [other.sink.now(key) for key in copies] == before
    other.database.close()


def test_one_observation_in_two_studies_is_not_retracted_with_the_other_one(new_database: Any) -> None:
    """After a lost ledger too: it says which study it was derived from."""
    world = World(new_database())
    for study_uid in (OLD, NEW):
        store(world, study_uid)
        archive, item = world.source, num(CONTAINS, LENGTH, "12.40", unit("mm"))
        root = container("", REPORT, {**item, "ObservationUID": "1.2.77"}, template="1500")
        place = {"SeriesInstanceUID": f"{study_uid}.10", "SOPInstanceUID": f"{study_uid}.10.1"}
        day = {"StudyDate": DATES[study_uid], "PatientName": "Doe^Jane"}
        head = {"SOPClassUID": COMPREHENSIVE, "Modality": "SR", **VERIFIED}
        archive.store(study_uid, instance="sr", **head, **day, **root, **place)
        world.mark(study_uid)
        world.work()
    ((_, id),) = world.sink.keys("Observation")
    world.source.delete(OLD)
    world.database.close()
    other = with_a_new_ledger(world, new_database())
    other.mark(OLD)
    other.work()
    assert other.sink.now(("Observation", id))["status"] != "unknown"
    other.database.close()


# -- what several studies speak of ---------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations([OLD, MIDDLE, NEW])), ids="-".join)
def test_of_one_lesion_and_one_algorithm_the_newest_study_speaks(world: World, order: tuple[str, ...]) -> None:
    for study_uid in order:
        store(world, study_uid, "measurements")
        world.work()
    assert place_of(world) == KIDNEY.value
    equipment = world.sink.now(algorithm(world))["parent"]["reference"].partition("/")
    assert world.sink.now((equipment[0], equipment[2]))["deviceName"][0]["name"] == NEW
    before = world.sink.versions()
    for priority in (0, BY_HAND):
        for study_uid in order:
            world.ledger.studies.mark("orthanc", [study_uid], priority)
            world.work()
    assert world.sink.versions() == before, "nothing flaps"


@pytest.mark.parametrize("order", list(permutations([OLD, MIDDLE, NEW])), ids="-".join)
def test_every_removal_hands_the_lesion_over_to_the_next(world: World, order: tuple[str, ...]) -> None:
    for study_uid in (OLD, MIDDLE, NEW):
        store(world, study_uid, "measurements")
    world.work()
    left = [OLD, MIDDLE, NEW]
    for study_uid in order:
        theirs = derived(world, study_uid)
        world.source.delete(study_uid)
        world.mark(study_uid)
        world.work()
        left.remove(study_uid)
        assert place_of(world) == PLACES[max(left) if left else study_uid].value
        assert statuses(world, theirs) == {("Observation", "unknown")}
        assert statuses(world, [key for one in left for key in derived(world, one)]) <= {("Observation", "final")}
        before = world.sink.versions()
        world.mark(*left)
        world.work()
        assert world.sink.versions() == before, "nothing flaps"


def test_a_report_that_goes_hands_the_lesion_over_too(world: World) -> None:
    for study_uid in (OLD, NEW):
        store(world, study_uid, "measurements")
    world.work()
    world.source.delete_instance(NEW, "measurements")
    world.mark(NEW)
    world.work()
    assert place_of(world) == LUNG.value
    assert world.sink.available() == [OLD, NEW]


def test_an_older_study_sends_nothing_of_a_lesion_that_a_newer_one_speaks_of(world: World) -> None:
    store(world, NEW, "measurements")
    world.work()
    store(world, OLD, "measurements")
    world.work()
    assert {key[0] for key in world.sink.puts[-1]} == {"Device", "ImagingStudy", "Observation"}  # equipment of its own
    assert algorithm(world) not in world.sink.puts[-1]


def test_a_lesion_that_the_server_lost_comes_back(world: World) -> None:
    for study_uid in (OLD, NEW):
        store(world, study_uid, "measurements")
    world.work()
    world.sink.lose(lesion(world))
    world.mark(OLD)
    world.work()
    assert place_of(world) == KIDNEY.value


def test_of_two_archives_with_one_study_the_one_that_speaks_says_what_its_documents_say(ledger_url: str) -> None:
    east, west = FakeSource("east"), FakeSource("west")
    world = World(ledger_url, east, west)
    store(world, OLD, images=1, source=west)
    store(world, OLD, *KINDS, images=2, source=east)
    world.work()
    everything = derived(world, OLD)
    assert {key[0] for key in everything} == set(DERIVED)
    before = world.sink.versions()
    for source in ("west", "east", "west"):
        world.mark(OLD, source=source)
        world.work()
    assert world.sink.versions() == before
    east.delete(OLD)
    world.mark(OLD, source="east")
    world.work()
    assert world.sink.now(study_key(OLD))["status"] == "available"
    assert {status for _, status in statuses(world, everything)} == {"unknown", "entered-in-error"}
    world.database.close()


@pytest.mark.parametrize("order", [("west", "east"), ("east", "west")], ids="-".join)
def test_a_report_that_only_the_smaller_archive_has_is_told(ledger_url: str, order: tuple[str, str]) -> None:
    """West holds more images and speaks for the ImagingStudy; the report is east's alone, however they arrive."""
    sources = {name: FakeSource(name) for name in ("east", "west")}
    world = World(ledger_url, *sources.values())
    for name in order:
        kinds = KINDS if name == "east" else {}
        store(world, OLD, *kinds, images=1 if name == "east" else 7, source=sources[name])
        world.work()
    everything = derived(world, OLD)
    assert {key[0] for key in everything} == set(DERIVED)
    assert {status for _, status in statuses(world, everything)}.isdisjoint({"unknown", "entered-in-error"})
    before = world.sink.versions()
    for name in (*order, *order):
        world.mark(OLD, source=name)
        world.work()
    assert world.sink.versions() == before, "nothing flaps"
    east = sources["east"]
    east.delete_instance(OLD, "measurements")
    place = {"SeriesInstanceUID": f"{OLD}.10", "InstanceNumber": "1", "SOPInstanceUID": sop_uid(OLD, "measurements")}
    east.store(OLD, instance="measurements", StudyDate=DATES[OLD], **measured(LUNG, OLD, "99.9"), **place)
    world.mark(OLD, source="east")
    world.work()
    lengths = [one.get("valueQuantity", {}).get("value") for one in map(world.sink.now, derived(world, OLD))]
    assert "99.9" in map(str, lengths), "what the report says now"
    east.delete_instance(OLD, "measurements")
    world.mark(OLD, source="east")
    world.work()
    assert ("Observation", "unknown") in statuses(world, everything)
    world.database.close()


def test_a_report_that_both_archives_have_stays_when_it_goes_from_one(ledger_url: str) -> None:
    east, west = FakeSource("east"), FakeSource("west")
    world = World(ledger_url, east, west)
    store(world, OLD, "text", images=1, source=east)
    store(world, OLD, "text", images=7, source=west)
    world.work()
    for source in (west, east):
        assert statuses(world, derived(world, OLD)) == {("DiagnosticReport", "final")}
        source.delete_instance(OLD, "text")
        world.mark(OLD, source=source.name)
        world.work()
    assert statuses(world, derived(world, OLD)) == {("DiagnosticReport", "unknown")}
    world.database.close()


# -- one report in two studies -------------------------------------------------------------------


def copied(world: World, study_uid: str, value: str, patient: str = "P1") -> None:
    """Store a study that holds a report whose one Observation other studies hold as well, under one ObservationUID."""
    day = {"StudyDate": DATES[study_uid], "PatientName": "Doe^Jane"}
    item = num(CONTAINS, LENGTH, value, unit("mm"))
    root = container("", REPORT, {**item, "ObservationUID": "1.2.77"}, template="1500")
    place = {"SeriesInstanceUID": f"{study_uid}.10", "SOPInstanceUID": f"{study_uid}.10.1"}
    world.source.store(study_uid, patient, instance="1", **day)
    head = {"SOPClassUID": COMPREHENSIVE, "Modality": "SR", **VERIFIED}
    world.source.store(study_uid, patient, instance="sr", **head, **day, **root, **place)
    world.mark(study_uid)


@pytest.mark.parametrize("whole", [False, True], ids=["the report goes", "the study goes"])
def test_a_report_that_is_filed_under_two_patients_parks_the_second_study(world: World, whole: bool) -> None:
    """One patient's finding never becomes another's: what is stored stays as it is."""
    copied(world, OLD, VALUES[OLD])
    world.work()
    before = world.sink.versions()
    copied(world, NEW, VALUES[NEW], patient="P2")
    world.work()
    assert world.state(NEW) == "parked"
    assert value_of(world) == ("final", VALUES[OLD])
    assert {key: number for key, number in world.sink.versions().items() if key in before} == before
    world.mark(OLD)
    world.work()
    assert value_of(world) == ("final", VALUES[OLD]), "the study that waits says nothing"
    if whole:
        world.source.delete(OLD)
    else:
        world.source.delete_instance(OLD, "sr")
    world.mark(OLD)
    world.work()
    assert (world.state(NEW), value_of(world)) == ("synced", ("final", VALUES[NEW])), "freed by no hand"


def test_a_patient_who_is_corrected_frees_the_study_that_was_parked_for_a_report_of_another(world: World) -> None:
    copied(world, OLD, VALUES[OLD])
    copied(world, NEW, VALUES[NEW], patient="P2")
    world.work()
    assert world.state(NEW) == "parked"
    world.source.delete(OLD)
    copied(world, OLD, VALUES[OLD], patient="P2")
    world.work()
    assert (world.state(OLD), world.state(NEW), value_of(world)) == ("synced", "synced", ("final", VALUES[NEW]))
    before = world.sink.versions()
    world.mark(OLD, NEW)
    world.work()
    assert world.sink.versions() == before


def test_a_study_that_was_parked_for_a_report_of_another_patient_leaves_no_trace(world: World) -> None:
    copied(world, OLD, VALUES[OLD])
    copied(world, NEW, VALUES[NEW], patient="P2")
    world.work()
    world.source.delete(NEW, "P2")
    world.mark(NEW)
    world.work()
    assert (world.state(NEW), value_of(world)) == ("removed", ("final", VALUES[OLD]))
    world.source.delete(OLD)
    world.mark(OLD)
    world.work()
    assert value_of(world) == ("unknown", VALUES[OLD])


VALUES = {OLD: "1", MIDDLE: "2", NEW: "3"}
ORDERS = list(permutations([OLD, MIDDLE, NEW]))


def value_of(world: World) -> tuple[str, str]:
    """Return status and value of the one Observation."""
    (key,) = world.sink.keys("Observation")
    found = world.sink.now(key)
    return found["status"], str(found["valueQuantity"]["value"])


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "together"])
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_of_one_observation_in_several_studies_the_newest_study_speaks(
    world: World, order: tuple[str, ...], together: bool
) -> None:
    for study_uid in order:
        copied(world, study_uid, VALUES[study_uid])
        if not together:
            world.work()
    world.work()
    assert value_of(world) == ("final", VALUES[NEW])
    before = world.sink.versions()
    for priority in (0, BY_HAND):
        for study_uid in order:
            world.ledger.studies.mark("orthanc", [study_uid], priority)
            world.work()
    assert world.sink.versions() == before, "nothing flaps"


@pytest.mark.parametrize("whole", [False, True], ids=["the report", "the study"])
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_every_removal_hands_the_observation_over_to_the_next(
    world: World, order: tuple[str, ...], whole: bool
) -> None:
    for study_uid in (OLD, MIDDLE, NEW):
        copied(world, study_uid, VALUES[study_uid])
    world.work()
    left = [OLD, MIDDLE, NEW]
    for study_uid in order:
        if whole:
            world.source.delete(study_uid)
        else:
            world.source.delete_instance(study_uid, "sr")
        world.mark(study_uid)
        world.work()
        left.remove(study_uid)
        assert value_of(world) == (("final", VALUES[max(left)]) if left else ("unknown", VALUES[study_uid]))
        before = world.sink.versions()
        world.mark(OLD, MIDDLE, NEW)
        world.work()
        assert world.sink.versions() == before, "nothing flaps"


def test_two_that_did_not_know_of_each_other_end_with_the_newest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older one decides, the newer one is synced whole, then the older one sends what it takes for its own."""
    copied(world, OLD, VALUES[OLD])
    put = world.sink.put

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(world.sink, "put", put)
        copied(world, NEW, VALUES[NEW])
        world.new_worker().turn()
        return put(*args, **kwargs)

    monkeypatch.setattr(world.sink, "put", meanwhile)
    world.work()
    assert value_of(world) == ("final", VALUES[NEW])


def test_two_that_decided_side_by_side_end_with_the_newest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both decide, the newer one sends, the older one sends and is recorded, then the newer one is recorded."""
    world.source.store("1.2.9", instance="1", StudyDate="20990101", PatientName="Doe^Jane")  # speaks for all else
    world.mark("1.2.9")
    world.work()
    decided, sent, done = (threading.Event() for _ in range(3))
    begin, put = world.ledger.written.begin, world.sink.put

    def slow_begin(claim: Any, *rest: Any) -> None:
        if claim.study_uid == OLD:
            decided.set()
            assert sent.wait(20)
        begin(claim, *rest)

    def slow_put(*args: Any, **kwargs: Any) -> Any:
        versions = put(*args, **kwargs)
        if threading.current_thread().name == NEW:
            sent.set()
            assert done.wait(20)
        return versions

    def older() -> None:
        world.new_worker().turn()
        done.set()

    monkeypatch.setattr(world.ledger.written, "begin", slow_begin)
    monkeypatch.setattr(world.sink, "put", slow_put)
    copied(world, OLD, VALUES[OLD])
    first = threading.Thread(target=older)
    first.start()
    assert decided.wait(20)
    copied(world, NEW, VALUES[NEW])
    second = threading.Thread(target=world.new_worker().turn, name=NEW)
    second.start()
    for one in (first, second):
        one.join(30)
    monkeypatch.undo()
    world.work()
    assert value_of(world) == ("final", VALUES[NEW])
    before = world.sink.versions()
    world.mark(OLD, NEW)
    world.work()
    assert world.sink.versions() == before


def test_reports_of_several_stations_in_one_series_refer_to_what_is_there(world: World) -> None:
    world.source.store(OLD, instance="1", StudyDate=DATES[OLD], PatientName="Doe^Jane")
    for number, station in enumerate(("A", "B"), 1):
        place = {
            "SeriesInstanceUID": f"{OLD}.10",
            "SOPInstanceUID": f"{OLD}.10.{number}",
            "InstanceNumber": str(number),
        }
        world.source.store(OLD, instance=f"sr{number}", StudyDate=DATES[OLD], **measured(station=station), **place)
    world.mark(OLD)
    world.work()
    assert world.state(OLD) == "synced"
    stations = {one["name"] for key in world.sink.keys("Device") for one in world.sink.now(key).get("deviceName", ())}
    assert {"A", "B"} <= stations


def test_who_leaves_while_another_study_takes_over_is_not_retracted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(world, NEW, VALUES[NEW])
    world.work()
    copied(world, OLD, VALUES[OLD])
    put = world.sink.put

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(world.sink, "put", put)
        world.source.delete(NEW)
        world.mark(NEW)
        world.new_worker().turn()
        return put(*args, **kwargs)

    monkeypatch.setattr(world.sink, "put", meanwhile)
    world.work()
    assert value_of(world) == ("final", VALUES[OLD])


# -- rejection notes -----------------------------------------------------------------------------

KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
QUALITY = Code("113001", "DCM", "Rejected for Quality Reasons")
WORKLIST = Code("113038", "DCM", "Incorrect Modality Worklist Entry")


def reject(world: World, study_uid: str, *named: str, source: FakeSource | None = None, title: Code = QUALITY) -> None:
    """Store a note that rejects instances of a study, and mark it."""
    references = [{"ReferencedSOPClassUID": CT, "ReferencedSOPInstanceUID": one} for one in named]
    series = [{"SeriesInstanceUID": f"{study_uid}.1", "ReferencedSOPSequence": references}]
    evidence = [{"StudyInstanceUID": study_uid, "ReferencedSeriesSequence": series}]
    place = {"SeriesInstanceUID": f"{study_uid}.20", "SOPInstanceUID": f"{study_uid}.20.1", "InstanceNumber": "1"}
    said = {"CurrentRequestedProcedureEvidenceSequence": evidence, **container("", title), **place}
    day = {"StudyDate": DATES[study_uid], "PatientName": "Doe^Jane"}
    archive = source or world.source
    archive.store(study_uid, instance="note", **day, SOPClassUID=KEY_OBJECTS, Modality="KO", **said)
    world.mark(study_uid, source=archive.name)


def accept(world: World, study_uid: str) -> None:
    """Delete the note again, and mark the study."""
    world.source.delete_instance(study_uid, "note")
    world.mark(study_uid)


def counted(world: World, study_uid: str = OLD) -> int:
    return int(world.sink.now(study_key(study_uid))["numberOfInstances"])


def test_a_note_that_is_stored_removed_and_stored_again_moves_the_study_each_time_and_nothing_else(
    world: World,
) -> None:
    store(world, OLD, images=3)
    world.work()
    contents = [world.sink.now(study_key(OLD))]
    before = world.sink.versions()
    for number, change in enumerate((reject, accept, reject), 1):
        change(world, OLD, *((f"{OLD}.1.1",) if change is reject else ()))
        world.work()
        assert {key for key in moved(world, before) if key in before} == {study_key(OLD)}
        assert world.sink.versions()[study_key(OLD)] == before[study_key(OLD)] + number
        contents.append(world.sink.now(study_key(OLD)))
        again = world.sink.versions()
        world.ledger.studies.mark("orthanc", [OLD], BY_HAND)
        world.work()
        assert world.sink.versions() == again, "sending again changes no version"
    assert [one["numberOfInstances"] for one in contents] == [3, 3, 3, 3]  # the note is an instance itself
    assert contents[0] == contents[2]
    assert contents[1] == contents[3]
    listed = [one["uid"] for series in contents[1]["series"] for one in series["instance"]]
    assert listed == [f"{OLD}.1.2", f"{OLD}.1.3", f"{OLD}.20.1"]


def test_what_a_rejected_report_said_is_retracted_and_comes_back(world: World) -> None:
    store(world, OLD, "text", "measurements")
    world.work()
    everything = derived(world, OLD)
    final = statuses(world, everything)
    reject(world, OLD, *(sop_uid(OLD, kind) for kind in ("text", "measurements")))
    world.work()
    assert {status for _, status in statuses(world, everything)} == {"unknown"}
    accept(world, OLD)
    world.work()
    assert statuses(world, everything) == final


def test_the_archive_that_holds_more_speaks_whatever_its_notes_leave_out(ledger_url: str) -> None:
    """Three images and a note that rejects two of them are more than three images."""
    east, west = FakeSource("east"), FakeSource("west")
    world = World(ledger_url, east, west)
    store(world, OLD, images=3, source=east)
    store(world, OLD, images=3, source=west)
    world.work()
    assert counted(world) == 3
    reject(world, OLD, f"{OLD}.1.1", f"{OLD}.1.2", source=east)
    for source in ("west", "east", "west"):
        world.mark(OLD, source=source)
        world.work()
        assert counted(world) == 2
    world.database.close()


def test_a_study_that_is_rejected_whole_is_there_until_the_archive_deletes_it(new_database: Any) -> None:
    """FHIR says that it is in error: it is not taken for lost, and it is retracted after a lost ledger too."""
    world = World(new_database())
    store(world, OLD)
    reject(world, OLD, f"{OLD}.1.1", title=WORKLIST)
    sweep(world.ledger, world.source)
    world.work()
    assert world.sink.now(study_key(OLD))["status"] == "entered-in-error"
    endpoint = world.sink.now(study_key(OLD))["endpoint"][0]["reference"].partition("/")[2]
    assert reconcile(world.ledger, "orthanc", world.sink, endpoint, study_key).lost == 0
    world.database.close()
    world = with_a_new_ledger(world, new_database())
    world.source.delete(OLD)
    sweep(world.ledger, world.source)
    assert reconcile(world.ledger, "orthanc", world.sink, endpoint, study_key, vanishing_allowed=True).strange == 1
    world.work()
    assert world.sink.now(study_key(OLD))["status"] == "unknown"
    assert "endpoint" not in world.sink.now(study_key(OLD))
    world.database.close()


# -- segments ------------------------------------------------------------------------------------


def segments(reading: Reading, source: Source) -> Mapped:
    """Map for a site that wants segments."""
    return study_to_fhir(reading.study, SITE.model_copy(update={"options": ("segments",)}))


def segmented(world: World, study_uid: str, place: Code, tracking_uid: str | None) -> None:
    """Store a study with a segmentation of one segment, and mark it."""
    named = {"CodeValue": place.value, "CodingSchemeDesignator": "SCT", "CodeMeaning": place.meaning}
    category = {"CodeValue": "123037004", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Anatomical Structure"}
    one = {
        "SegmentNumber": 1,
        "SegmentLabel": place.meaning,
        "SegmentedPropertyCategoryCodeSequence": [category],
        "SegmentedPropertyTypeCodeSequence": [named],
        "TrackingUID": tracking_uid,
    }
    day = {"StudyDate": DATES[study_uid], "PatientName": "Doe^Jane", "SegmentSequence": [one]}
    place_of_it = {"SeriesInstanceUID": f"{study_uid}.30", "SOPInstanceUID": f"{study_uid}.30.1", "InstanceNumber": "1"}
    world.source.store(study_uid, instance="1", **{**day, "SegmentSequence": None})
    world.source.store(study_uid, instance="seg", SOPClassUID=SEGMENTATION, Modality="SEG", **day, **place_of_it)
    world.mark(study_uid)


SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


def test_the_newest_study_speaks_for_a_tracked_segment_and_an_untracked_one_is_its_own(world: World) -> None:
    world.worker = world.new_worker(mapping=segments)
    for study_uid in (NEW, OLD):
        segmented(world, study_uid, PLACES[study_uid], LESION)
        world.work()
    assert place_of(world) == KIDNEY.value
    before = world.sink.versions()
    world.mark(OLD, NEW)
    world.work()
    assert world.sink.versions() == before, "nothing flaps"
    segmented(world, MIDDLE, LIVER, None)
    world.work()
    assert len(world.sink.keys("BodyStructure")) == 2


def test_a_segmentation_that_goes_leaves_its_segments_and_hands_them_over(world: World) -> None:
    world.worker = world.new_worker(mapping=segments)
    for study_uid in (OLD, NEW):
        segmented(world, study_uid, PLACES[study_uid], LESION)
    world.work()
    world.source.delete_instance(NEW, "seg")
    world.mark(NEW)
    world.work()
    assert place_of(world) == LUNG.value
