"""What people and modalities do to an archive: each action takes a walk one step on, and says what it did."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.convergence import documents, samples
from tests.convergence.pacs import patient_of, uid_of

if TYPE_CHECKING:
    from tests.convergence.walk import Walk

KEEP = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]
NOTHING = "nothing to do it to"


def store(walk: "Walk") -> str:
    """Store a new study."""
    made = samples.study(walk.random, walk.name)
    walk.pacs.store(*made)
    return f"{made[0].StudyInstanceUID} of {made[0].PatientID}, {len(made)} instances"


def grow(walk: "Walk") -> str:
    """Store one more instance of a study, perhaps in a new series."""
    study = walk.some()
    files = walk.pacs.files(study) if study else []
    if not study or not files:
        return NOTHING
    walk.pacs.store(samples.one_more(walk.random, walk.random.choice(files)))
    return uid_of(study)


def overwrite(walk: "Walk") -> str:
    """Store all instances of a study, or one of them, again with another header."""
    study = walk.some()
    files = walk.pacs.files(study) if study else []
    if not study or not files:
        return NOTHING
    chosen = files if walk.random.random() < 0.7 else [walk.random.choice(files)]
    new = {**samples.person(walk.random), **samples.circumstances(walk.random, walk.name)}
    walk.pacs.store(*samples.changed(chosen, new))
    return f"{uid_of(study)}, {len(chosen)} of {len(files)} instances"


def weigh(walk: "Walk") -> str:
    """Store a study again with other vital signs, or none, and nothing else changed."""
    study = walk.some()
    files = walk.pacs.files(study) if study else []
    if not study or not files:
        return NOTHING
    for each in files:
        for keyword in ("PatientWeight", "PatientSize"):
            if keyword in each:
                delattr(each, keyword)
    new = samples.vital_signs(walk.random)
    walk.pacs.store(*samples.changed(files, new))
    return f"{uid_of(study)}, {len(new)} vital signs"


def send_again(walk: "Walk") -> str:
    """Store a study once more as it is."""
    study = walk.some()
    if not study:
        return NOTHING
    walk.pacs.store(*walk.pacs.files(study))
    return uid_of(study)


def delete_instance(walk: "Walk") -> str:
    """Delete one instance."""
    study = walk.some()
    found = walk.pacs.instances(study) if study else []
    if not study or not found:
        return NOTHING
    walk.pacs.ask("DELETE", f"/instances/{walk.random.choice(found)['ID']}")
    return f"of {uid_of(study)}, {len(found)} before"


def delete_series(walk: "Walk") -> str:
    """Delete one series."""
    study = walk.some()
    found = walk.pacs.series(study) if study else []
    if not study or not found:
        return NOTHING
    walk.pacs.ask("DELETE", f"/series/{walk.random.choice(found)['ID']}")
    return f"of {uid_of(study)}, {len(found)} before"


def delete_study(walk: "Walk") -> str:
    """Delete a study; it may come back."""
    study = walk.some()
    if not study:
        return NOTHING
    walk.bin.append(walk.pacs.files(study))
    walk.pacs.ask("DELETE", f"/studies/{study['ID']}")
    return f"{uid_of(study)} of {patient_of(study)}"


def delete_patient(walk: "Walk") -> str:
    """Delete a patient with all studies."""
    study = walk.some()
    if not study:
        return NOTHING
    walk.pacs.ask("DELETE", f"/patients/{study['ParentPatient']}")
    return patient_of(study)


def bring_back(walk: "Walk") -> str:
    """Store a deleted study again."""
    if not walk.bin:
        return NOTHING
    files = walk.bin.pop(walk.random.randrange(len(walk.bin)))
    if not files:
        return NOTHING
    walk.pacs.store(*files)
    return str(files[0].StudyInstanceUID)


def move(walk: "Walk") -> str:
    """Give a study another PatientID and keep its UIDs."""
    study = walk.some()
    other = samples.patient_id(walk.random, walk.name)
    if not study or patient_of(study) == other:
        return NOTHING
    there = [one for one in walk.studies() if patient_of(one) == other]
    replace = there[0]["PatientMainDicomTags"] if there else {"PatientID": other}  # Orthanc wants all that it has
    body = {"Replace": replace, "Keep": KEEP, "Force": True, "KeepSource": False}
    said = walk.pacs.once(f"/studies/{study['ID']}/modify", **body)
    return f"{uid_of(study)} from {patient_of(study)} to {other}: {said}"


def merge(walk: "Walk") -> str:
    """Merge a study into another one."""
    found = walk.studies()
    if len(found) < 2:
        return NOTHING
    source, target = walk.random.sample(found, 2)
    keep = walk.random.random() < 0.3
    said = walk.pacs.once(f"/studies/{target['ID']}/merge", Resources=[source["ID"]], KeepSource=keep)
    return f"{uid_of(source)} into {uid_of(target)}, source {'kept' if keep else 'gone'}: {said}"


def split(walk: "Walk") -> str:
    """Make a study of its own of one series."""
    study = walk.some()
    found = walk.pacs.series(study) if study else []
    if not study or len(found) < 2:
        return NOTHING
    series = walk.random.choice(found)
    said = walk.pacs.once(f"/studies/{study['ID']}/split", Series=[series["ID"]], KeepSource=False)
    return f"{uid_of(study)}: {said}"


def collide(walk: "Walk") -> str:
    """Store one instance of a study under another PatientID: one StudyInstanceUID, two patients."""
    study = walk.some()
    other = samples.patient_id(walk.random, walk.name)
    files = walk.pacs.files(study) if study else []
    if not study or not files or patient_of(study) == other:
        return NOTHING
    stray = walk.random.choice(files)
    stray.PatientID = other
    if walk.random.random() < 0.5:
        stray.SeriesInstanceUID, stray.SOPInstanceUID = samples.uid(walk.random), samples.uid(walk.random)
    walk.pacs.store(stray)
    return f"{uid_of(study)} of {patient_of(study)} also under {other}"


def resolve(walk: "Walk") -> str:
    """Delete all but one of the studies that have one StudyInstanceUID."""
    twins = walk.twins()
    if not twins:
        return NOTHING
    uid = walk.random.choice(sorted(twins))
    for study in walk.random.sample(twins[uid], len(twins[uid]) - 1):
        walk.pacs.ask("DELETE", f"/studies/{study['ID']}")
    return uid


def ask_by_hand(walk: "Walk") -> str:
    """Press the button: re-sync a study, if the mapper hears it."""
    study = walk.some()
    if not study:
        return NOTHING
    return f"{uid_of(study)}: {walk.press(uid_of(study))}"


def rest(walk: "Walk") -> str:
    """Wait until studies have become stable."""
    seconds = walk.random.uniform(1.2, 2.5)
    walk.sleep(seconds)
    return f"{seconds:.1f} s"


def report(walk: "Walk") -> str:
    """Store a report of a study: measurements, a dose, a PDF."""
    study = walk.some()
    files = walk.pacs.files(study) if study else []
    if not study or not files:
        return NOTHING
    make = walk.random.choice((documents.report, documents.report, documents.dose, documents.letter))
    walk.pacs.store(make(walk.random, walk.random.choice(files), walk.name))
    return f"{uid_of(study)}: {make.__name__}"


def select(walk: "Walk") -> str:
    """Store key objects that name instances of a study, most often as rejected."""
    study = walk.some()
    files = walk.pacs.files(study) if study else []
    if not study or not files:
        return NOTHING
    walk.pacs.store(documents.selection(walk.random, walk.random.choice(files), files))
    return uid_of(study)


def outline(walk: "Walk") -> str:
    """Store a segmentation of a study."""
    study = walk.some()
    files = walk.pacs.files(study) if study else []
    if not study or not files:
        return NOTHING
    walk.pacs.store(documents.outline(walk.random, walk.random.choice(files), walk.name))
    return uid_of(study)


def amend(walk: "Walk") -> str:
    """Store a report once more with other values, as what comes after it; the older one may go or stay."""
    study = walk.some()
    found = [one for one in walk.pacs.files(study) if documents.is_report(one)] if study else []
    if not study or not found:
        return NOTHING
    walk.pacs.store(documents.amended(walk.random, walk.random.choice(found)))
    return uid_of(study)


def withdraw(walk: "Walk") -> str:
    """Delete a report."""
    study = walk.some()
    found = walk.pacs.instances(study) if study else []
    chosen = [one for one in found if (file := walk.pacs.file(one)) is not None and documents.is_document(file)]
    if not study or not chosen:
        return NOTHING
    walk.pacs.ask("DELETE", f"/instances/{walk.random.choice(chosen)['ID']}")
    return f"of {uid_of(study)}, {len(chosen)} reports before"


@dataclass(frozen=True)
class Action:
    """One kind of step: how often it is chosen among all, and what it needs of Orthanc."""

    do: Callable[["Walk"], str]
    weight: int
    newer: bool = False
    """Only Orthanc 1.12.7 can."""


ACTIONS = (
    Action(store, 22),
    Action(grow, 10),
    Action(overwrite, 14),
    Action(weigh, 5),
    Action(send_again, 3),
    Action(delete_instance, 7),
    Action(delete_series, 5),
    Action(delete_study, 6),
    Action(delete_patient, 2),
    Action(bring_back, 5),
    Action(move, 8, newer=True),
    Action(merge, 5),
    Action(split, 3),
    Action(collide, 3),
    Action(resolve, 3),
    Action(ask_by_hand, 3),
    Action(rest, 6),
)

WITH_DOCUMENTS = (
    *ACTIONS,
    Action(report, 26),
    Action(amend, 9),
    Action(withdraw, 7),
)

WITH_OBJECTS = (
    *WITH_DOCUMENTS,
    Action(select, 16),
    Action(outline, 6),
)
STORED = {"images": ACTIONS, "documents": WITH_DOCUMENTS, "objects": WITH_OBJECTS}
"""The actions by what they store: images alone, reports, doses and PDFs too, key objects and segmentations too."""
