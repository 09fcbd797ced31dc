"""A progress bar on a terminal, drawn by Rich."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mapper.terminal import shown


class Bar:
    """How far some work is, and lines of text above that."""

    def __init__(self, things: str) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._drawn = Progress(*columns, console=self._console, disable=not self._console.is_terminal, transient=True)
        self._task = self._drawn.add_task(things, total=None)
        self.start, self.stop = self._drawn.start, self._drawn.stop

    def at(self, done: int, total: int, said: str | None = None) -> None:
        """Show how far the work is, and what is said of it."""
        self._drawn.update(self._task, completed=done, total=total, description=None if said is None else shown(said))

    def say(self, line: str) -> None:
        """Print one line above the bar."""
        self._console.print(line)
