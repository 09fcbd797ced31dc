# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that keeps labels in line: it asks the mapper every few seconds which studies changed.

It goes through all studies once at its start, and once a day, slowly; from then on only through what changed.
"""

import threading
import time
from datetime import datetime, timedelta
from typing import Any

from fhir_sync_json import NotJson  # type: ignore[import-not-found]
from fhir_sync_labels import Labels, obstacle, studies_of  # type: ignore[import-not-found]
from fhir_sync_listing import REMOVED, TIME, TIMEOUT, Json, Listing  # type: ignore[import-not-found]
from fhir_sync_log import LOG  # type: ignore[import-not-found]
from fhir_sync_mapper import Away, Mapper, Refused, Silence  # type: ignore[import-not-found]
from fhir_sync_thread import Thread  # type: ignore[import-not-found]

EVERY = 2.0  # seconds between two questions
BACKOFF = (4.0, 120.0)  # seconds before a mapper that is away is asked again: at first, at most
PAGES = 5  # answers of one turn
OVERLAP = 2  # seconds that are looked at again each time
LATE = 90  # seconds by which a change may be seen late: 30 s for a busy ledger, and what replicas' clocks differ by
LOOK_BACK = 10.0  # seconds between two looks for changes that are seen late
MOST = 10_000  # studies of these seconds that are remembered
DAY = 86_400.0


class Follower(Thread):  # type: ignore[misc]
    """Asks for what changed, newest first, and shows it.

    The mapper tells of a study once for each source. Of those that have it the one where it changed last counts, and
    that is the first one of a pass.
    """

    def __init__(self, mapper: Mapper, editor: Any) -> None:
        super().__init__(TIMEOUT)
        self.mapper, self.editor, self.labels, self.listing = mapper, editor, Labels(), Listing(mapper)
        self.pressed = threading.Event()
        self.newest: str | None = None  # when what changed last did so
        self.recent: dict[tuple[str, str], tuple[str, str]] = {}
        self.since, self.after = "", ""  # the questions of a pass that goes on
        self.passed: set[str] = set()  # the studies that it has shown
        self.looked, self.looks, self.late = 0.0, 0.0, 0.0  # back: last, in this pass, worth while until then
        self.all: str | None = ""  # the place in all studies, None when they are through
        self.all_passed: set[int] = set()  # the hashes of their names, where there are several sources
        self.sources: set[str] = set()
        self.again = 0.0

    def press(self, study: str, state: str) -> None:
        """Show at once what the mapper answered to a button; the thread looks at it again, as both may cross.

        The button has done its work by then, so whatever goes wrong here is said in the log alone.
        """
        try:
            if not self.stopping.is_set():
                self.labels.show(study, state)
        except Exception as error:
            LOG.warn("label", f"a label could not be written ({type(error).__name__}): it is tried again")
        self.pressed.set()

    def run(self) -> None:
        """Follow until stopped; nothing where this Orthanc must not get labels."""
        try:
            why = obstacle(self.editor)
        except Exception as error:  # whatever it is: the rest of the plugin works on
            why = f"Orthanc does not tell what it is ({type(error).__name__})"
        if why is not None:
            LOG.warn("labels", f"no labels are written, though FhirSync.Labels is true: {why}")
            return
        self.mapper.follower = self
        delay = 0.0
        while not self.stopping.wait(delay or EVERY):
            try:
                self.turn()
            except (Silence, NotJson) as silence:
                delay = min(delay * 2 or BACKOFF[0], BACKOFF[1])
                LOG.warn("labels", f"labels wait for the mapper: {silence or 'its answer is no answer of a mapper'}")
            except Exception as error:  # the same
                delay = BACKOFF[1]
                LOG.warn("labels", f"labels wait, as something went wrong ({type(error).__name__})")
            else:
                delay = 0.0

    def turn(self) -> None:
        """Ask for what changed, and for some of all studies where these are not through; raise Silence or NotJson.

        A place that a mapper does not take (it was updated) is dropped: the pass begins anew.
        """
        try:
            if self.newest is not None:
                for _ in range(PAGES):
                    if not self.go_on() or self.stopping.is_set():
                        break
            self.go_through()
        except (Away, Refused):
            raise  # neither says anything of the question
        except (Silence, NotJson):
            self.after, self.all = "", None if self.all is None else ""
            raise

    def go_through(self) -> None:
        """Take the next page of all studies, where these are not through or a day is over."""
        if self.all is None and time.monotonic() > self.again:
            self.all = ""
        if self.all is None:
            return
        if not self.all:
            self.all_passed = set()
        studies, after = self.listing.page({"after": self.all})
        known = len(self.sources)
        self.sources.update(str(one.get("source")) for one in studies)
        if self.all and known == 1 < len(self.sources):
            self.all = ""  # what was shown of one source was not remembered
            return
        for one in studies:
            name = hash(str(one["study_uid"]))
            if name not in self.all_passed:
                self.show(one, anew=True)
            if len(self.sources) > 1:
                self.all_passed.add(name)
        if self.newest is None and studies:
            self.newest, self.looked = max(one["changed_at"] for one in studies), time.monotonic()
            self.late = self.looked + LATE
        if self.newest is not None:
            self.all, self.again = after, time.monotonic() + DAY

    def go_on(self) -> bool:
        """Take the next page of what changed; tell whether there is another one."""
        if not self.after:
            self.begin()
        studies, after = self.listing.page({"since": self.since, "after": self.after})
        if not self.after and studies and (newest := max(one["changed_at"] for one in studies)) > str(self.newest):
            self.newest, self.late = newest, time.monotonic() + LATE
        for one in studies:
            what = str(one["changed_at"]), str(one["state"])
            if self.recent.get(key(one)) != what:
                if one["study_uid"] not in self.passed:
                    self.show(one)
                self.recent[key(one)] = what
            self.passed.add(str(one["study_uid"]))
        self.after = after or ""
        if not self.after:
            self.looked = self.looks
            begin = earlier(str(self.newest), LATE + int(2 * LOOK_BACK))
            self.recent = {one: what for one, what in self.recent.items() if what[0] >= begin}
        if len(self.recent) > MOST:
            self.recent = {}
        return bool(self.after)

    def begin(self) -> None:
        """Begin a pass of what changed: from the newest on, or further back for what may be seen late."""
        now, reach = time.monotonic(), OVERLAP
        self.looks, self.passed = self.looked, set()
        if now - self.looked >= LOOK_BACK:
            if self.looked < self.late:
                reach = LATE + int(now - self.looked) + 1
            self.looks = now
        if self.pressed.is_set():
            self.pressed.clear()
            self.labels.forget()
            self.recent, reach = {}, max(reach, LATE)
        self.since = earlier(str(self.newest), reach)

    def show(self, one: Json, anew: bool = False) -> None:
        """Show the state of a study; one that a source removed may be there by another one."""
        state = str(one["state"])
        studies = studies_of(str(one["study_uid"]))
        if studies and state == REMOVED:
            state = self.listing.standing(str(one["study_uid"]))
        for study in studies:
            if self.stopping.is_set():
                return
            self.labels.show(study, state, anew)


def key(study: Json) -> tuple[str, str]:
    """Give what names a study of a source."""
    return str(study["study_uid"]), str(study.get("source"))


def earlier(moment: str, seconds: int) -> str:
    """Give the time so many seconds before another one."""
    return (datetime.strptime(moment, TIME) - timedelta(seconds=seconds)).strftime(TIME)
