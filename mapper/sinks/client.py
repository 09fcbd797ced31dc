"""HTTP to one FHIR server: every failure is one of mapper.errors."""

import time
from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

from msgspec import Struct

from mapper.errors import MapperError, SettingError, SinkBusy, SinkDown, SinkRefused
from mapper.http.body import decoded
from mapper.http.no_answer import Late, NoAnswer, Unreachable, Unreadable, Untrusted
from mapper.http.peer import Bound, Peer, basic
from mapper.http.target import Target
from mapper.metrics import Metrics
from mapper.sinks.answer import Answer, failure, is_outcome

FHIR_JSON = "application/fhir+json"
ANSWER = Bound(32, 60.0)
PATIENTS = Target("/Patient")
WRITING = {
    "Content-Type": FHIR_JSON,
    "Prefer": "return=minimal",
    "X-Retry-On-Version-Conflict": "retry; max-retries=5",
}
T = TypeVar("T")


class Typed(Struct):
    """Any FHIR resource."""

    resourceType: str


class Counted(Struct):
    """The Bundle that answers a search for a number."""

    resourceType: Literal["Bundle"]


class FhirClient:
    """Asks one FHIR server; authentication is none, Basic or a bearer token, and a CA of one's own if wanted."""

    def __init__(
        self,
        url: str,
        auth: tuple[str, str] | None = None,
        token: str | None = None,
        ca: str | None = None,
        bound: Bound = ANSWER,
        clock: Callable[[], float] = time.time,
        metrics: Metrics | None = None,
    ) -> None:
        """Remember whom to ask, as whom, and what an answer may cost; raises SettingError for a wrong token or CA."""
        headers = {"Accept": FHIR_JSON, "Cache-Control": "no-cache"} | (basic(*auth) if auth else {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            self._peer = Peer(url, headers, ca)
        except OSError as error:
            raise SettingError(f"fhir_ca: cannot be read as certificates ({type(error).__name__})") from None
        except ValueError:
            raise SettingError("fhir_token: holds characters that no header can carry") from None
        self.url = self._peer.url
        self._bound, self._clock = bound, clock
        self._metrics = metrics or Metrics()

    def get(self, target: Target, kind: type[T], query: Mapping[str, str] | str = "") -> T | None:
        """Return a JSON answer of the kind that is expected, None where the server says that it holds none.

        Any gateway says 404 while the server is away: it counts with an OperationOutcome alone (FHIR R4 http.html,
        read). Raises what any failure means.
        """
        answer = self.ask("GET", target, query=query)
        if answer.status == 410 or (answer.status == 404 and is_outcome(answer.body)):
            return None
        if answer.status == 404 and not speaks_fhir(answer.body):
            raise no_fhir(answer)
        return self.told(answer, kind)

    def search(self, target: Target, query: Mapping[str, str] | str, kind: type[T]) -> T:
        """Return one page of a search: a server answers it with a Bundle, or it failed; raises as `get`."""
        answer = self.ask("GET", target, query=query)
        if answer.status == 410:
            raise SinkBusy("the FHIR server no longer knows its search: it is begun anew")
        return self.told(answer, kind)

    def told(self, answer: Answer, kind: type[T]) -> T:
        """Return a success of the kind that is expected; raises what any failure means."""
        if not answer.succeeded:
            raise self.failure(answer)
        return json_of(answer, kind)

    def close(self) -> None:
        """Close the connections."""
        self._peer.close()

    def probe(self) -> None:
        """Ask a question that needs the server's database; raises SinkDown or SinkRefused."""
        answer = self.ask("GET", PATIENTS, query={"_summary": "count"})
        if answer.status in (401, 403, 404):
            raise failure(answer, self._clock)
        if not answer.succeeded:
            raise SinkDown(f"the FHIR server cannot count its patients: HTTP {answer.status}")
        json_of(answer, Counted)

    def ask(
        self, method: str, target: Target, data: bytes | None = None, query: Mapping[str, str] | str = ""
    ) -> Answer:
        """Return the answer to one request; raises SinkDown, SinkBusy or SinkRefused when there is none."""
        headers = {} if data is None else WRITING
        try:
            with self._peer.exchange(method, target, self._bound, query=query, body=data, headers=headers) as incoming:
                answer = Answer(incoming.status, incoming.headers, incoming.read())
        except Unreachable as error:
            raise SinkDown(
                f"the FHIR server does not answer at {self.url}: {error}; is it running, and is fhir_url right?"
            ) from None
        except Untrusted as error:
            raise SinkRefused(f"the FHIR server is not to be trusted: {error}: check fhir_ca and fhir_url") from None
        except NoAnswer as error:
            busy = SinkBusy(f"the FHIR server's answer to {method} {target.template or '/'} {error}")
            busy.too_much = isinstance(error, Late)
            raise busy from None
        self._metrics.answer(f"{answer.status // 100}xx")
        return answer

    def failure(self, answer: Answer, *, conditional: bool = False) -> MapperError:
        """Return what a refusal means; after a 500 the server is asked whether it is alive at all."""
        if answer.status == 500:
            try:
                self.probe()
            except (SinkBusy, SinkDown, SinkRefused):
                return SinkDown("the FHIR server or its database is down: HTTP 500, and it cannot count its patients")
        return failure(answer, self._clock, conditional=conditional)


def json_of(answer: Answer, kind: type[T]) -> T:
    """Return a JSON answer of the kind that is expected.

    Raises SinkBusy for another kind of FHIR JSON, and SinkRefused where no FHIR is spoken at all: by a portal, or by a
    gateway while the server is maintained.
    """
    try:
        return decoded(answer.body, kind)
    except Unreadable as error:
        if not speaks_fhir(answer.body):
            raise no_fhir(answer) from None
        raise SinkBusy(f"the FHIR server's answer {error}") from None
    except NoAnswer as error:
        raise SinkBusy(f"the FHIR server's answer {error}") from None


def no_fhir(answer: Answer) -> SinkRefused:
    """Return that somebody else answered."""
    return SinkRefused(
        f"what answers at fhir_url is not FHIR JSON (HTTP {answer.status}): a portal, or a page of a gateway? "
        "Check fhir_url and what stands before the FHIR server"
    )


def speaks_fhir(body: bytes) -> bool:
    """Tell whether a body is any FHIR resource in JSON."""
    try:
        return bool(decoded(body, Typed).resourceType)
    except NoAnswer:
        return False
