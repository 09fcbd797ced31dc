# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that keeps labels in line: it asks the mapper every few seconds which studies changed.

It goes through all studies once at its start, and once a day, slowly; from then on only through what changed.
"""

import threading
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fhir_sync_json import ANSWER, NotJson, parsed  # type: ignore[import-not-found]
from fhir_sync_labels import Labels, obstacle, studies_of  # type: ignore[import-not-found]
from fhir_sync_log import LOG  # type: ignore[import-not-found]
from fhir_sync_mapper import Mapper, Silence  # type: ignore[import-not-found]

EVERY = 2.0  # seconds between two questions
BACKOFF = (4.0, 120.0)  # seconds before a mapper that is away is asked again: at first, at most
TIMEOUT = 3.0  # seconds for an answer; Orthanc's stop waits for one under way
LIMIT, PAGES = 100, 5  # studies of one answer; answers of one turn
OVERLAP, LONG_AGO = 2, 60  # seconds that are looked at again: always, and after somebody pressed a button
MOST = 10_000  # studies of these seconds that are remembered
DAY = 86_400.0
TIME = "%Y-%m-%dT%H:%M:%SZ"

Json = dict[str, Any]


class Follower:
    """Asks for what changed, newest first, and shows it."""

    def __init__(self, mapper: Mapper, editor: Any) -> None:
        self.mapper, self.editor, self.labels = mapper, editor, Labels()
        self.stopping = threading.Event()
        self.thread: threading.Thread | None = None
        self.pressed = threading.Event()
        self.newest: str | None = None  # when what changed last did so
        self.recent: dict[tuple[str, str], tuple[str, str]] = {}
        self.since, self.after = "", ""  # the questions of a pass that goes on
        self.all: str | None = ""  # the place in all studies, None when they are through
        self.again = 0.0

    def start(self) -> None:
        """Start the thread, once."""
        if self.thread is None or not self.thread.is_alive():
            self.stopping.clear()
            self.thread = threading.Thread(target=self.run, name="fhir-sync", daemon=True)
            self.thread.start()

    def stop(self) -> None:
        """End the thread; wait for a question under way."""
        self.stopping.set()
        if self.thread is not None:
            self.thread.join(TIMEOUT + 1)

    def press(self, study: str, state: str) -> None:
        """Show at once what the mapper answered to a button; the thread looks at it again, as both may cross."""
        self.labels.show(study, state)
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
        """Ask for what changed, and for some of all studies where these are not through."""
        if self.newest is not None:
            for _ in range(PAGES):
                if not self.go_on() or self.stopping.is_set():
                    break
        if self.all is None and time.monotonic() > self.again:
            self.all = ""
        if self.all is not None:
            studies, after = self.page({"after": self.all})
            self.show(studies, anew=True)
            if self.newest is None and studies:
                self.newest = max(one["changed_at"] for one in studies)
            if self.newest is not None:
                self.all, self.again = after, time.monotonic() + DAY

    def go_on(self) -> bool:
        """Take the next page of what changed; tell whether there is another one with something new."""
        if not self.after:
            reach = OVERLAP
            if self.pressed.is_set():
                self.pressed.clear()
                self.recent, reach = {}, LONG_AGO
                self.labels.shown.clear()
            self.since = earlier(str(self.newest), reach)
        studies, after = self.page({"since": self.since, "after": self.after})
        if not self.after and studies:
            self.newest = max(str(self.newest), *(one["changed_at"] for one in studies))
        new = [one for one in studies if self.recent.get(key(one)) != (one["changed_at"], one["state"])]
        self.show(new)
        self.after = after if after and new else ""
        self.recent.update({key(one): (one["changed_at"], one["state"]) for one in new})
        if not self.after:
            begin = earlier(str(self.newest), OVERLAP)
            self.recent = {one: what for one, what in self.recent.items() if what[0] >= begin}
        if len(self.recent) > MOST:
            self.recent = {}
        return bool(self.after)

    def page(self, query: dict[str, str]) -> tuple[list[Json], str | None]:
        """Ask for a page of studies; give it, and where the next one begins. Raise Silence or NotJson."""
        asked = urlencode({"limit": str(LIMIT), **{name: value for name, value in query.items() if value}})
        answer = parsed(self.mapper.ask(f"/api/studies?{asked}", None, TIMEOUT), ANSWER)
        try:
            found = [one for one in answer["studies"] if datetime.strptime(one["changed_at"], TIME) and one["state"]]
            return found, answer["next"] or None
        except (KeyError, TypeError, ValueError) as error:
            raise NotJson from error

    def show(self, studies: list[Json], anew: bool = False) -> None:
        """Show the states of studies, the oldest first."""
        for one in reversed(studies):
            for study in studies_of(str(one["study_uid"])):
                if self.stopping.is_set():
                    return
                self.labels.show(study, str(one["state"]), anew)


def key(study: Json) -> tuple[str, str]:
    """Give what names a study of a source."""
    return str(study["study_uid"]), str(study.get("source"))


def earlier(moment: str, seconds: int) -> str:
    """Give the time so many seconds before another one."""
    return (datetime.strptime(moment, TIME) - timedelta(seconds=seconds)).strftime(TIME)
