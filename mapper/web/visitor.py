"""Who asks, and what a route wants of whoever asks: three roles, each of which may do what the one before it may.

What is asked here runs on the event loop: in a thread it would wait for those that hang.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from fastapi import Depends, HTTPException, Request

from mapper.web.paths import LOGIN, LOGOUT, PROBES, path_of

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
OF_ANYBODY = PROBES | {LOGIN, LOGOUT}
"""Paths that change nothing but who one is, or tell nothing."""


class Role(IntEnum):
    """What somebody may do: look at states, have studies synced again, look at values of DICOM attributes."""

    READ = 1
    OPERATE = 2
    VALUES = 3

    @classmethod
    def named(cls, word: str) -> "Role":
        """Return the role of a word as settings and files have it; raises ValueError for every other text."""
        if word not in WORDS:
            raise ValueError(f"a role is one of {', '.join(WORDS)}")
        return WORDS[word]

    @property
    def word(self) -> str:
        """The role as settings and files have it."""
        return self.name.lower()


WORDS = {role.name.lower(): role for role in Role}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who was let in: a name for the audit log, and a role."""

    name: str
    role: Role


def visitor_of(request: Request) -> Visitor:
    """Return who asks; raises HTTPException 403 where the guard let nobody in: no route trusts whoever asks."""
    visitor = getattr(request.state, "visitor", None)
    if not isinstance(visitor, Visitor):
        raise HTTPException(403, "nobody asked")
    return visitor


def needs(role: Role) -> Any:
    """Return the dependency of a route that wants at least this role; its value is the Visitor.

    Raises HTTPException 403 for a lower one.
    """

    async def enough(request: Request) -> Visitor:
        visitor = visitor_of(request)
        refuse_below(role, visitor, request)
        return visitor

    return Depends(enough)


async def at_least(request: Request) -> None:
    """Hold what is true of every route, whatever it wants itself: who writes may operate."""
    if path_of(request.scope) not in OF_ANYBODY:
        visitor = visitor_of(request)
        if request.method in WRITING:
            refuse_below(Role.OPERATE, visitor, request)


def refuse_below(role: Role, visitor: Visitor, request: Request) -> None:
    """Raise HTTPException 403 for a visitor who may do less than this role."""
    if visitor.role < role:
        if note := getattr(request.state, "note", None):
            note("role", visitor=visitor.name)
        raise HTTPException(403, f"this needs the role {role.word}; yours is {visitor.role.word}")
