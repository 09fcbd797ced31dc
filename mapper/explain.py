"""Where does this come from, and why is that not there?

For every leaf of the output its path, the DICOM attributes, the rule and the value; for every row that made nothing
the data set that it was asked of, and why.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from mapper.maps import Mapped
from mapper.maps.content import ContentRule
from mapper.maps.rule import Made, Rule
from mapper.maps.silence import SHOWN, Silence

POSITION = re.compile(r"\[\d+\]")


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


def is_below(path: str, element: str) -> bool:
    """Tell whether a FHIR path is that of an element or of what stands in it, whatever the positions in lists."""
    path, element = (POSITION.sub("", one) for one in (path, element))
    return not element or path == element or path.startswith(f"{element}.")


def lines(
    mapped: Mapped, silences: Iterable[Silence], fhir_base: str, *, redact: bool = False, element: str = ""
) -> Iterator[str]:
    """Yield the explanation of one study as text, the leaves of one row together; `redact` hides the values.

    `element` is the FHIR path of the one that is asked for, with all that stands in it.
    """
    shown, asked = "", (leaf for leaf in leaves(mapped, fhir_base) if is_below(leaf.path, element))
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
    for one in (each for each in silences if is_below(each.rule.element, element)):
        yield f"  {one.rule.element} <- {one.rule.request}: {one.why} ({one.where})"
    problems = [one for one in mapped.problems if is_below(one.element, element)]
    yield from ("", f"Dropped or doubted: {len(problems) or 'nothing'}")
    for problem in problems:
        yield f"  {problem}"


def objects(
    mapped: Mapped,
    silences: Iterable[Silence],
    fhir_base: str,
    *,
    redact: bool = False,
    element: str = "",
    most: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the same as JSON objects: `made` a leaf, `silent` a row that made nothing, `problem` what was dropped.

    Of each of these kinds come no more than `most`.
    """
    for leaf in islice((each for each in leaves(mapped, fhir_base) if is_below(each.path, element)), most):
        value = {} if redact else {"value": leaf.value}
        about = {"resource": leaf.resource, "path": leaf.path, **value}
        said = {"attributes": attributes(leaf.rule), **items(leaf.rule, redact=redact), "rule": leaf.words}
        yield {"kind": "made", **about, **said}
    for one in islice((each for each in silences if is_below(each.rule.element, element)), most):
        where = {"where": one.words, "series": one.series[:SHOWN], "times": one.times}
        asked = {"attributes": attributes(one.rule), **concepts(one.rule)}
        about = {"element": one.rule.element, **asked, "rule": one.rule.words}
        yield {"kind": "silent", **about, "why": one.why, **where}
    for problem in islice((each for each in mapped.problems if is_below(each.element, element)), most):
        about = {"element": problem.element, "attribute": problem.attribute, "reason": problem.reason}
        yield {"kind": "problem", **about}


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
