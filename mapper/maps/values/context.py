"""What a converter may know beside the values of its row."""

from dataclasses import dataclass, field
from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.study import Series, Study
from mapper.errors import Problem
from mapper.fhir.ids import resource_id
from mapper.maps.rule import MissingElement, Rule
from mapper.maps.silence import STUDY, Place, Silences
from mapper.maps.site import Site

READ_BESIDE = (
    "CodingSchemeIdentificationSequence",
    "InstitutionName",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "LongitudinalTemporalInformationModified",
    "Modality",
    "PatientID",
    "PatientIdentityRemoved",
    "StationName",
)
"""Keywords that converters ask the data set for without naming them in a row: they must be decoded too."""

READ_BESIDE_OF_INSTANCES = (
    "ImageLaterality",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "Modality",
    "PatientID",
)
"""The same, of every instance of a series."""


@dataclass
class Context:
    """What a converter may know beside its values: the site's choices, the study, the data set at hand."""

    site: Site
    study: Study
    item: Item = field(default_factory=Item)
    series: Series | None = None
    """The series at hand, where the rows are those of a series or an instance."""
    rule: Rule | None = None
    rejected: frozenset[str] = frozenset()
    """UIDs of the instances that rejection notes took out, and of the series of which nothing is left."""
    in_error: bool = False
    """Whether a rejection note took the whole study back (mapper.maps.rejection)."""
    place: Place = STUDY
    """Which data set that is."""
    silences: Silences | None = None
    """Rows that made nothing, where somebody wants to know."""
    problems: dict[Problem, None] = field(default_factory=dict)
    """Problems in the order they were met, each once."""

    named: tuple[Rule, Item, str] | None = None
    """What a problem of a row of a data set is a problem of: the last that was asked for, each value may have one."""

    issuers: dict[tuple[str, str], dict[str, list[Item]]] = field(default_factory=dict)
    """Which issuer the study states for which number, by the keywords of both: looked for once."""

    def note(self, reason: str) -> None:
        """Record why the value that is being made may be doubted."""
        if self.rule is not None:
            self.problem(self.rule, reason)

    def problem(self, rule: Rule, reason: str) -> None:
        """Record a problem of one row."""
        rule_at_hand, item, attribute = self.named or (None, None, "")
        if rule_at_hand is not rule or item is not self.item:
            attribute = rule.attribute_of(self.item)
            self.named = rule, self.item, attribute
        self.record(Problem(rule.element, attribute, reason))

    def record(self, problem: Problem) -> None:
        """Record a problem, once."""
        self.problems.setdefault(problem)

    def silent(self, rule: Rule, why: str) -> None:
        """Record that a row made nothing of the data set at hand, where somebody wants to know."""
        if self.silences is not None:
            self.silences.add(rule, why, self.place)

    def left_out(self, missing: MissingElement) -> None:
        """Record that something was left out because a required element is absent; unreadable is recorded already."""
        rule = missing.rule
        if not any(known.element == rule.element for known in self.problems):
            self.problem(rule, "absent: what needs it is left out, and stays counted")

    def id(self, *key: str) -> str:
        """Return the id of the resource with this key (mapper/maps/keys.py)."""
        return resource_id(self.site.namespace, *key)


def beside(cx: Context, keyword: str) -> Any:
    """Return a value that only helps to read another one; unreadable counts as absent."""
    try:
        return cx.item[keyword]
    except ValueError:
        return None


def all_beside(cx: Context, keyword: str) -> list[Any]:
    """Return the values that only help to read another one; unreadable counts as absent."""
    try:
        return cx.item.values(keyword)
    except ValueError:
        return []
