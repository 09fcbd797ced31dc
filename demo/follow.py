"""Follow studies from Orthanc into FHIR, and measure how long each took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo.server import Server, Unanswered
from samples.studies import DemoStudy

POLL_SECONDS = 0.1
MAPPER_EVERY_SECONDS = 3.0
PATIENCE_SECONDS = 300.0


@dataclass
class Followed:
    """Say how far one study has come; times are seconds of the follower's clock."""

    study: DemoStudy
    sent: int = 0
    uploaded: float | None = None
    stable: float | None = None
    found: float | None = None
    fhir_id: str = ""
    state: str = ""
    message: str = ""

    @property
    def seconds(self) -> float | None:
        """Return the seconds from "stable" to "in FHIR"; None for a study that was there before."""
        if self.found is None or self.stable is None or not self.sent:
            return None
        return self.found - self.stable

    @property
    def stage(self) -> str:
        """Return one word or two about where the study is."""
        if self.found is not None:
            return "in FHIR"
        if self.state:
            return self.state
        if self.uploaded is None:
            return "uploading"
        return "stable" if self.stable is not None or not self.sent else "not stable yet"


class Follower:
    """Look at Orthanc, the FHIR server and the mapper, again and again, and keep what was seen."""

    def __init__(
        self,
        studies: Sequence[DemoStudy],
        orthanc: Server,
        fhir: Server,
        mapper: Server,
        *,
        stable_age: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.followed = {study.study_uid: Followed(study) for study in studies}
        self.orthanc, self.fhir, self.mapper = orthanc, fhir, mapper
        fhir.session.headers["Cache-Control"] = "no-cache"
        self.stable_age, self.clock = stable_age, clock
        self.trouble: dict[str, str] = {}
        self._next_mapper_look = 0.0
        last = orthanc.get("/changes", {"last": ""})
        self._sequence = int(last["Last"])
        self._looked = clock()

    @property
    def waiting(self) -> list[Followed]:
        """Return the studies that are not in FHIR yet."""
        return [study for study in self.followed.values() if study.found is None]

    @property
    def hopeless(self) -> bool:
        """Say that nothing will change without a person: all that is missing is parked."""
        return bool(self.waiting) and all(study.state == "parked" for study in self.waiting)

    def uploaded(self, study: DemoStudy, sent: int) -> None:
        """Note that the upload of a study ended."""
        followed = self.followed[study.study_uid]
        followed.sent, followed.uploaded = sent, self.clock()

    def look(self) -> None:
        """Look once; a server that does not answer is remembered as trouble, not raised."""
        self._attempt("Orthanc", self._look_at_orthanc)
        self._attempt("FHIR server", self._look_at_fhir)

    def follow(
        self,
        patience: float = PATIENCE_SECONDS,
        show: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> bool:
        """Look until every study is in FHIR; return False when patience ends or nothing can change."""
        end = self.clock() + patience
        while True:
            self.look()
            if self.waiting and self.clock() >= self._next_mapper_look:
                self.ask_mapper()
                self._next_mapper_look = self.clock() + MAPPER_EVERY_SECONDS
            show()
            if not self.waiting:
                return True
            if self.hopeless or self.clock() >= end:
                return False
            sleep(POLL_SECONDS)

    def ask_mapper(self) -> None:
        """Ask the mapper what it knows of the studies that are missing in FHIR."""
        self._attempt("mapper", self._look_at_mapper)

    def _attempt(self, name: str, look: Callable[[], None]) -> None:
        try:
            look()
        except Unanswered as problem:
            self.trouble[name] = str(problem)
        else:
            self.trouble.pop(name, None)

    def _look_at_orthanc(self) -> None:
        done, now = False, self.clock()
        while not done:
            changes = self.orthanc.get("/changes", {"since": self._sequence, "limit": 1000})
            for change in changes["Changes"]:
                if change["ChangeType"] == "StableStudy":
                    self._is_stable(change["ID"])
            self._sequence, done = int(changes["Last"]), changes["Done"]
        self._looked = now

    def _is_stable(self, orthanc_id: str) -> None:
        study = self.orthanc.get(f"/studies/{orthanc_id}")
        followed = self.followed.get(study["MainDicomTags"].get("StudyInstanceUID")) if study else None
        if followed is not None and followed.found is None:
            followed.stable = self._looked  # it was not stable then: the seconds are an upper bound

    def _look_at_fhir(self) -> None:
        for followed in self.waiting:
            if followed.uploaded is None:
                continue
            identifier = f"urn:dicom:uid|urn:oid:{followed.study.study_uid}"
            bundle = self.fhir.get("/ImagingStudy", {"identifier": identifier})
            if bundle is None:
                raise Unanswered(f"{self.fhir.url} knows no ImagingStudy: is this a FHIR server's base?")
            found = [entry["resource"] for entry in bundle.get("entry", [])]
            if len(found) > 1:
                followed.message = f"{len(found)} ImagingStudy resources have this identifier"
            elif found and found[0].get("status") == "available":
                listed = found[0].get("numberOfInstances", 0)
                if listed >= followed.study.in_use:
                    followed.found, followed.fhir_id = self.clock(), found[0]["id"]
                    if followed.stable is None:  # its row is gone, or was never written: a restart forgets it
                        followed.stable = min(followed.found, followed.uploaded + self.stable_age)

    def _look_at_mapper(self) -> None:
        for followed in self.waiting:
            answer = self.mapper.get(f"/api/studies/{followed.study.study_uid}")
            followed.state = answer["state"] if answer else ""
            if answer and answer.get("message"):
                followed.message = answer["message"]
