"""HTTP to one FHIR server: a session a thread, and every failure as one of mapper.errors."""

import time
from collections.abc import Callable
from threading import local
from typing import Any

import msgspec
import requests

from mapper.errors import MapperError, SinkBusy, SinkDown, SinkRefused
from mapper.meter import Meter
from mapper.sinks.answer import failure

FHIR_JSON = "application/fhir+json"
CONNECT_TIMEOUT = 5.0


class FhirClient:
    """Asks one FHIR server; authentication is none, Basic or a bearer token, and a CA of one's own if wanted."""

    def __init__(
        self,
        url: str,
        auth: tuple[str, str] | None = None,
        token: str | None = None,
        ca: str | None = None,
        timeout: float = 60.0,
        clock: Callable[[], float] = time.time,
        meter: Meter | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._auth, self._token, self._ca = auth, token, ca
        self._timeout = (CONNECT_TIMEOUT, timeout)
        self._clock = clock
        self._meter = meter or Meter()
        self._local = local()

    def get(self, path: str, query: dict[str, str] | None = None) -> dict[str, Any] | None:
        """Return a JSON answer, None for 404 and 410; raises what any other failure means."""
        answer = self.ask("GET", path, query=query)
        if answer.status_code in (404, 410):
            return None
        if not succeeded(answer):
            raise self.failure(answer)
        return json_of(answer)

    def probe(self) -> None:
        """Ask a question that needs the server's database; raises SinkDown or SinkRefused."""
        answer = self.ask("GET", "/Patient", query={"_summary": "count"})
        if answer.status_code in (401, 403, 404):
            raise failure(answer, self._clock)
        if not succeeded(answer):
            raise SinkDown(f"the FHIR server cannot count its patients: HTTP {answer.status_code}")

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

    def ask(
        self, method: str, path: str, data: bytes | None = None, query: dict[str, str] | None = None
    ) -> requests.Response:
        """Return the answer to one request; raises SinkDown, SinkBusy or SinkRefused when there is none."""
        headers = {}
        if data is not None:
            headers = {
                "Content-Type": FHIR_JSON,
                "Prefer": "return=minimal",
                "X-Retry-On-Version-Conflict": "retry; max-retries=5",
            }
        try:
            answer = self._session.request(
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
        self._meter.answer(f"{answer.status_code // 100}xx")
        return answer

    def failure(self, answer: requests.Response, *, conditional: bool = False) -> MapperError:
        """Return what a refusal means; after a 500 the server is asked whether it is alive at all."""
        if answer.status_code == 500:
            try:
                self.probe()
            except (SinkBusy, SinkDown, SinkRefused):
                return SinkDown("the FHIR server or its database is down: HTTP 500, and it cannot count its patients")
        return failure(answer, self._clock, conditional=conditional)


def succeeded(answer: requests.Response) -> bool:
    """Tell 2xx from all else."""
    return 200 <= answer.status_code < 300


def json_of(answer: requests.Response) -> dict[str, Any]:
    """Return a JSON object; raises SinkBusy when a gateway answers something else."""
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
