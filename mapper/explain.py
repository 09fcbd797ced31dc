"""Where does this come from, and why is that not there?

For every leaf of the output its path, the DICOM attributes, the rule and the value; for every row that made nothing
the data set that it was asked of, and why.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from pydicom.datadict import tag_for_keyword

from mapper.dicom.study import Study
from mapper.maps import Mapped
from mapper.maps.content import ContentRule
from mapper.maps.rule import Made, Rule
from mapper.maps.silence import SHOWN, Silence
from mapper.question import Question

VALUES_SHOWN = 5
"""Different values of one attribute that are shown beside what was dropped."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of the output and what made it; without a rule it belongs to the Bundle itself."""

    resource: str
    """Type and id."""
    path: str
    """FHIR path with positions, `ImagingStudy.series[0].uid`."""
    value: Any
    rule: Rule | None

    @property
    def origin(self) -> str:
        """The attributes behind it as `Keyword (gggg,eeee)`, the content items that hold them, or what it is."""
        return "the Bundle" if self.rule is None else self.rule.origin

    @property
    def keywords(self) -> tuple[str, ...]:
        """The DICOM keywords behind it."""
        return self.rule.keywords if self.rule is not None else ()

    @property
    def words(self) -> str:
        """The rule in words."""
        return self.rule.words if self.rule is not None else "every resource is PUT under its own id"


def leaves(mapped: Mapped, fhir_base: str) -> Iterator[Leaf]:
    """Yield every leaf of the Bundle of one study, resource by resource."""
    for resource in mapped.resources:
        url = f"{resource['resourceType']}/{resource['id']}"
        yield Leaf(url, "Bundle.entry.fullUrl", f"{fhir_base}/{url}", None)
        yield Leaf(url, "Bundle.entry.request.method", "PUT", None)
        yield Leaf(url, "Bundle.entry.request.url", url, None)
        for path, value, rule in of_element(resource, resource["resourceType"]):
            yield Leaf(url, path, value, rule)


Found = Iterator[tuple[str, Any, Rule | None]]


def of_element(element: Made, path: str) -> Found:
    """Yield path, value and rule of the leaves of an element that rows made."""
    for name, value in element.items():
        rules = element.rules.get(name, [])
        if isinstance(value, list):
            for number, child in enumerate(value):
                rule = rules[min(number, len(rules) - 1)] if rules else None
                yield from of_value(child, f"{path}.{name}[{number}]", rule)
        else:
            yield from of_value(value, f"{path}.{name}", rules[0] if rules else None)


def of_value(value: Any, path: str, rule: Rule | None) -> Found:
    """Yield path, value and rule of the leaves of a value that one row made."""
    if isinstance(value, Made):
        yield from of_element(value, path)
    elif isinstance(value, Mapping):
        for name, child in value.items():
            yield from of_value(child, f"{path}.{name}", rule)
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from of_value(child, f"{path}[{number}]", rule)
    else:
        yield path, value, rule


def lines(
    mapped: Mapped,
    silences: Iterable[Silence],
    fhir_base: str,
    *,
    redact: bool = False,
    element: str = "",
    study: Study | None = None,
) -> Iterator[str]:
    """Yield the explanation of one study as text, the leaves of one row together; `redact` hides the values.

    `element` is the FHIR path of the one that is asked for, with all that stands in it, or a DICOM keyword; of what
    was dropped the values of `study` are told.
    """
    question = Question(element)
    shown, asked = "", (leaf for leaf in leaves(mapped, fhir_base) if question.takes(leaf.path, leaf.keywords))
    for (resource, rule), together in groupby(asked, lambda leaf: (leaf.resource, leaf.rule)):
        if resource != shown:
            shown = resource
            yield from ("", resource)
        found = list(together)
        for leaf in found:
            yield f"  {leaf.path}" if redact else f"  {leaf.path} = {leaf.value}"
        if rule is not None:
            yield f"      <- {rule.bare_origin if redact else found[0].origin}: {found[0].words}"
    yield from ("", "Made nothing:")
    for one in (each for each in silences if question.takes(each.rule.element, each.rule.keywords)):
        yield f"  {one.rule.element} <- {one.rule.request}: {one.why} ({one.where})"
    problems = [one for one in mapped.problems if question.takes(one.element, one.attribute.split())]
    yield from ("", f"Dropped or doubted: {len(problems) or 'nothing'}")
    for problem in problems:
        yield f"  {problem}"
        if values := [] if redact else values_of(study, problem.attribute):
            yield f"      it says: {', '.join(values)}"


def objects(
    mapped: Mapped,
    silences: Iterable[Silence],
    fhir_base: str,
    *,
    redact: bool = False,
    element: str = "",
    most: int | None = None,
    study: Study | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the same as JSON objects: `made` a leaf, `silent` a row that made nothing, `problem` what was dropped.

    Of each of these kinds come no more than `most`.
    """
    question = Question(element)
    asked = (each for each in leaves(mapped, fhir_base) if question.takes(each.path, each.keywords))
    for leaf in islice(asked, most):
        value = {} if redact else {"value": leaf.value}
        about = {"resource": leaf.resource, "path": leaf.path, **value}
        said = {"attributes": attributes(leaf.rule), **items(leaf.rule, redact=redact), "rule": leaf.words}
        yield {"kind": "made", **about, **said}
    silent = (each for each in silences if question.takes(each.rule.element, each.rule.keywords))
    for one in islice(silent, most):
        where = {"where": one.words, "series": one.series[:SHOWN], "times": one.times, "places": one.where}
        about = {"element": one.rule.element, "attributes": attributes(one.rule), **concepts(one.rule)}
        about |= {"rule": one.rule.words}
        yield {"kind": "silent", **about, "why": one.why, **where}
    problems = (each for each in mapped.problems if question.takes(each.element, each.attribute.split()))
    for problem in islice(problems, most):
        told = {"element": problem.element, "attribute": problem.attribute, "reason": problem.reason}
        values = [] if redact else values_of(study, problem.attribute)
        yield {"kind": "problem", **told, **({"values": values} if values else {})}


def values_of(study: Study | None, attribute: str) -> list[str]:
    """Return the different values that the data sets of a study have of these keywords, as they came."""
    found: dict[str, None] = {}
    if study is None:
        return []
    for keyword in attribute.split():
        if tag_for_keyword(keyword) is None:  # the place of a content item
            continue
        for item in (one.item for one in study.series):
            element = item.element(keyword)
            values = element.get("Value") if isinstance(element, Mapping) else None
            for value in values if isinstance(values, list) else ():
                said = value.get("Alphabetic", "") if isinstance(value, Mapping) else value
                found |= {str(said): None} if said not in (None, "") else {}
    return list(found)[:VALUES_SHOWN]


def attributes(rule: Rule | None) -> list[dict[str, str]]:
    """Return keyword and tag of the attributes of a row."""
    pairs = zip(rule.keywords, rule.tags, strict=True) if rule is not None else ()
    return [{"keyword": keyword, "tag": tag} for keyword, tag in pairs]


def items(rule: Rule | None, *, redact: bool) -> dict[str, list[dict[str, str]]]:
    """Return where the content items of a row stand, and their concepts, which are values of the report."""
    if not isinstance(rule, ContentRule):
        return {}
    places = ({"item": one.where} | ({} if redact or not one.name else {"concept": one.name}) for one in rule.places)
    return {"items": list(places)}


def concepts(rule: Rule) -> dict[str, list[str]]:
    """Return the concept names that a row asks a document for."""
    return {"concepts": list(rule.names)} if isinstance(rule, ContentRule) and rule.names else {}
