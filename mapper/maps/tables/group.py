"""Observation of what has members: whether it says anything at all (PS3.16 TID 1410, TID 1411, TID 1501, TID 4003)."""

from typing import Any

from mapper.fhir import systems
from mapper.maps import engine
from mapper.maps.content import ContentRule, Within
from mapper.maps.rule import Made
from mapper.maps.tables.component import codes
from mapper.maps.values import concepts as c
from mapper.maps.values.context import Context


def nothing_measured(cx: Context) -> dict[str, Any]:
    """A group that says what it is of or where, and nothing more -> why there is no value: unknown."""
    return {"coding": [{"system": systems.DATA_ABSENT_REASON, "code": "unknown"}]}


EMPTY = ContentRule("Observation.dataAbsentReason", "", nothing_measured)


def said(cx: Context, within: Within, made: Made) -> Made | None:
    """Return the Observation of a group, None where it says nothing; of one that says only what it is of, why no more."""
    if any(element in made for element in ("valueCodeableConcept", "component", "hasMember")):
        return made
    nameless = [codes({"coding": [one.coding]}) for one in (c.MEASUREMENT_GROUP, c.CAD_IMPRESSION)]
    if codes(made["code"]) in nameless and "bodySite" not in made:
        cx.item = within
        cx.problem(EMPTY, "a group without a finding, a number or an evaluation: left out")
        return None
    made["dataAbsentReason"] = engine.make(EMPTY, cx, within)
    made.rules["dataAbsentReason"] = [EMPTY.seen(within)]
    return made
