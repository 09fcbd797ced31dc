"""docs/fhir-questions.md: what it asks, and what it says comes back."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.readme import text

PAGE = "docs/fhir-questions.md"
Row = tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One request of the page; without an answer it is only to succeed."""

    heading: str
    method: str
    url: str
    body: str
    answer: list[Row]

    @property
    def in_order(self) -> bool:
        """Tell whether the order of the answer is asked for."""
        return "_sort=" in self.url

    def told(self, resources: Sequence[dict[str, Any]]) -> list[Row]:
        """Return resources as the page shows them: counted, or a row each."""
        if self.answer and len(self.answer[0]) == 2:
            return sorted((kind, str(number)) for kind, number in Counter(map(kind_of, resources)).items())
        rows = [row_of(one) for one in resources]
        return rows if self.in_order else sorted(rows)

    @property
    def expected(self) -> list[Row]:
        """Return what the page says, sorted unless an order is asked for."""
        return self.answer if self.in_order else sorted(self.answer)


def sections(level: str = "###") -> dict[str, str]:
    """Return what stands under each heading of a level."""
    parts = re.split(rf"^{level} (.+)\n", text(PAGE), flags=re.MULTILINE)[1:]
    return {
        head: re.split(r"^#", body, flags=re.MULTILINE)[0] for head, body in zip(parts[::2], parts[1::2], strict=True)
    }


def questions() -> Iterator[Question]:
    """Yield every request under a question, in the order of the page."""
    for heading, section in sections().items():
        for block, table in re.findall(r"^```http\n(.*?)^```\n(?:\n((?:\|.*\n)+))?", section, re.DOTALL | re.MULTILINE):
            head, _, body = block.partition("\n\n")
            method, _, url = head.strip().partition(" ")
            yield Question(heading, method, url, body, rows(table))


def differences() -> Iterator[tuple[str, str]]:
    """Yield what HAPI answers otherwise: the request, and a status or the number of resources."""
    (section,) = [body for head, body in sections("##").items() if head.startswith("Where HAPI")]
    for request, answer, _ in rows(section[section.index("|") :]):
        yield request.removeprefix("GET "), answer


def parameters() -> dict[str, set[str]]:
    """Return the search parameters that the page names for each resource, R4's own."""
    section = sections("##")["Parameters that are used"]
    return {
        kind: set(re.findall(r"`([a-z-]+)`", named.partition(";")[0]))
        for kind, named in rows(section[section.index("|") :], plain=False)
    }


def rows(table: str, *, plain: bool = True) -> list[Row]:
    """Return the cells of a table of Markdown, its head left out."""
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [tuple(cell.strip("`") if plain else cell for cell in line) for line in cells]


def kind_of(resource: dict[str, Any]) -> str:
    return str(resource["resourceType"])


def row_of(resource: dict[str, Any]) -> Row:
    """Return a resource as a row: what it is, of what, when, with which value."""
    kind = kind_of(resource)
    return (kind, *SHOWN[kind](resource))


def observation(one: dict[str, Any]) -> Row:
    return concept(one["code"]), one["effectiveDateTime"], value(one)


def value(one: dict[str, Any]) -> str:
    """Return the one value of an Observation."""
    if "valueQuantity" in one:
        return f"{one['valueQuantity']['value']} {one['valueQuantity']['code']}"
    return concept(one["valueCodeableConcept"]) if "valueCodeableConcept" in one else one.get("valueString", "")


def concept(one: dict[str, Any]) -> str:
    """Return a concept in words, a long name of LOINC as far as its first axis."""
    return str(one["coding"][0]["display"].partition(" [")[0])


def body_structure(one: dict[str, Any]) -> Row:
    (label,) = [named["value"] for named in one["identifier"] if "system" not in named]
    return label, "", " ".join(map(concept, [*one["locationQualifier"], one["location"]]))


def diagnostic_report(one: dict[str, Any]) -> Row:
    return concept(one["code"]), one["effectiveDateTime"], one["conclusion"]


def document_reference(one: dict[str, Any]) -> Row:
    attached = [content["attachment"] for content in one["content"]]
    size = f"{attached[0]['size']} bytes" if "size" in attached[0] else f"{len(attached)} instances"
    return concept(one["type"]), one.get("date", ""), f"{attached[0]['contentType']}, {size}"


def imaging_study(one: dict[str, Any]) -> Row:
    modalities = ", ".join(sorted(mode["code"] for mode in one["modality"]))
    return one["description"], one["started"], f"{modalities}, {one['numberOfInstances']} instances"


SHOWN = {
    "BodyStructure": body_structure,
    "DiagnosticReport": diagnostic_report,
    "DocumentReference": document_reference,
    "ImagingStudy": imaging_study,
    "Observation": observation,
}
