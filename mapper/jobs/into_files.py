"""A backfill into a folder of NDJSON: what the folder has in the state of the archive is not read again."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from mapper.bug import unexpected
from mapper.errors import MapperError, StudyGone
from mapper.jobs.executors import Crew
from mapper.jobs.hours import Hours
from mapper.jobs.into_folder import IntoFolder
from mapper.jobs.patience import Patience
from mapper.jobs.reading import Read, Recipe, read
from mapper.sources.fingerprint import YOUNG, grown
from mapper.sources.source import Sighting, Source
from mapper.sync.brake import brake_on

AHEAD = 3
"""Studies in work for each that the crew works at: the next is there when one is done, and memory has a bound."""
FLUSH = 30.0
"""Seconds after which a chunk is finished at the latest: so much is done again after a kill."""
TRIES = 3
AT_ONCE = 500
"""Studies that went and are looked up at one time."""


@dataclass
class Tally:
    """What became of the studies of a source: numbers, and those that were left out with why."""

    listed: int = 0
    done: int = 0
    already: int = 0
    gone: int = 0
    moving: int = 0
    """Still received by the archive: left alone for now."""
    failed: dict[str, str] = field(default_factory=dict)
    brake: str = ""
    """Why nothing counts as gone, if so much vanished at once."""


@dataclass
class IntoFiles:
    """Brings a folder in line with one source."""

    source: Source
    recipe: Recipe
    crew: Crew
    into: IntoFolder
    version: str
    """What FHIR is made with: what another one made is made anew."""
    hours: Hours | None = None
    patience: Patience = field(default_factory=Patience)
    progress: Callable[[Tally], object] = lambda tally: None
    clock: Callable[[], float] = time.monotonic
    tally: Tally = field(default_factory=Tally)
    _flushed: float = field(default=0.0, init=False)

    def run(self) -> Tally:
        """Do what is not done; raises SourceDown and SinkDown when patience is over: say it again to go on."""
        self._flushed = self.clock()
        before = self.source.count()
        self.into.sink.list_anew()
        waiting: deque[tuple[str, int, Future[Read]]] = deque()
        for one, again in self.patience.listing(self.source.listing):
            if not self.into.sink.add_listed(one.study_uid) and again:
                continue
            self.tally.listed += 1
            if not one.stable:
                self.tally.moving += 1
            elif self.into.sink.state(one.study_uid) == self._state(one):
                self.tally.already += 1
            else:
                while len(waiting) >= AHEAD * self.crew.size:
                    self._take(waiting)
                waiting.append(self._ask(one.study_uid))
            self.progress(self.tally)
        while waiting:
            self._take(waiting)
        self._retract(before)
        self.into.sink.flush()
        self.progress(self.tally)
        return self.tally

    def _state(self, sighting: Sighting) -> str:
        return f"{self.version} {grown(sighting.fingerprint)}"

    def _ask(self, study_uid: str, tries: int = 1) -> tuple[str, int, "Future[Read]"]:
        while self.hours and (pause := self.hours.wait()):
            self.into.sink.flush()
            self.patience.sleep(min(pause, FLUSH))
        return study_uid, tries, self.crew.submit(read, self.recipe, study_uid, [], self._since(study_uid, tries))

    def _since(self, study_uid: str, tries: int) -> str | None:
        """Return the state after which nothing that was kept of a study is read; see read_since."""
        state = self.into.sink.state(study_uid)
        if tries > 1 or state == YOUNG:
            return ""
        return state.rpartition(" ")[2] or None

    def _take(self, waiting: deque[tuple[str, int, "Future[Read]"]]) -> None:
        """Deliver the study that was asked for first; one that fails for now is asked for again."""
        study_uid, tries, future = waiting.popleft()
        try:
            found = self.crew.result(future)
        except StudyGone:
            self._gone(study_uid)
        except MapperError as error:
            self.crew.check()
            if error.outage:
                self.patience(self.source.probe)  # where it works, the outage was this study's, and counts as a try
            if error.fate == "retry" and tries < TRIES:
                self.patience.pause(tries, error)
                waiting.append(self._ask(study_uid, tries + 1))
            else:
                self.tally.failed[study_uid] = str(error)
        except Exception as bug:  # as the live worker: one study never ends the others, and no value is told
            self.tally.failed[study_uid] = unexpected(bug)
        else:
            state = YOUNG if found.sighting.young else self._state(found.sighting)
            self.patience(partial(self.into.write, study_uid, found.mapped, state))
            self.tally.done += 1
        if self.clock() >= self._flushed + FLUSH:
            self.into.sink.flush()
            self._flushed = self.clock()
        self.progress(self.tally)

    def _gone(self, study_uid: str) -> None:
        self.patience(partial(self.into.gone, study_uid))
        self.tally.gone += 1

    def _retract(self, before: int) -> None:
        """Say of studies that the archive no longer lists that they are gone, unless that are too many at once.

        Each is asked for: a listing of an archive that moves may skip one.
        """
        listed, known, vanished = self.into.sink.study_counts()
        after = self.patience(self.source.count)
        complete = min(before, after) <= listed <= max(before, after)
        self.tally.brake = brake_on(vanished, known, complete) if vanished else ""
        while vanished and not self.tally.brake and (some := self.into.sink.vanished(AT_ONCE)):
            for uid in some:
                if self.patience(partial(self.source.holds, uid)):
                    self.into.sink.add_listed(uid)
                else:
                    self._gone(uid)
