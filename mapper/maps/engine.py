"""The engine: a table of rows and a data set make the elements of a FHIR resource."""

from collections.abc import Hashable, Iterable
from functools import cache
from operator import is_
from typing import Any

from mapper.dicom.item import Item, is_single, vr_of
from mapper.maps.rule import Made, MissingElement, Rule
from mapper.maps.values.context import Context
from mapper.maps.values.distinct import unseen

LONGEST = {"AE": 16, "CS": 16, "LO": 64, "SH": 16}  # characters, PS3.5 table 6.2-1

Before = dict[int, tuple[list[Any], Any]]
"""The raw attributes that each row read last, and what it made of them: of data sets that repeat each other."""


def make(rule: Rule, cx: Context, item: Item) -> Any:
    """Return what one row makes of a data set, or None; what goes wrong is recorded.

    What many items share is made once: by rows that read nothing else.
    """
    kept = item.kept(rule.keywords) if type(rule) is Rule and type(item) is not Item else None
    if kept is None:
        return made_by(rule, cx, item)
    if id(rule) not in kept:
        kept[id(rule)] = made_by(rule, cx, item)
    return kept[id(rule)]


def repeated(rule: Rule, cx: Context, item: Item, before: Before) -> Any:
    """Return what a row makes of one of many data sets; of the very attributes that the one before has, the same.

    The row must read nothing else. What was recorded then is recorded already.
    """
    elements = list(map(item.raw.get, rule.raw_tags))
    last = before.get(id(rule))
    if last is not None and all(map(is_, elements, last[0])):
        return last[1]
    made = make(rule, cx, item)
    before[id(rule)] = elements, made
    return made


def having(rules: Iterable[Rule], item: Item) -> list[Rule]:
    """Return the rows of which a data set has an attribute, and those that are required.

    For rows that make nothing, and say nothing, where their attributes are absent.
    """
    return [rule for rule in rules if rule.required or not rule.elements.isdisjoint(item.raw)]


def made_by(rule: Rule, cx: Context, item: Item) -> Any:
    """Return what one row makes of a data set, or None; what goes wrong is recorded."""
    cx.rule, cx.item = rule, item
    try:
        values = list(rule.read(item, cx.note))
        doubt(rule, cx, item, values)
        made = rule.by(cx, *values)
        if cx.silences is not None and is_nothing(made):
            cx.silent(rule, why_nothing(rule, item, values))
        return made
    except MissingElement:
        raise
    except ValueError as error:
        cx.problem(rule, str(error) or "not readable")
        cx.silent(rule, f"dropped and recorded: {error or 'not readable'}")
        return None
    finally:
        cx.rule, cx.item = rule, item


def is_nothing(made: Any) -> bool:
    """Tell whether a converter made nothing."""
    return made is None or made == [] or made == {}


def why_nothing(rule: Rule, item: Item, values: Iterable[Any]) -> str:
    """Return why a row that was asked made nothing of the values that it read."""
    if not all(value is None or value == [] for value in values):
        return "what is there makes nothing by this rule"
    if not rule.asked:
        return "nothing to say here"
    empty = [keyword for keyword in rule.keywords if keyword in item]
    return f"none of {', '.join(rule.asked)}" + (f"; there, but empty: {', '.join(empty)}" if empty else "")


def passed_over(rule: Rule, cx: Context, before: Any) -> str:
    """Return why a row is not asked at all, empty when it is; `before` is what its element has already."""
    if rule.option and rule.option not in cx.site.options:
        return f"option {rule.option} is off"
    if before is not None and (rule.otherwise or not isinstance(before, list)):
        return "an earlier row made it"
    return ""


def doubt(rule: Rule, cx: Context, item: Item, values: Iterable[Any]) -> None:
    """Record what makes the values of a row's attributes doubtful, whatever it makes of them.

    Content items, which a row of a document is given behind them, come with doubts of their own.
    """
    for (keyword, of_all, _, _), value in zip(rule.reads, values, strict=False):
        if not value and keyword not in item:
            continue  # most rows read nothing of most data sets
        if not of_all and item.disagrees(keyword):
            cx.problem(rule, "series disagree: the first one speaks")
        if is_undecodable(value):
            cx.problem(rule, "text with undecodable characters")
        if not isinstance(value, list) and item.is_repeated(keyword):
            cx.problem(rule, "several values where DICOM allows one: the first one counts")
        if isinstance(value, str) and (longest := longest_of(keyword)) and len(value) > longest:
            cx.problem(rule, "longer than DICOM allows")


@cache
def longest_of(keyword: str) -> int | None:
    """Return the characters that PS3.5 allows a text of one value, None where there is no such bound."""
    return LONGEST.get(vr_of(keyword)) if is_single(keyword) else None


def is_undecodable(value: Any) -> bool:
    """Tell whether an attribute holds what nobody could read: its text, a name, one of several, an item."""
    if isinstance(value, str):
        return "\ufffd" in value
    if isinstance(value, Item):
        return value.is_undecodable()
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and any(map(is_undecodable, value))


def apply(rules: Iterable[Rule], cx: Context, item: Item, inside: str, before: Before | None = None) -> Made:
    """Return the FHIR elements that the rows make of one data set, `inside` the element of this path.

    Rows of one element with lists add up (each value once); of several rows with one value the first that
    makes one wins. With `before`, kept from data set to data set, what repeats is made once. Raises MissingElement when
    a required row makes nothing.
    """
    out = Made()
    said: dict[str, set[Hashable]] = {}
    for rule in rules:
        parents, name = way(rule.element, inside)
        there = (inner(out, parents) if parents else out).get(name)
        if (there is not None or rule.option) and (why := passed_over(rule, cx, there)):
            cx.silent(rule, why)
            continue
        made = make(rule, cx, item) if before is None else repeated(rule, cx, item, before)
        if not made and is_nothing(made):
            if rule.required:
                raise MissingElement(rule)
            continue
        place = inner(out, parents, make=True) if parents else out
        if isinstance(made, list):
            listed = place.setdefault(name, [])
            if new := unseen(made, said.setdefault(rule.element, set())):
                listed += new
                place.rules.setdefault(name, []).extend([rule.seen(item)] * len(new))
            else:
                cx.silent(rule, "an earlier row said all of it")
        else:
            place[name] = made
            place.rules[name] = [rule.seen(item)]
    return out


@cache
def way(element: str, inside: str) -> tuple[tuple[str, ...], str]:
    """Return the elements that lie between a path and another one that it is inside of, and the last one's name."""
    *parents, name = element.removeprefix(f"{inside}.").split(".")
    return tuple(parents), name


def inner(out: Made, parents: Iterable[str], *, make: bool = False) -> Made:
    """Return the element a path leads to inside another one; without `make` an empty one where there is none."""
    for parent in parents:
        found = out.get(parent)
        if not isinstance(found, Made):
            found = Made()
            if make:
                out[parent] = found
        out = found
    return out


def resource(rules: Iterable[Rule], cx: Context, item: Item, kind: str) -> Made:
    """Return the resource that the rows make; raises MissingElement when a required row makes nothing."""
    made = Made()
    made["resourceType"] = kind
    elements = apply(rules, cx, item, kind)
    made.update(elements)
    made.rules.update(elements.rules)
    return made
