"""What the sink may hold although this ledger never wrote it: most likely what it held of the last study.

At a start it is asked. Of a new archive nothing is there, so the next studies are sent without asking, over "none yet";
after a lost ledger all is there, and it is asked of every study. Either is only a guess: a sink that holds something
refuses what was sent over nothing, and is asked then.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mapper.fhir.resource import Key

Held = Callable[[Key], str]
"""Type and id -> the version that the sink holds, empty where there is none."""


@dataclass(slots=True)
class Hunch:
    """Remembers whether anything was there when the sink was asked last; as many threads as wanted may do so."""

    nothing: bool = False

    def learn(self, answers: "Answers") -> None:
        """Take what the sink answered of one study for what it will answer of the next; nothing from no answer."""
        if answers.versions:
            self.nothing = not any(answers.versions)


@dataclass(frozen=True, slots=True)
class Answers:
    """Asks a sink, and remembers what it answered of one study."""

    ask: Held
    versions: list[str] = field(default_factory=list)

    def __call__(self, key: Key) -> str:
        """Return the version that the sink holds; raises as Sink.version."""
        self.versions.append(self.ask(key))
        return self.versions[-1]


def none_yet(key: Key) -> str:
    """Guess that the sink holds nothing."""
    return ""
