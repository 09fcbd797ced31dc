"""A DICOMweb archive asked over HTTP; failures become the fates of mapper.errors, values stay out of messages."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mapper.errors import AnswerTooLarge, MapperError, SettingError, SourceBusy, SourceDown
from mapper.http.body import decoded
from mapper.http.no_answer import NoAnswer, TooMuch, Unreachable, Untrusted
from mapper.http.peer import Bound, Incoming, Peer
from mapper.http.target import Target
from mapper.sources.dicomweb.auth import Auth, nobody

DICOM_JSON = "application/dicom+json"
EMPTY = 204
"""What QIDO-RS answers where nothing matches (PS3.18 10.6.3); many archives answer 200 and an empty list."""
MISSING = 404
DOWN = frozenset({502, 503, 504})


class DicomwebClient:
    """One service of an archive, QIDO-RS or WADO-RS: they may stand under prefixes or on hosts of their own."""

    def __init__(self, url: str, bound: Bound, auth: Auth = nobody, ca: str | None = None) -> None:
        """Remember whom to ask, as whom, and what an answer may cost; raises SettingError for a CA that is none."""
        try:
            self._peer = Peer(url, {}, ca)
        except OSError as error:
            raise SettingError(f"ca: cannot be read as certificates ({type(error).__name__})") from None
        self.url, self._bound, self._auth = self._peer.url, bound, auth

    @contextmanager
    def answer(self, target: Target, query: Mapping[str, object] | None = None) -> Iterator[Incoming | None]:
        """Hand out the answer for as long as it is read, None where it is empty or not there.

        Raises SourceDown where the service is down or refuses us, SourceBusy where it fails at this request.
        """
        request, headers = f"GET {target.template}", {"Accept": DICOM_JSON, **self._auth()}
        try:
            with self._peer.exchange("GET", target, self._bound, query=query or {}, headers=headers) as incoming:
                if incoming.status == 200:
                    yield incoming
                    return
                if incoming.status not in (EMPTY, MISSING):
                    raise self._refusal(incoming.status, request)
                missing = incoming.status == MISSING
        except NoAnswer as error:
            raise self._silence(request, error) from None
        if missing and target.template.endswith("/studies"):
            raise SourceDown(f"{self.url} has no QIDO-RS (404): is this where the archive answers it?")
        yield None

    def found(self, target: Target, query: Mapping[str, object]) -> tuple[list[dict[str, Any]], bool]:
        """Return what a search finds, and whether the archive says that there is more (PS3.18 8.3.4.4)."""
        with self.answer(target, query) as incoming:
            if incoming is None:
                return [], False
            more = incoming.headers.get("Warning", "").startswith("299")
            return decoded(incoming.read(), list[dict[str, Any]]), more

    def _refusal(self, status: int, request: str) -> MapperError:
        if status in (401, 403):
            return SourceDown(f"{self.url} answers {status}: check user, password or token, and rights")
        if 300 <= status < 400:
            return SourceDown(f"{self.url} answers {status} and sends us elsewhere: name the address it really has")
        if status in DOWN:
            return SourceDown(f"{self.url} answers {status}")
        if status == 413:
            return AnswerTooLarge(f"{self.url} finds its answer to {request} too large")
        return SourceBusy(f"{self.url} answers {status} to {request}")

    def _silence(self, request: str, error: NoAnswer) -> MapperError:
        if isinstance(error, Unreachable):
            return SourceDown(f"{self.url} does not answer: {error}; is it running, and is its URL right?")
        if isinstance(error, Untrusted):
            return SourceDown(f"{self.url}: {error}: check its CA and URL")
        said = f"{self.url}: the answer to {request} {error}"
        return AnswerTooLarge(said) if isinstance(error, TooMuch) else SourceBusy(said)
