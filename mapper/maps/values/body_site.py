"""Body part: AnatomicRegionSequence, else BodyPartExamined -> Coding of SNOMED CT (PS3.16 annex L)."""

import csv
from functools import cache
from importlib.resources import files
from typing import Any

from mapper.fhir import systems
from mapper.maps.values.coding import coding_of
from mapper.maps.values.context import Context
from mapper.maps.values.frame_anatomy import of_frames
from mapper.maps.values.text import as_code, as_items, as_text, each

Coding = dict[str, str]


@cache
def named_parts() -> dict[str, Coding]:
    """Return the same by the words that people use: the defined term and its meaning."""
    found = {as_code(coding["display"]) or "": coding for coding in body_parts().values()}
    return {**found, **body_parts()}


@cache
def body_parts() -> dict[str, Coding]:
    """Return PS3.16 table L-1, the Coding of every defined term of BodyPartExamined that has one."""
    table = files("mapper.maps.values").joinpath("body_parts.csv").read_text(encoding="utf-8")
    return {
        row["BodyPartExamined"]: {"system": systems.SCT, "code": row["code"], "display": row["display"]}
        for row in csv.DictReader(table.splitlines())
    }


def part_of(words: str) -> Coding | None:
    """Return the Coding of the words that people use for a body part, None where table L-1 has none."""
    return named_parts().get(as_code(words) or "")


def body_site(
    cx: Context, regions: Any = None, part: Any = None, shared: Any = None, frames: Any = None
) -> Coding | None:
    """AnatomicRegionSequence, BodyPartExamined, FrameAnatomySequence -> the one Coding that FHIR allows here.

    The first code wins; one of SNOMED RT without a partner, then a text without a code come last. What was handed over
    with the series comes behind its header.
    """
    items = [*as_items(regions), *of_frames(cx, shared, frames, "AnatomicRegionSequence")]
    candidates: list[Coding] = each(cx, items, lambda item: coding_of(cx, item))
    named = as_text(part)
    if named:
        term = body_parts().get(as_code(named) or "")
        candidates.append(term or {"display": named})
    for place in cx.series.places if cx.series else ():
        candidates.append(part_of(place) or {"display": place})
    candidates.sort(key=doubtful)  # stable: in the order of the sources otherwise
    if not candidates:
        return None
    if len(items) > 1:
        cx.note("several anatomic regions where FHIR allows one: the first code is kept")
    return candidates[0]


def doubtful(coding: Coding) -> int:
    """Return how little a Coding helps who searches: a code, a code of SNOMED RT, a text."""
    if "code" not in coding:
        return 2
    return 1 if coding["system"] == systems.SRT else 0
