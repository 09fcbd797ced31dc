# SPDX-License-Identifier: GPL-3.0-or-later
"""Orthanc plugin: rings the mapper when a study is stable or anything is deleted, and shows a study's FHIR state.

It reads no image, keeps no state and carries no data. A lost ring costs one poll interval (one sweep interval
for a deletion): the mapper polls and sweeps anyway. Standard library only; Orthanc 1.10.1 and newer.

    "PythonScript": "/path/to/fhir_sync.py",
    "FhirSync": {"MapperUrl": "http://mapper:8000", "Token": "${ORTHANC_FHIR_TOKEN}"}

A site with a Python script of its own imports this file from there: README.md shows how.
"""

import http.client
import json
import re
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import orthanc  # type: ignore[import-not-found]  # made by Orthanc itself

RING_TIMEOUT = 3.0  # seconds; Orthanc's stop waits for a ring under way, so it is short
PAUSE = 0.25  # seconds between two rings: all changes meanwhile become one
BACKOFF = (1.0, 30.0)  # seconds before a failed ring is tried again: at first, at most
TIMEOUT = 5.0  # seconds for an answer of the mapper, on top of the wait that was asked for
LARGEST_ANSWER = 1 << 20  # bytes

EXPLORER = Path(__file__).resolve().with_name("explorer.js")

Json = dict[str, Any]


# The mapper ---------------------------------------------------------------------------------------------------


class SettingError(Exception):
    """A setting is wrong; the message names it and says what is allowed, never its value."""


class Silence(Exception):
    """The mapper gave no usable answer; the message says why and what to do."""


class Unseen(Silence):
    """The mapper does not know the study yet."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: it would carry the token to wherever it points."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Mapper:
    """The sidecar behind MapperUrl."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or "@" in parts.netloc:
            raise SettingError("FhirSync.MapperUrl must look like http://mapper:8000, without user or password")
        if not re.fullmatch(r"[!-~]+", token):
            raise SettingError("FhirSync.Token may hold visible ASCII characters only")
        self.url, self.token = url.rstrip("/"), token
        # The mapper is a neighbour: no proxy of the environment may see the token.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)

    def wake(self, sweep: bool) -> None:
        """Ring once; raise Silence when the mapper did not take it."""
        self.ask("/wake", {"sweep": sweep}, RING_TIMEOUT)

    def study(self, uid: str, wait: float | None = None) -> Json:
        """Give the state of a study; with `wait`, ask for a re-sync first. A silent mapper is a state as well."""
        path = f"/api/studies/{quote(uid, safe='')}"
        try:
            if wait is None:
                answer = json.loads(self.ask(path, None, TIMEOUT))
            else:
                answer = json.loads(self.ask(f"{path}/sync", {"wait": wait}, TIMEOUT + wait))
            if not isinstance(answer, dict) or not isinstance(answer.get("state"), str):
                raise ValueError
        except Unseen as unseen:
            answer = {"state": "pending", "message": str(unseen)}
        except Silence as silence:
            answer = {"state": "unreachable", "message": str(silence)}
        except (ValueError, RecursionError):
            answer = {"state": "unreachable", "message": "what answers at FhirSync.MapperUrl is not the mapper"}
        return self.state(uid, answer)

    @staticmethod
    def state(uid: str, answer: Json) -> Json:
        """Give the state of a study in the one shape that readers may count on, whatever the mapper left out."""
        link = answer.get("fhir_url")
        return {
            "study_uid": uid,
            "state": answer["state"],
            "message": answer.get("message"),
            "problems": answer.get("problems") or [],
            "synced_at": answer.get("synced_at"),
            "fhir_url": link if re.match(r"https?://", str(link)) else None,
        }

    def ask(self, path: str, body: Json | None, timeout: float) -> bytes:
        """Send one request with the token, a POST when there is a body; raise Silence for all but 2xx."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with self.opener.open(request, timeout=timeout) as answer:
                return bytes(answer.read(LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (401, 403):
                why = "the mapper refuses the token: FhirSync.Token must be its ORTHANC_FHIR_TOKEN"
            elif error.code == 404 and error.headers.get_content_type() == "application/json" and path != "/wake":
                raise Unseen("the mapper has not seen this study yet, it reads it once it is stable") from error
            else:
                why = f"the mapper answers HTTP {error.code}: see its log"
            raise Silence(why) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            name = type(getattr(error, "reason", error)).__name__
            why = f"the mapper does not answer ({name}): check that it runs and that FhirSync.MapperUrl is right"
            raise Silence(why) from error


# The doorbell -------------------------------------------------------------------------------------------------


class Doorbell:
    """One thread that turns any number of changes into one ring, and keeps trying while the mapper is silent."""

    def __init__(self, mapper: Mapper) -> None:
        self.mapper = mapper
        self.changed, self.removed, self.stopping = threading.Event(), threading.Event(), threading.Event()
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, once."""
        if self.thread is None or not self.thread.is_alive():
            self.stopping.clear()
            # A thread that is not a daemon would keep Orthanc from stopping.
            self.thread = threading.Thread(target=self.run, name="fhir-sync", daemon=True)
            self.thread.start()

    def stop(self) -> None:
        """End the thread; wait for a ring under way, as Orthanc may tear the interpreter down next."""
        self.stopping.set()
        self.changed.set()
        if self.thread is not None:
            self.thread.join(RING_TIMEOUT + 1)

    def wish(self, sweep: bool) -> None:
        """Ask for a ring, with a sweep or without; return at once."""
        if sweep:
            self.removed.set()
        self.changed.set()

    def run(self) -> None:
        """Ring for what was wished until stopped; a wish whose ring failed is wished again."""
        delay = 0.0
        while self.changed.wait() and not self.stopping.is_set():
            self.changed.clear()
            if sweep := self.removed.is_set():
                self.removed.clear()
            try:
                self.mapper.wake(sweep)
            except Silence as silence:
                self.wish(sweep)
                if not delay:
                    warn(f"{silence}. Nothing is lost: the ring is tried again until it is answered")
                delay = min(delay * 2 or BACKOFF[0], BACKOFF[1])
            else:
                if delay:
                    warn("the mapper answers again")
                delay = 0.0
            self.stopping.wait(delay or PAUSE)


def on_change(change: int, level: int, resource: str) -> None:
    """Take a change of Orthanc: set a flag and return; no REST call, no wait for the mapper."""
    if BELL is None:
        return
    if change == orthanc.ChangeType.STABLE_STUDY:
        BELL.wish(sweep=False)
    elif change == orthanc.ChangeType.DELETED:
        BELL.wish(sweep=True)  # /changes never lists a deletion: only a sweep finds it
    elif change == orthanc.ChangeType.ORTHANC_STARTED:
        BELL.start()
    elif change == orthanc.ChangeType.ORTHANC_STOPPED:
        BELL.stop()


# Registration -------------------------------------------------------------------------------------------------


def warn(text: str) -> None:
    orthanc.LogWarning(f"FhirSync: {text}")


def configured() -> tuple[Mapper | None, bool]:
    """Give the mapper of the configuration, and whether this file is Orthanc's own script (or was imported)."""
    own = False
    try:
        config = json.loads(orthanc.GetConfiguration())
        script = config.get("PythonScript") or (config.get("Python") or {}).get("Path")
        own = Path(str(script)).stem == __name__
        section = config.get("FhirSync") or {}
        if section.get("MapperUrl") and section.get("Token"):
            return Mapper(section["MapperUrl"], section["Token"]), own
        warn("silent, as FhirSync.MapperUrl or FhirSync.Token is not set")
    except SettingError as error:
        warn(f"silent: {error}")
    except Exception as error:  # whatever it is: an exception at import would keep Orthanc from starting
        warn(f"silent, as the configuration cannot be used ({type(error).__name__})")
    return None, own


def register_routes() -> None:
    """Register the routes below /fhir-sync; none when the plugin is silent."""
    if MAPPER is not None:
        # Here, not above: a folder copied in part must ring all the same, and must not keep Orthanc from starting.
        from fhir_sync_routes import ROUTES, guarded  # type: ignore[import-not-found]

        for uri, (route, methods) in ROUTES.items():
            CALLBACKS.append(guarded(MAPPER, route, methods))
            orthanc.RegisterRestCallback(uri, CALLBACKS[-1])


def explorer_script() -> str:
    """Give the JavaScript for Orthanc Explorer; empty when the plugin is silent or the file is missing."""
    try:
        return EXPLORER.read_text("utf-8") if MAPPER is not None else ""
    except OSError:
        warn(f"no button in Orthanc Explorer: {EXPLORER.name} must lie beside {Path(__file__).name}")
        return ""


def register() -> None:
    """Register all of it with Orthanc, which takes one change callback and one Explorer script only."""
    if MAPPER is not None:
        orthanc.RegisterOnChangeCallback(on_change)
        orthanc.ExtendOrthancExplorer(explorer_script())
        orthanc.SetDescription("Keeps a FHIR server in line with Orthanc")
        register_routes()


CALLBACKS: list[object] = []  # held, as Orthanc crashes at its end when its reference to a callback is the last one
MAPPER, OWN = configured()
BELL = Doorbell(MAPPER) if MAPPER is not None else None
if OWN:
    try:
        register()
    except Exception as error:  # the same: Orthanc must start without us
        warn(f"only a part of it works, as registration failed ({type(error).__name__}: {error})")
