"""Orthanc with the plugin, the mapper and a FHIR server, wired as the demo wires them."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import requests
from requests.adapters import HTTPAdapter

from stack import FhirServer, Mapper, Orthanc, free_port
from tests.support.study import Sample

TOKEN = "token-of-the-live-tests"
MEMORY_AT_MOST = 300_000_000
SOON = 40.0
"""Seconds for StableAge (1 s), Orthanc's look at it, the mapper's polls and a busy machine."""

Json = dict[str, Any]
T = TypeVar("T")


def until(look: Callable[[], T | None], seconds: float = SOON, *, say: Callable[[], object] = str) -> T:
    """Look again and again until something true is seen, and return it; fail when it is not in time."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {say()}"
        time.sleep(0.1)
    return seen


def session() -> requests.Session:
    """Return a session that knows no proxy and takes no answer from a cache."""
    made = requests.Session()
    made.trust_env = False
    made.headers["Cache-Control"] = "no-cache"
    made.mount("http://", HTTPAdapter(pool_maxsize=16))
    return made


class Stack:
    """One Orthanc, one mapper and a FHIR server; a context manager that starts and forgets the first two."""

    def __init__(
        self,
        folder: Path,
        fhir: FhirServer,
        kind: type[Orthanc] = Orthanc,
        *,
        overrides: Mapping[str, Any] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        port = free_port()
        self.fhir = fhir
        self.orthanc = kind(
            folder / "orthanc",
            overrides={"StableAge": 1, **(overrides or {})},
            mapper_url=f"http://127.0.0.1:{port}",
            token=TOKEN,
        )
        self.mapper = Mapper(
            folder / "mapper", port, orthanc=self.orthanc, fhir=fhir, token=TOKEN, settings=dict(settings or {})
        )
        self.http = session()
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            for server in (self.orthanc, self.mapper):
                starting.callback(server.clean)
                server.start().wait_ready()
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        small = kind is not None or self.mapper.pid is None or self.peak_memory() < MEMORY_AT_MOST
        self._running.close()
        assert small, "whatever is done to it, the mapper stays below 300 MB"

    # -- Orthanc --------------------------------------------------------------------------------

    def pacs(self, method: str, path: str, **others: Any) -> requests.Response:
        """Ask Orthanc; an answer outside 2xx is an error."""
        answer = self.http.request(method, self.orthanc.url + path, auth=self.orthanc.auth, timeout=60, **others)
        answer.raise_for_status()
        return answer

    def upload(self, *samples: Sample, threads: int = 1) -> None:
        """Store every instance of these studies."""
        self.store((file for sample in samples for file in sample.files), threads)

    def store(self, files: Iterable[bytes], threads: int = 1) -> None:
        """Store DICOM files."""
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(lambda file: self.pacs("POST", "/instances", data=file), files):
                pass

    def orthanc_ids(self, uid: str, level: str = "Study") -> list[str]:
        """Return Orthanc's ids of a study, series or instance with this UID."""
        hits = self.pacs("POST", "/tools/lookup", data=uid).json()
        return sorted(hit["ID"] for hit in hits if hit["Type"] == level)

    def delete(self, uid: str, level: str = "Study") -> None:
        """Delete the one study, series or instance with this UID."""
        (found,) = self.orthanc_ids(uid, level)
        route = {"Study": "studies", "Series": "series", "Instance": "instances"}[level]
        self.pacs("DELETE", f"/{route}/{found}")

    # -- FHIR -----------------------------------------------------------------------------------

    def search(self, kind: str, **query: str) -> list[Json]:
        """Return every resource that a FHIR search finds (tests search for what is few)."""
        return entries(self.http, f"{self.fhir.url}/{kind}", {**query, "_count": "100"})

    def found(self, uid: str) -> list[Json]:
        """Return the ImagingStudy resources of a study, found as anybody would find them."""
        return self.search("ImagingStudy", identifier=f"urn:dicom:uid|urn:oid:{uid}")

    def count(self, kind: str, **query: str) -> int:
        """Return how many resources a FHIR search finds; -1 while the server cannot say."""
        try:
            answer = self.http.get(f"{self.fhir.url}/{kind}", params={**query, "_summary": "count"}, timeout=60)
        except requests.RequestException:
            return -1
        return int(answer.json()["total"]) if answer.ok else -1

    def imaging_study(self, uid: str) -> Json:
        """Return the one ImagingStudy of a study; fail when there is none, or more than one."""
        (one,) = self.found(uid)
        return one

    def resource(self, reference: str) -> Json:
        """Read one resource by its reference."""
        answer = self.http.get(f"{self.fhir.url}/{reference}", timeout=30)
        answer.raise_for_status()
        return dict(answer.json())

    def versions(self, uid: str) -> dict[str, str]:
        """Return `meta.versionId` of a study's ImagingStudy and of all it refers to, by reference."""
        study = self.imaging_study(uid)
        all_of_it = [study, *map(self.resource, references(study))]
        return {f"{one['resourceType']}/{one['id']}": one["meta"]["versionId"] for one in all_of_it}

    def until_found(self, uid: str, instances: int | None = None, seconds: float = SOON) -> Json:
        """Wait until a study is in FHIR as available, with so many instances when told, and return it."""

        def there() -> Json | None:
            right = [one for one in self.found(uid) if one["status"] == "available"]
            if instances is not None:
                right = [one for one in right if one["numberOfInstances"] == instances]
            return right[0] if right else None

        return until(there, seconds, say=lambda: self.state(uid))

    # -- the mapper -----------------------------------------------------------------------------

    def api(self, method: str, path: str, **others: Any) -> requests.Response:
        """Ask the mapper, with its token."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return self.http.request(method, self.mapper.url + path, headers=headers, timeout=90, **others)

    def state(self, uid: str) -> Json:
        """Return what the mapper says of a study; `unseen` before it knows it."""
        answer = self.api("GET", f"/api/studies/{uid}")
        return {"state": "unseen"} if answer.status_code == 404 else dict(answer.json())

    def until_state(self, uid: str, *states: str, seconds: float = SOON) -> Json:
        """Wait until a study is in one of these states, and return what the mapper says of it."""

        def there() -> Json | None:
            said = self.state(uid)
            return said if said["state"] in states else None

        return until(there, seconds, say=lambda: (self.state(uid), self.mapper.log_tail(5)))

    def ask_for_sweep(self) -> None:
        """Have the mapper compare everything soon."""
        self.api("POST", "/wake", json={"sweep": True}).raise_for_status()

    def sync(self, uid: str) -> Json:
        """Ask for a study by hand, and wait for the outcome."""
        return dict(self.api("POST", f"/api/studies/{uid}/sync", json={"wait": 30}).json())

    def peak_memory(self) -> int:
        """Return the most memory the mapper ever held, in bytes (VmHWM of proc(5))."""
        status = Path(f"/proc/{self.mapper.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def cli(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of orthanc-fhir with the mapper's settings."""
        return orthanc_fhir(*arguments, **{**self.mapper.environment(), **settings})


def entries(http: requests.Session, url: str, query: Mapping[str, str]) -> list[Json]:
    """Return the resources of a FHIR search, the following pages included."""
    found: list[Json] = []
    answer = http.get(url, params=query, timeout=60)
    while True:
        answer.raise_for_status()
        bundle = answer.json()
        found += [entry["resource"] for entry in bundle.get("entry", [])]
        following = [link["url"] for link in bundle.get("link", []) if link["relation"] == "next"]
        if not following:
            return found
        answer = http.get(following[0], timeout=60)


def references(resource: Json) -> list[str]:
    """Return every reference in a resource, sorted, each once."""
    return sorted(set(re.findall(r'"reference": "([A-Z]\w+/[^"]+)"', json.dumps(resource))))


def orthanc_fhir(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run orthanc-fhir in an environment of its own; give exit code, stdout and stderr."""
    program = Path(sys.executable).parent / "orthanc-fhir"
    return subprocess.run(
        [program, *arguments],
        env={**os.environ, "COLUMNS": "300", **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
