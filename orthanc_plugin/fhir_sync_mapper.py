# SPDX-License-Identifier: GPL-3.0-or-later
"""The mapper behind FhirSync.MapperUrl: what it is asked, what its answers mean, and how many may ask at once."""

import http.client
import json
import re
import ssl
import time
from typing import Any
from urllib.parse import SplitResult, urlsplit

from fhir_sync_http import Request, exchange  # type: ignore[import-not-found]
from fhir_sync_json import ANSWER, NotJson, parsed  # type: ignore[import-not-found]
from fhir_sync_log import LOG  # type: ignore[import-not-found]
from fhir_sync_places import Places  # type: ignore[import-not-found]

TIMEOUT = 5.0  # seconds for an answer of the mapper, on top of the wait that was asked for
WAITING, ASKING = 4, 4  # HTTP threads of Orthanc (it has 50) that wait for outcomes, and for mere answers, at once
SYNCS = 20  # of a study's history, on its page
PATIENCE = 0.5  # seconds that a request waits for one of the ASKING
REST = 1.0  # seconds for which a mapper that did not answer in time is not asked again

ASKABLE = re.compile(r"(?=[^0-9]*[0-9])[0-9A-Za-z.-]{1,64}", re.ASCII)
"""Which UIDs may become part of a URL; the mapper's own rule (mapper/dicom/uid.py)."""

UNSEEN = "application/vnd.orthanc-fhir.unseen+json"
"""What the mapper's own 404 is, and no gateway's or other server's (mapper/web/refusals.py)."""

UNREACHABLE = "unreachable"
"""The one state that is said here alone, never by the mapper: all others are its own (mapper/ledger/state.py)."""

Json = dict[str, Any]


class SettingError(Exception):
    """A setting is wrong; the message names it and says what is allowed, never its value."""


class Silence(Exception):
    """The mapper gave no usable answer; the message says why and what to do."""


class Away(Silence):
    """Nobody answered at all, or not in time: asking for another study would bring nothing either."""


class Refused(Silence):
    """The mapper does not take the token."""


class Unseen(Silence):
    """The mapper does not know the study yet."""


class Mapper:
    """The sidecar, asked by its token."""

    def __init__(self, url: str, token: str, public_url: str = "") -> None:
        self.url = base("MapperUrl", url)
        self.public = base("MapperPublicUrl", public_url).geturl().rstrip("/") if public_url else None
        if not re.fullmatch(r"[!-~]+", token):
            raise SettingError("FhirSync.Token may hold visible ASCII characters only")
        self.path = self.url.path.rstrip("/")
        # by the second one the mapper knows that anybody who may use Orthanc asks: they may operate, and see no values
        self.headers = {"Authorization": f"Bearer {token}", "X-Orthanc-Fhir-Plugin": "1", "Connection": "close"}
        self.tls = ssl.create_default_context() if self.url.scheme == "https" else None
        self.waiting, self.asking = Places(WAITING), Places(ASKING)
        self.rested = 0.0
        self.follower: Any = None  # who shows labels, where they are wanted

    def wake(self, sweep: bool, timeout: float) -> None:
        """Ring once; raise Silence when the mapper did not take it."""
        self.ask("/wake", {"sweep": sweep}, timeout)

    def study(self, name: str, wait: float | None = None) -> Json:
        """Give the state of a study; with `wait`, ask for a re-sync first. A silent mapper is a state as well.

        `name` is the study's UID, or Orthanc's id of it: what is ASKABLE. Where too many wait already, nobody waits
        for the outcome; where too many ask already, nothing is asked.
        """
        if wait:
            with self.waiting.one() as place:
                if place:
                    return self.told(name, wait)
            wait = 0.0
        with self.asking.one(PATIENCE) as place:
            return self.told(name, wait) if place else self.unasked(name)

    def details(self, name: str) -> Json:
        """Give the state of a study and its last syncs, the newest first; none where the mapper tells of none."""
        with self.asking.one(PATIENCE) as place:
            return self.told(name, syncs=SYNCS) if place else self.unasked(name)

    def told(self, name: str, wait: float | None = None, syncs: int = 0) -> Json:
        """Give what the mapper tells of a study to who has a place."""
        try:
            return self.heard(name, wait, syncs)
        except Away as away:
            return self.silent(name, away)

    def heard(self, name: str, wait: float | None = None, syncs: int = 0) -> Json:
        """Give what the mapper tells of a study, or why it cannot; raise Away when nobody answers."""
        try:
            if time.monotonic() < self.rested:
                raise Away("the mapper did not answer in time a moment ago: try again, and check that it runs")
            if wait is None:
                query = f"?history={syncs}" if syncs else ""
                answer = parsed(self.ask(f"/api/studies/{name}{query}", None, TIMEOUT), ANSWER)
            else:
                answer = parsed(self.ask(f"/api/studies/{name}/sync", {"wait": wait}, TIMEOUT + wait), ANSWER)
            if not isinstance(answer, dict) or not isinstance(answer.get("state"), str):
                raise NotJson
        except Away:
            raise
        except Unseen as unseen:
            answer = {"state": "pending", "message": str(unseen)}
        except Silence as silence:
            if isinstance(silence, Refused):
                LOG.warn("token", str(silence))
            answer = {"state": UNREACHABLE, "message": str(silence)}
        except NotJson:
            answer = {"state": UNREACHABLE, "message": "what answers at FhirSync.MapperUrl is not the mapper"}
        return self.state(name, answer)

    def unasked(self, name: str) -> Json:
        """Give the state of a study for which the mapper was not asked."""
        why = "not asked for: the mapper is silent or slow, or too many ask at once; try again later"
        return self.state(name, {"state": UNREACHABLE, "message": why})

    def silent(self, name: str, why: Silence) -> Json:
        """Give the state of a study of which the mapper tells nothing."""
        return self.state(name, {"state": UNREACHABLE, "message": str(why)})

    def state(self, name: str, answer: Json) -> Json:
        """Give the state of a study in the one shape that readers may count on, whatever the mapper left out."""
        link = answer.get("fhir_url")
        shape = {
            "study_uid": name,
            "state": answer["state"],
            "message": answer.get("message"),
            "failure": answer.get("failure"),
            "remedy": answer.get("remedy"),
            "problems": answer.get("problems") or [],
            "synced_at": answer.get("synced_at"),
            "fhir_url": link if re.match(r"https?://", str(link)) else None,
            "page_url": f"{self.public}/studies/{name}" if self.public else None,
        }
        return {**shape, "history": answer["history"]} if "history" in answer else shape

    def ask(self, path: str, body: Json | None, timeout: float, rests: bool = True) -> bytes:
        """Send one request with the token, a POST when there is a body; raise Silence for all but 2xx.

        `rests`: where it is not answered in time, the mapper is not asked again for a moment.
        """
        request = Request(self.path + path, self.headers)
        if body is not None:
            headers = {**self.headers, "Content-Type": "application/json"}
            request = Request(self.path + path, headers, json.dumps(body).encode())
        try:
            answer = exchange(self.url, request, timeout, ANSWER + 1, self.tls)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if rests and isinstance(error, TimeoutError):
                self.rested = time.monotonic() + REST
            name = type(error).__name__
            why = f"the mapper does not answer ({name}): check that it runs and that FhirSync.MapperUrl is right"
            raise Away(why) from error
        if 200 <= answer.status < 300:
            return bytes(answer.body)
        if answer.status in (401, 403):
            raise Refused("the mapper refuses the token: FhirSync.Token must be its ORTHANC_FHIR_TOKEN")
        if answer.status == 404 and answer.content_type == UNSEEN:
            raise Unseen("the mapper has not seen this study yet, it reads it once it is stable")
        if answer.status == 404:
            raise Silence("what answers at FhirSync.MapperUrl is not the mapper: it answers HTTP 404")
        raise Silence(f"the mapper answers HTTP {answer.status}: see its log")


def base(setting: str, url: str) -> SplitResult:
    """Give the parts of a URL to which paths are added; raise SettingError for what is none."""
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right or not re.fullmatch(r"[!-~]+", url) or re.search(r"[@?#\\]", url):
        raise SettingError(f"FhirSync.{setting} must look like http://mapper:8000, without user or password")
    return parts
