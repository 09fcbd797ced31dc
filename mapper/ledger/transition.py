"""The table of states in SQL: which rows an event may move, and what it makes of them."""

from typing import Any

from sqlalchemy import case, or_

from mapper.ledger.schema import study
from mapper.ledger.state import Event, State, moves


def within(*states: State) -> Any:
    """Tell in SQL whether a study is in one of these states (`in_` cannot be sent with many rows at once)."""
    return or_(*(study.c.state == state for state in states))


def may(*events: Event) -> Any:
    """Tell in SQL whether one of these events may happen to a study as it stands."""
    return within(*moves(*events))


def to(*events: Event) -> Any:
    """Return in SQL the state that these events lead to."""
    found = moves(*events)
    if len(targets := set(found.values())) == 1:
        return targets.pop()
    return case(*((study.c.state == state, target) for state, target in found.items()), else_=study.c.state)
