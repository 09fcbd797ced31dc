"""A FHIR R4 server as the sink: one transaction a study, PUT under ids of our own."""

import time
from collections.abc import Callable, Iterable
from threading import local
from typing import Any

import msgspec
import requests

from mapper.errors import BundleRejected, MapperError, SinkBusy, SinkDown, SinkRefused, TooLarge
from mapper.fhir.bundle import dump, transaction
from mapper.sinks.answer import failure
from mapper.sinks.sink import Key, Resource

FHIR_JSON = "application/fhir+json"
CONNECT_TIMEOUT = 5.0
CORE = frozenset({"Patient", "Practitioner", "Organization", "Endpoint", "Device", "ImagingStudy"})
"""What is sent first when a server finds the whole transaction too large; the rest refers to it."""
RETRACTED_STATUS = {"DocumentReference": "entered-in-error"}
"""Types whose status has no `unknown` in R4."""
STATUSLESS = frozenset({"BodyStructure"})


class FhirServer:
    """A FHIR server that takes client-assigned ids."""

    def __init__(
        self,
        url: str,
        public_url: str,
        auth: tuple[str, str] | None = None,
        token: str | None = None,
        ca: str | None = None,
        timeout: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = url.rstrip("/")
        self._public_url = public_url.rstrip("/")
        self._auth, self._token, self._ca = auth, token, ca
        self._timeout = (CONNECT_TIMEOUT, timeout)
        self._clock = clock
        self._local = local()

    def put(self, resources: Iterable[Resource]) -> dict[Key, str]:
        """Write resources as one transaction, in parts when the server finds that too large; see Sink.put."""
        sent = list(resources)
        try:
            return self._transact(sent)
        except TooLarge:
            core = [resource for resource in sent if resource["resourceType"] in CORE]
            rest = [resource for resource in sent if resource["resourceType"] not in CORE]
            half = len(rest) // 2
            parts = [core, rest] if core and rest else [rest[:half], rest[half:]]
            if core and not rest or not all(parts):
                raise BundleRejected("the FHIR server finds even a part of this study too large: HTTP 413") from None
            return {key: version for part in parts for key, version in self.put(part).items()}

    def _transact(self, resources: list[Resource]) -> dict[Key, str]:
        bundle = transaction(resources, self._public_url)
        answer = self._ask("POST", "", dump(bundle))
        if not succeeded(answer):
            raise self._failure(answer)
        entries = _json(answer).get("entry", [])
        if len(entries) != len(resources):
            raise SinkBusy(f"the FHIR server answered {len(entries)} entries to {len(resources)} sent")
        versions = {}
        for sent, entry in zip(bundle["entry"], entries, strict=True):
            response = entry.get("response", {})
            if not str(response.get("status", "")).startswith("2"):
                raise SinkBusy("the FHIR server did not write every entry of a transaction")
            kind, _, id = sent["request"]["url"].partition("/")
            versions[kind, id] = version_of(response)
        return versions

    def retract(self, key: Key, policy: str) -> None:
        """Read a resource, set its status by policy, drop its endpoints and write it back; see Sink.retract."""
        if policy == "keep":
            return
        kind, id = key
        answer = self._ask("GET", f"/{kind}/{id}")
        if answer.status_code in (404, 410):
            return
        if not succeeded(answer):
            raise self._failure(answer)
        resource = retracted(_json(answer), policy)
        if resource is not None:
            self._transact([resource])

    def probe(self) -> None:
        """Ask a question that needs the server's database; raises SinkDown or SinkRefused."""
        answer = self._ask("GET", "/Patient", _summary="count")
        if answer.status_code in (401, 403, 404):
            raise failure(answer, self._clock)
        if not succeeded(answer):
            raise SinkDown(f"the FHIR server cannot count its patients: HTTP {answer.status_code}")

    def check(self) -> list[str]:
        """Return what `doctor` should say of this server."""
        self.probe()
        answer = self._ask("GET", "/metadata", _summary="true")
        said = [f"FHIR server answers at {self.url}"]
        if succeeded(answer):
            statement = _json(answer)
            name = statement.get("software", {}).get("name", "unnamed")
            said[0] += f" ({name}, FHIR {statement.get('fhirVersion', 'of unknown version')})"
            if not str(statement.get("fhirVersion", "4.")).startswith("4."):
                said.append("problem: the FHIR server does not speak R4")
        return said

    # -- HTTP -----------------------------------------------------------------------------------

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.trust_env = False
            session.auth = self._auth
            session.verify = self._ca or True
            session.headers.update({"Accept": FHIR_JSON, "Cache-Control": "no-cache"})
            if self._token:
                session.headers["Authorization"] = f"Bearer {self._token}"
            self._local.session = session
        found: requests.Session = self._local.session
        return found

    def _ask(self, method: str, path: str, data: bytes | None = None, **query: str) -> requests.Response:
        headers = {}
        if data is not None:
            headers = {
                "Content-Type": FHIR_JSON,
                "Prefer": "return=minimal",
                "X-Retry-On-Version-Conflict": "retry; max-retries=5",
            }
        try:
            return self._session.request(
                method,
                f"{self.url}{path}",
                data=data,
                params=query,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,  # a POST that is sent elsewhere arrives there as a GET
            )
        except (requests.exceptions.SSLError, requests.exceptions.InvalidURL):
            raise SinkRefused("the FHIR server's address or certificate is wrong: check fhir_url and fhir_ca") from None
        except requests.ConnectionError as error:
            if _never_connected(error):
                raise SinkDown(f"the FHIR server does not answer at {self.url}") from None
            raise SinkBusy("the FHIR server cut the connection") from None
        except requests.Timeout:
            raise SinkBusy("the FHIR server did not answer in time") from None
        except requests.RequestException as error:
            raise SinkBusy(f"the FHIR server's answer broke off ({type(error).__name__})") from None
        except OSError as error:  # requests reads the CA's file only now
            raise SinkRefused(f"the FHIR server's CA cannot be read ({type(error).__name__}): check fhir_ca") from None

    def _failure(self, answer: requests.Response) -> MapperError:
        """Return what a refusal means; after a 500 the server is asked whether it is alive at all."""
        if answer.status_code == 500:
            try:
                self.probe()
            except (SinkBusy, SinkDown, SinkRefused):
                return SinkDown("the FHIR server or its database is down: HTTP 500, and it cannot count its patients")
        return failure(answer, self._clock)


def retracted(resource: dict[str, Any], policy: str) -> dict[str, Any] | None:
    """Return a resource that says that its study is gone, or None when it says so already."""
    kind = resource["resourceType"]
    changed = {name: value for name, value in resource.items() if name != "endpoint"}
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
    if kind in STATUSLESS:
        changed["active"] = False
    else:
        unknown = RETRACTED_STATUS.get(kind, "unknown")
        changed["status"] = "entered-in-error" if policy == "entered-in-error" else unknown
    if changed == resource:
        return None
    if meta:
        changed["meta"] = meta
    else:
        changed.pop("meta", None)
    return changed


def succeeded(answer: requests.Response) -> bool:
    """Tell 2xx from all else."""
    return 200 <= answer.status_code < 300


def version_of(response: dict[str, Any]) -> str:
    """Return the version that an entry's response names in its ETag or location."""
    etag = str(response.get("etag", "")).removeprefix("W/").strip('"')
    return etag or str(response.get("location", "")).partition("/_history/")[2]


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    if not isinstance(found, dict):
        raise SinkBusy("the FHIR server's answer is not FHIR JSON")
    return found


def _never_connected(error: requests.ConnectionError) -> bool:
    """Tell a refused connection from one that was cut: after the latter the outcome is unknown."""
    text = f"{error!r}"
    return "NewConnectionError" in text or "ConnectTimeout" in text or "NameResolutionError" in text
