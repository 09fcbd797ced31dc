"""One document of a study: its content tree, what kind of report it is, and which of its items become Observations."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mapper.dicom.collector import identity
from mapper.dicom.documents import ENCAPSULATED
from mapper.dicom.item import Item
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.reading import Positions
from mapper.dicom.sr.reference import Reference
from mapper.dicom.sr.tree import ContentTree, content_tree
from mapper.dicom.study import Instance, Study
from mapper.maps import cad, derived_keys, ultrasound
from mapper.maps.concept_names import ConceptNames
from mapper.maps.content import Within
from mapper.maps.kind import Kind, has_groups, is_imaging_report, kind_of
from mapper.maps.part import CONTEXT, HOLDING, Part, outside, role_of
from mapper.maps.pointers import Pointers
from mapper.maps.values import concepts as c
from mapper.maps.values.concepts import Concept

ACCUMULATED: dict[Kind, tuple[Concept, ...]] = {
    "x-ray dose": (c.ACCUMULATED_X_RAY, c.ACCUMULATED_CT),
    "radiopharmaceutical dose": (c.ADMINISTRATION,),
}
"""The containers that make a summary of doses, by the kind of report."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One instance that a document names as evidence: its UID, those of its study and series."""

    study: str
    series: str | None
    instance: str


class Report:
    """A document with all that is asked of it as a whole."""

    def __init__(self, instance: Instance, series: int = 0) -> None:
        """Read the content tree of an instance that is a document; `series` is the place of its series, from 1."""
        assert instance.document is not None
        self.series = series
        self.uid, self.item = instance.uid, instance.document
        encapsulated = identity(self.item, "SOPClassUID") in ENCAPSULATED
        self.tree = ContentTree(ContentItem((1,), "", self.item), (), {}) if encapsulated else content_tree(self.item)
        self.kept: dict[int, Any] = {}
        """What rows that read no content item made, by the row."""
        self.structures: dict[Positions, str | None] = {}
        """The ids of the BodyStructures, by the item that names the place."""
        self._studies_of: dict[Positions, list[str]] = {}
        self.made: set[str] = set()
        """The ids of the Observations that can be made of its parts."""
        self.kind: Kind = "document" if encapsulated else kind_of(self.tree.root, identity(self.item, "SOPClassUID"))
        self.names = ConceptNames(ultrasound.vessels(self.tree.root) if self.kind == "ultrasound" else frozenset())

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
        if self.kind not in ("measurements", "ultrasound", "cad") and not (
            self.kind == "text" and self.is_imaging_report
        ):
            return {}
        found: dict[Positions, Part] = {}
        known: set[str] = set()
        for item in outside(
            self.tree.root, *(ultrasound.NOT_OF_IMAGES if self.kind == "ultrasound" else [c.IMAGE_LIBRARY])
        ):
            role = cad.role_of(item) if self.kind == "cad" else role_of(item, self.names.places)
            if role is None:
                continue
            uid = item.observation_uid if item.observation_uid not in known else None
            known.update([uid] if uid else [])
            key = derived_keys.observation(uid) if uid else derived_keys.observation_at(self.uid, item.path)
            part = found[item.positions] = Part(role, item, key)
            if item.relationship not in ("INFERRED FROM", *CONTEXT):
                groups = (found.get(above.positions) for above in item.ancestors())
                if holder := next((one for one in groups if one and one.role in HOLDING), None):
                    holder.members.append(part)
        return found

    @cached_property
    def accumulated(self) -> list[ContentItem]:
        """The containers that make a summary of doses, in the order of the document."""
        concepts = [one.pair for one in ACCUMULATED.get(self.kind, ())]
        found = self.tree.root.descendants(*concepts) if concepts else ()
        return [item for item in found if item.value_type == "CONTAINER"]

    @cached_property
    def evidence(self) -> list[Evidence]:
        """The instances that the document names as evidence, in order (PS3.3 C.17.2)."""
        found = []
        for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
            for study in items(self.item, keyword):
                uid = identity(study, "StudyInstanceUID")
                for series in items(study, "ReferencedSeriesSequence") if uid else ():
                    within = identity(series, "SeriesInstanceUID")
                    for one in items(series, "ReferencedSOPSequence"):
                        found.append(Evidence(uid or "", within, identity(one, "ReferencedSOPInstanceUID") or ""))
        return found

    @cached_property
    def asked(self) -> list[str]:
        """The studies that the report is about, its own where it names none.

        Those of PertinentOtherEvidenceSequence were only looked at beside them (PS3.3 C.17.2.3).
        """
        requested = items(self.item, "CurrentRequestedProcedureEvidenceSequence")
        named = dict.fromkeys(filter(None, (identity(one, "StudyInstanceUID") for one in requested)))
        return list(named) or list(filter(None, [identity(self.item, "StudyInstanceUID")]))

    @cached_property
    def named(self) -> dict[str, Evidence]:
        """The evidence by SOPInstanceUID: what is named several times counts where it stands first."""
        return {one.instance: one for one in reversed(self.evidence)}

    @cached_property
    def references(self) -> list[ContentItem]:
        """The content items that point to instances, in the order of the document."""
        return [one for one in self.tree.root.descendants() if isinstance(one.value, Reference)]

    def studies_of(self, content: ContentItem) -> list[str]:
        """Return the StudyInstanceUIDs of the images that a content item is of, in order.

        Where no image is named: the report's own study, unless the report is about others alone.
        """
        if content.positions not in self._studies_of:
            found = (self.named.get(uid) for uid in self.pointers.of(content))
            named = dict.fromkeys(one.study for one in found if one is not None)
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
