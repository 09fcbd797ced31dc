"""Progress of long work on standard error: a bar on a terminal; elsewhere a line now and then, or silence."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from mapper.commands.stage import Stage
from mapper.terminal import shown

SAYS_EVERY = 10.0
"""Seconds between two lines about a stage where there is no terminal."""


class Progress:
    """A progress bar over a number of things, and lines of text that do not disturb it."""

    def __init__(self, things: str) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=self._console, disable=not self._console.is_terminal, transient=True)
        self._task, self._things = self._bar.add_task(things, total=None), things
        self._next_line = time.monotonic() + SAYS_EVERY

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def at(self, done: int, total: int, things: str = "") -> None:
        """Show how far the work is; of things that are named also by a line now and then where there is no terminal."""
        self._things = things or self._things
        self._bar.update(self._task, completed=done, total=total, description=self._things)
        if things and not self._console.is_terminal and done < total and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SAYS_EVERY
            self.say(f"{done:,} of {total:,} {self._things}")

    def stage(self, stage: Stage) -> None:
        """Show how far a sync is, and why what failed did so."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=stage.done, total=stage.asked, description=shown(stage.causes))
        elif stage.open and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SAYS_EVERY
            self.say(str(stage))

    def say(self, line: str) -> None:
        """Print one line above the bar."""
        self._console.print(shown(line))
