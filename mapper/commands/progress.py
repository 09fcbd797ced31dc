"""Progress of long work on standard error: a bar on a terminal; elsewhere a line now and then, or silence."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from mapper.commands.stage import Stage
from mapper.terminal import say, shown

if TYPE_CHECKING:
    from mapper.commands.bar import Bar

SAYS_EVERY = 10.0
"""Seconds between two lines about a stage where there is no terminal."""


class Progress:
    """A progress bar over a number of things, and lines of text that do not disturb it."""

    def __init__(self, things: str) -> None:
        self._bar = bar(things) if sys.stderr.isatty() else None
        self._things = things
        self._next_line = time.monotonic() + SAYS_EVERY

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def at(self, done: int, total: int, things: str = "") -> None:
        """Show how far the work is; of things that are named also by a line now and then where there is no terminal."""
        self._things = things or self._things
        if self._bar:
            self._bar.at(done, total, self._things)
        elif things and done < total and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SAYS_EVERY
            self.say(f"{done:,} of {total:,} {self._things}")

    def stage(self, stage: Stage) -> None:
        """Show how far a sync is, and why what failed did so."""
        if self._bar:
            self._bar.at(stage.done, stage.asked, stage.causes)
        elif stage.open and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SAYS_EVERY
            self.say(str(stage))

    def say(self, line: str) -> None:
        """Print one line above the bar."""
        if self._bar:
            self._bar.say(shown(line))
        else:
            say(line, err=True)


def bar(things: str) -> "Bar":
    """Return a bar; Rich draws it, and is imported where there is one to draw: it takes longer than a study."""
    from mapper.commands.bar import Bar

    return Bar(things)
