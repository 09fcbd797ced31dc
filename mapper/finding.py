"""What somebody found who looked at a part of the system: for `doctor`, and for whoever starts."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "limit", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, and what to do about it if something has to be done.

    `limit`: it works, but not all of it. `problem`: it does not work.
    """

    level: Level
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.remedy}" if self.remedy else self.text


def ok(text: str) -> Finding:
    """Return what is as it should be."""
    return Finding("ok", text)


def limit(text: str, remedy: str = "") -> Finding:
    """Return what works in part."""
    return Finding("limit", text, remedy)


def problem(text: str, remedy: str) -> Finding:
    """Return what does not work; somebody has to do something."""
    return Finding("problem", text, remedy)
