"""ImagingStudy.series.performer <- who and what made a series (PS3.3 C.7.3.1, C.7.5.1).

People known by name only are shown, never made into a Practitioner: there are two Dr. Smiths.
"""

from typing import Any

from mapper.fhir import systems
from mapper.fhir.context import Context
from mapper.fhir.human_name import display_name
from mapper.maps.device import device_reference

Performer = dict[str, Any]


def performer(function: str, actor: dict[str, Any]) -> Performer:
    """Return a performer; `function` is a code of HL7 v3 ParticipationType."""
    return {"function": {"coding": [{"system": systems.PARTICIPATION, "code": function}]}, "actor": actor}


def people(cx: Context, function: str, names: Any) -> list[Performer]:
    """Return those performers who have a name."""
    shown = [display_name(cx, name) for name in names]
    return [performer(function, {"display": name}) for name in shown if name]


def performing_physicians(cx: Context, names: Any) -> list[Performer]:
    """PerformingPhysicianName -> performers (PRF)."""
    return people(cx, "PRF", names)


def operators(cx: Context, names: Any) -> list[Performer]:
    """OperatorsName -> secondary performers (SPRF)."""
    return people(cx, "SPRF", names)


def equipment(cx: Context, *known: Any) -> list[Performer]:
    """Equipment attributes -> the device (DEV)."""
    actor = device_reference(cx, *known)
    return [performer("DEV", actor)] if actor else []
