"""Group <- subjects that are alike: of one species, strain and experimental group; pools and populations (FHIR R4 Group).

What DICOM has no attribute for stands here, where nobody else writes: a Patient may be the live path's.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from mapper.maps import dataset_keys
from mapper.maps.research.cells import Research
from mapper.maps.research.values import is_animal, species, strain
from mapper.maps.rule import Made
from mapper.maps.values.coding import Concept
from mapper.records.sds.row import Subject

ALIKE = ("subject experimental group", "species", "strain", "RRID for strain")
"""Columns of subjects in which those of one group say the same."""


def groups(cx: Research, patients: Mapping[str, str]) -> Iterator[Made]:
    """Yield every Group of the subjects that have a Patient; `patients` is its id by the id of the subject."""
    dataset, _ = cx.known
    alike: defaultdict[tuple[str, ...], list[Subject]] = defaultdict(list)
    for subject in dataset.subjects:
        if subject.id in patients:
            alike[tuple(subject.stated(column) or "" for column in ALIKE)].append(subject)
    for common, members in alike.items():
        yield group(cx, ("alike", *common), next(filter(None, common), None), members, patients)
    for name in dataset.lineage.groups:
        found = [dataset.lineage.subjects[one] for one in dataset.lineage.subjects_of(name) if one in patients]
        if found:
            yield group(cx, ("pool", name), name, found, patients)


def group(
    cx: Research, key: tuple[str, ...], name: str | None, members: list[Subject], patients: Mapping[str, str]
) -> Made:
    """Return one Group; what its members have in common are its characteristics."""
    _, uuid = cx.known
    made = Made()
    made.update(
        resourceType="Group",
        id=cx.id(*dataset_keys.group(uuid, *key)),
        identifier=[{"system": dataset_keys.system(cx.site.base, "group", uuid), "value": "/".join(key)}],
        type=kind(members),
        actual=True,
    )
    if name:
        made["name"] = name
    if shared := list(characteristics(cx, members)):
        made["characteristic"] = shared
    ids = dict.fromkeys(patients[one.id] for one in members)
    made["quantity"] = len(ids)
    made["member"] = [{"entity": {"reference": f"Patient/{id}"}} for id in ids]
    return made


def kind(members: list[Subject]) -> str:
    """Return FHIR's group-type: animal where all name a species other than man, else person, as a Patient is one."""
    return "animal" if all(is_animal(one.stated("species")) for one in members) else "person"


def characteristics(cx: Research, members: list[Subject]) -> Iterator[dict[str, Any]]:
    """Yield what all members say the same of: experimental group, species, strain."""

    def common(column: str) -> str | None:
        said = {one.stated(column) for one in members}
        return said.pop() if len(said) == 1 else None

    found: dict[str, Concept | None] = {
        "experimental group": {"text": arm} if (arm := common(ALIKE[0])) else None,
        "species": species(cx, common("species")),
        "strain": strain(cx, common("strain"), common("RRID for strain")),
    }
    for name, value in found.items():
        if value:
            yield {"code": {"text": name}, "valueCodeableConcept": value, "exclude": False}
