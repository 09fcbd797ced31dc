"""What stands in dataset_description and submission: elements with values side by side.

The values of some elements belong together: what stands in one column of the contributor's elements is one contributor.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mapper.records.sds.columns import TEMPLATES, name_key
from mapper.records.sds.finding import Where

Values = tuple[str | None, ...]
"""The values of one element at their places, None where a cell is empty."""

ROLES = re.compile(r"[|;,]")


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of one sheet under the template's names; `extra` has those that the template lacks."""

    stem: str
    file: str
    values: Mapping[str, Values] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    first: int = 4
    """The number of the column `Value`."""
    extra: Mapping[str, Values] = field(default_factory=dict)
    keyed: bool = False

    def __getitem__(self, element: str) -> str | None:
        """Return the first value of an element; raises KeyError when the template has none of that name."""
        return next(iter(self.all(element)), None)

    def all(self, element: str) -> tuple[str, ...]:
        """Return every value of an element that is there."""
        if element not in TEMPLATES[self.stem].elements:
            raise KeyError(element)
        return tuple(value for value in self.values.get(element, ()) if value is not None)

    def column(self, *elements: str) -> Iterator[tuple[int, tuple[str | None, ...]]]:
        """Yield (place, values of the elements there) for each place where one of them has a value."""
        found = [self.values.get(element, ()) for element in elements]
        for place in range(max(map(len, found), default=0)):
            values = tuple(one[place] if place < len(one) else None for one in found)
            if any(values):
                yield place, values

    def at(self, element: str, place: int = 0) -> Where:
        """Return the cell of an element's value."""
        row = self.rows.get(element, 0)
        return Where(self.file, row, self.first + place if row else 0, element, keyed=self.keyed)


@dataclass(frozen=True, slots=True)
class Contributor:
    """A person or organisation, as the dataset names them (`Last, First Middle`)."""

    name: str
    orcid: str | None = None
    affiliation: str | None = None
    roles: tuple[str, ...] = ()
    where: Where = field(default=Where(""), compare=False)


@dataclass(frozen=True, slots=True)
class RelatedIdentifier:
    """A protocol, a paper, a dataset: `relation` and `type` are words of DataCite and SDS."""

    identifier: str
    type: str | None = None
    relation: str | None = None
    description: str | None = None
    where: Where = field(default=Where(""), compare=False)

    @property
    def is_called_own(self) -> bool:
        """Whether it is described as the dataset's DOI (`DOI for this dataset`, SDS 3.0.1)."""
        return name_key(self.description or "") == "doiforthisdataset"

    @property
    def is_own(self) -> bool:
        """Whether type and relation are those that the template gives the dataset's DOI."""
        return name_key(self.type or "") == "doi" and name_key(self.relation or "") == "hasmetadata"


@dataclass(frozen=True, slots=True)
class Funding:
    """Who paid (SDS 3)."""

    consortium: str | None
    agency: str | None
    award: str | None


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard that the dataset follows (SDS 3)."""

    name: str
    version: str | None


class Description(Elements):
    """The sheet dataset_description."""

    __slots__ = ()

    @property
    def version(self) -> str | None:
        """The version of the template, such as `3.0.2`."""
        return self["Metadata version"]

    @property
    def contributors(self) -> tuple[Contributor, ...]:
        """Everyone who has a name; the template's own cells hold roles that nobody has yet."""
        names = ("Contributor name", "Contributor ORCiD", "Contributor affiliation", "Contributor role")
        return tuple(
            Contributor(name, orcid, affiliation, split_roles(role), self.at(names[0], place))
            for place, (name, orcid, affiliation, role) in self.column(*names)
            if name
        )

    @property
    def related_identifiers(self) -> tuple[RelatedIdentifier, ...]:
        """Every related identifier that is there; the template's own cells describe some that are not yet."""
        names = ("Identifier", "Identifier type", "Relation type", "Identifier description")
        return tuple(
            RelatedIdentifier(identifier, kind, relation, description, self.at(names[0], place))
            for place, (identifier, kind, relation, description) in self.column(*names)
            if identifier
        )

    @property
    def doi(self) -> str | None:
        """The dataset's own DOI, where it says so in the template's words (`DOI for this dataset`, SDS 3.0.1)."""
        for related in self.related_identifiers:
            if related.is_called_own and related.is_own:
                return related.identifier
        return None

    @property
    def funding(self) -> tuple[Funding, ...]:
        """The funding that SDS 3 has in columns; the element `Funding` is free text."""
        rows = self.column("Funding consortium", "Funding agency", "Award number")
        return tuple(Funding(*values) for _, values in rows)

    @property
    def standards(self) -> tuple[Standard, ...]:
        """The standards that the dataset says it follows."""
        rows = self.column("Data standard", "Data standard version")
        return tuple(Standard(name, version) for _, (name, version) in rows if name)


def split_roles(cell: str | None) -> tuple[str, ...]:
    """Return the roles in one cell, which stand apart by `|`, `;` or `,`."""
    return tuple(dict.fromkeys(role for part in ROLES.split(cell or "") if (role := part.strip())))


def is_orcid(text: str) -> bool:
    """Tell whether a text ends in an ORCID iD with its right check digit (ISO 7064 MOD 11-2).

    >>> is_orcid("https://orcid.org/0000-0002-1825-0097"), is_orcid("0000-0002-1825-0098")
    (True, False)
    """
    found = re.fullmatch(r"(?:https?://orcid\.org/|orcid:)?((?:[0-9]{4}-){3}[0-9]{3})([0-9X])", text.strip(), re.I)
    if not found:
        return False
    total = 0
    for digit in found[1].replace("-", ""):
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == found[2].upper()
