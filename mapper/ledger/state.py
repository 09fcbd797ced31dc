"""The states of a study, and what leads from one to another: the ledger's UPDATEs take them from this table."""

from collections.abc import Mapping
from typing import Literal, get_args

State = Literal["pending", "syncing", "synced", "retrying", "parked", "removed"]
STATES: tuple[State, ...] = get_args(State)
FIRST: State = "pending"
"""The state of a study that was never marked before."""
OPEN: tuple[State, ...] = ("pending", "syncing", "retrying")
"""The states in which something is still to be done."""
FAILING: tuple[State, ...] = ("parked", "retrying")
"""Fates of a sync that failed."""

Event = Literal[
    "marked",
    "renewed",
    "claimed",
    "taken over",
    "extended",
    "done",
    "gone",
    "refused",
    "failed",
    "outage",
    "gave up",
    "outdated",
]
EVENTS: Mapping[Event, str] = {
    "marked": "it may have changed, or a person asks for it",
    "renewed": "mapping or settings are others now than when it failed",
    "claimed": "a worker takes it: it is due",
    "taken over": "a worker takes it: the lease of another one is over",
    "extended": "its worker lengthens the lease",
    "done": "FHIR says what the source says",
    "gone": "the source no longer holds it, and FHIR says so",
    "refused": "trying again would not help: a person has to look",
    "failed": "it did not work: it is tried again, later each time",
    "outage": "a side is down: it is tried again, and no attempt is burnt",
    "gave up": "the last attempt failed, or never came to an end",
    "outdated": "it was marked while it was synced: it is synced once more",
}
"""Each event, and what happened."""

TRANSITIONS: Mapping[tuple[State, Event], State] = {
    ("pending", "marked"): "pending",
    ("syncing", "marked"): "syncing",
    ("synced", "marked"): "pending",
    ("retrying", "marked"): "pending",
    ("parked", "marked"): "pending",
    ("removed", "marked"): "pending",
    ("retrying", "renewed"): "pending",
    ("parked", "renewed"): "pending",
    ("pending", "claimed"): "syncing",
    ("retrying", "claimed"): "syncing",
    ("syncing", "taken over"): "syncing",
    ("syncing", "extended"): "syncing",
    ("syncing", "done"): "synced",
    ("syncing", "gone"): "removed",
    ("syncing", "refused"): "parked",
    ("syncing", "failed"): "retrying",
    ("syncing", "outage"): "retrying",
    ("syncing", "gave up"): "parked",
    ("syncing", "outdated"): "pending",
}
"""What an event makes of a study in a state; an event that does not stand here changes nothing."""


def moves(*events: Event) -> dict[State, State]:
    """Return from which states these events lead, and to which; raises ValueError where one leads nowhere."""
    found = {state: to for (state, event), to in TRANSITIONS.items() if event in events}
    for one in events:
        if not any(event == one for _, event in TRANSITIONS):
            raise ValueError(f"{one}: no event of a study")
    return found


def table() -> str:
    """Return the table in Markdown, a line an event."""
    lines = [
        "| event | what happened | " + " | ".join(f"`{state}`" for state in STATES) + " |",
        "| --- | --- |" + " --- |" * len(STATES),
    ]
    for event, what in EVENTS.items():
        to = (TRANSITIONS.get((state, event)) for state in STATES)
        lines.append(f"| {event} | {what} | " + " | ".join(f"`{one}`" if one else "" for one in to) + " |")
    return "\n".join(lines)
