"""What the sink may hold although this ledger never wrote it: most likely what it held of the last study.

At a start it is asked. Of a new archive nothing is there, so the next studies are sent without asking, over "none yet";
after a lost ledger all is there, and it is asked of every study. Either is only a guess: a sink that holds something
refuses what was sent over nothing, and is asked then.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mapper.fhir.resource import Key
from mapper.ledger.known import Known


@dataclass(slots=True)
class Hunch:
    """Remembers whether anything was there when the sink was asked last; as many threads as wanted may do so."""

    nothing: bool = False

    def learn(self, answers: list[str]) -> None:
        """Take what the sink answered of one study for what it will answer of the next; nothing from no answer."""
        if answers:
            self.nothing = not any(answers)


@dataclass(slots=True)
class Held:
    """Tells which version of a resource the sink holds, empty where there is none, for one study."""

    known: Known
    """What the ledger knows: nothing is guessed of what somebody wrote."""
    ask: Callable[[Key], str]
    guessing: bool
    guessed: bool = False
    """Whether anything was guessed."""
    answers: list[str] = field(default_factory=list)
    """What the sink answered of that which nobody wrote."""

    def __call__(self, key: Key) -> str:
        """Return the version, or guess that there is none; raises as Sink.version."""
        if self.known.speakers.get(key):
            return self.ask(key)
        if self.guessing:
            self.guessed = True
            return ""
        self.answers.append(self.ask(key))
        return self.answers[-1]
