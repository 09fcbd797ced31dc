"""Data sets written by keyword, and one mapping row run on them as the engine runs it."""

from typing import Any

from mapper.dicom.item import Item, tag_of, vr_of
from mapper.dicom.study import Instance, Series, Study
from mapper.maps.engine import make
from mapper.maps.rule import Rule
from mapper.maps.site import Site
from mapper.maps.values.context import Context

BASE = "https://pacs.example.org/fhir/id"
BERLIN = "Europe/Berlin"


def site(**choices: Any) -> Site:
    """Return a site with the golden examples' base, and nothing else chosen."""
    return Site(**{"base": BASE, **choices})


def dataset(**attributes: Any) -> dict[str, Any]:
    """Return DICOM JSON: None is an attribute without a value, a dict an item, a list several values."""
    return {tag_of(keyword): element(keyword, value) for keyword, value in attributes.items()}


def element(keyword: str, value: Any) -> dict[str, Any]:
    """Return one attribute of DICOM JSON."""
    vr = vr_of(keyword)
    if value is None:
        return {"vr": vr}
    values = value if isinstance(value, list) else [value]
    if vr == "SQ":
        values = [dataset(**one) for one in values]
    if vr == "PN":
        groups = ("Alphabetic", "Ideographic", "Phonetic")
        values = [{g: part for g, part in zip(groups, one.split("="), strict=False) if part} for one in values]
    return {"vr": vr, "Value": values}


def study_of(*series: Item) -> Study:
    """Return a study of series with one instance each."""
    return Study(
        "1.2.3",
        tuple(
            Series(f"1.2.3.{number}", item, (Instance(f"1.2.3.{number}.1", item),))
            for number, item in enumerate(series, 1)
        ),
    )


def run(by: Any, dicom: str, at: Site | None = None, **attributes: Any) -> tuple[Any, list[str]]:
    """Run one row on one data set; return the FHIR value and the reasons that were recorded."""
    item = Item(dataset(**attributes))
    cx = Context(at or site(), study_of(item))
    made = make(Rule("Test.element", dicom, by), cx, item)
    return made, [problem.reason for problem in cx.problems]
