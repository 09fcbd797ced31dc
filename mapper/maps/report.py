"""One document of a study: its content tree, what kind of report it is, and which of its items become Observations."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from mapper.dicom.collector import identity
from mapper.dicom.documents import ENCAPSULATED
from mapper.dicom.item import Item
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.reading import Positions
from mapper.dicom.sr.tree import ContentTree, content_tree
from mapper.dicom.study import Instance, Study
from mapper.maps import derived_keys
from mapper.maps.concept_names import ConceptNames
from mapper.maps.content import Within
from mapper.maps.derived_keys import Key
from mapper.maps.kind import Kind, has_groups, is_imaging_report, kind_of
from mapper.maps.pointers import Pointers
from mapper.maps.values import concepts as c
from mapper.maps.values.concepts import Concept

Role = Literal["group", "measurement", "derived", "evaluation"]

ACCUMULATED: dict[Kind, tuple[Concept, ...]] = {
    "x-ray dose": (c.ACCUMULATED_X_RAY, c.ACCUMULATED_CT),
    "radiopharmaceutical dose": (c.ADMINISTRATION,),
}
"""The containers that make a summary of doses, by the kind of report."""
CONTEXT = frozenset({"HAS OBS CONTEXT", "HAS ACQ CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES", "SELECTED FROM"})
"""Relationships of what only says how something was found."""
NO_EVALUATION = (
    *(c.TRACKING_IDENTIFIER, c.FINDING, c.REGION_PURPOSE, c.ACTIVITY_SESSION, c.FINDING_CATEGORY, c.FINDING_SITE),
    *(c.MEASUREMENT_METHOD, c.ALGORITHM_NAME, c.ALGORITHM_VERSION, c.ALGORITHM_PARAMETERS, c.ALGORITHM_FAMILY),
)
"""Children of a group that say something of the group: they make no Observation of their own."""


@dataclass(frozen=True, slots=True)
class Part:
    """A content item that becomes an Observation."""

    role: Role
    content: ContentItem
    key: Key
    members: list["Part"] = field(default_factory=list)
    """What a group holds, in the order of the document."""


class Report:
    """A document with all that is asked of it as a whole."""

    def __init__(self, instance: Instance, series: int = 0) -> None:
        """Read the content tree of an instance that is a document; `series` is the place of its series, from 1."""
        assert instance.document is not None
        self.series = series
        self.uid, self.item = instance.uid, instance.document
        encapsulated = identity(self.item, "SOPClassUID") in ENCAPSULATED
        self.tree = ContentTree(ContentItem((1,), "", self.item), (), {}) if encapsulated else content_tree(self.item)
        self.names = ConceptNames()
        self.kept: dict[int, Any] = {}
        """What rows that read no content item made, by the row."""
        self.structures: dict[Positions, str | None] = {}
        """The ids of the BodyStructures, by the item that names the place."""
        self._studies_of: dict[Positions, list[str]] = {}
        self.made: set[str] = set()
        """The ids of the Observations that can be made of its parts."""
        self.kind: Kind = "document" if encapsulated else kind_of(self.tree.root, identity(self.item, "SOPClassUID"))

    def within(self, study: Study, content: ContentItem | None = None) -> Within:
        """Return a content item, else the root, as the rows read it."""
        return Within(content or self.tree.root, self, self.item, study.item)

    @cached_property
    def is_imaging_report(self) -> bool:
        """Tell whether a text report is of a template whose measurements are those of TID 1500 and TID 2000."""
        return is_imaging_report(self.tree.root) or has_groups(self.tree.root)

    @cached_property
    def parts(self) -> dict[Positions, Part]:
        """What becomes an Observation, by its place, in the order of the document."""
        if self.kind != "measurements" and not (self.kind == "text" and self.is_imaging_report):
            return {}
        found: dict[Positions, Part] = {}
        known: set[str] = set()
        for item in outside(self.tree.root, c.IMAGE_LIBRARY):
            role = role_of(item)
            if role is None:
                continue
            uid = item.observation_uid if item.observation_uid not in known else None
            known.update([uid] if uid else [])
            key = derived_keys.observation(uid) if uid else derived_keys.observation_at(self.uid, item.path)
            part = found[item.positions] = Part(role, item, key)
            if item.relationship not in ("INFERRED FROM", *CONTEXT):
                groups = (found.get(above.positions) for above in item.ancestors())
                if holder := next((one for one in groups if one and one.role == "group"), None):
                    holder.members.append(part)
        return found

    @cached_property
    def accumulated(self) -> list[ContentItem]:
        """The containers that make a summary of doses, in the order of the document."""
        concepts = [one.pair for one in ACCUMULATED.get(self.kind, ())]
        found = self.tree.root.descendants(*concepts) if concepts else ()
        return [item for item in found if item.value_type == "CONTAINER"]

    @cached_property
    def studies(self) -> dict[str, str]:
        """The StudyInstanceUID of each instance that the document names as evidence (PS3.3 C.17.2)."""
        found: dict[str, str] = {}
        for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
            for study in items(self.item, keyword):
                uid = identity(study, "StudyInstanceUID")
                for series in items(study, "ReferencedSeriesSequence") if uid else ():
                    for one in items(series, "ReferencedSOPSequence"):
                        found.setdefault(identity(one, "ReferencedSOPInstanceUID") or "", uid or "")
        return found

    @cached_property
    def asked(self) -> list[str]:
        """The studies that the report is about, its own where it names none.

        Those of PertinentOtherEvidenceSequence were only looked at beside them (PS3.3 C.17.2.3).
        """
        requested = items(self.item, "CurrentRequestedProcedureEvidenceSequence")
        named = dict.fromkeys(filter(None, (identity(one, "StudyInstanceUID") for one in requested)))
        return list(named) or list(filter(None, [identity(self.item, "StudyInstanceUID")]))

    def studies_of(self, content: ContentItem) -> list[str]:
        """Return the StudyInstanceUIDs of the images that a content item is of, in order.

        Where no image is named: the report's own study, unless the report is about others alone.
        """
        if content.positions not in self._studies_of:
            named = dict.fromkeys(filter(None, map(self.studies.get, self.pointers.of(content))))
            own = [one for one in self.asked if one == identity(self.item, "StudyInstanceUID")]
            self._studies_of[content.positions] = list(named) or own or self.asked
        return self._studies_of[content.positions]

    @cached_property
    def pointers(self) -> Pointers:
        """What its content items point to."""
        return Pointers(self.parts)


def items(item: Item, keyword: str) -> list[Item]:
    """Return the items of a sequence; one that cannot be read has none."""
    try:
        return item.values(keyword)
    except ValueError:
        return []


def outside(root: ContentItem, left_out: Concept) -> Iterator[ContentItem]:
    """Yield all items by value in the order of the document, without what is below items of one concept name."""
    waiting = [root]
    while waiting:
        found = waiting.pop()
        if found.reference is None and not found.means(left_out.pair):
            yield found
            waiting.extend(reversed(found.children))


def role_of(item: ContentItem) -> Role | None:
    """Return what kind of Observation a content item becomes, None where it becomes none."""
    above = item.parent
    if item.value_type == "CONTAINER":
        return "group" if item.means(c.MEASUREMENT_GROUP.pair) else None
    if above is None or item.relationship in CONTEXT:
        return None
    if item.value_type == "NUM":
        if above.value_type == "CONTAINER":
            return "derived" if above.means(c.DERIVED_MEASUREMENTS.pair) else "measurement"
        return "measurement" if above.value_type == "NUM" and item.relationship == "INFERRED FROM" else None
    if item.value_type in ("CODE", "TEXT") and above.means(c.MEASUREMENT_GROUP.pair):
        return None if item.means(*(one.pair for one in NO_EVALUATION)) else "evaluation"
    return None
