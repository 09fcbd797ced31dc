"""Orthanc asked over HTTP: failures become the fates of mapper.errors, values stay out of messages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

from mapper.errors import AnswerTooLarge, MapperError, SettingError, SourceBusy, SourceDown
from mapper.http.body import decoded
from mapper.http.no_answer import NoAnswer, TooMuch, Unreachable, Unreadable, Untrusted
from mapper.http.peer import Bound, Incoming, Peer, basic
from mapper.http.target import Target
from mapper.sources.orthanc import answers

PROBE = Bound(1, 5.0)
DOWN, TOO_MUCH = frozenset({502, 503, 504}), frozenset({408, 429})
"""What says that nobody is there, or that there is too much to do."""
NOT_ALLOWED = frozenset({401, 403, 405, 409, 501})
"""What says that this is not for us to do, and never will be."""
T = TypeVar("T")


class OrthancClient:
    """GET and POST against one service; `probe` is what it answers as long as it lives, and of which kind that is."""

    def __init__(
        self,
        url: str,
        probe: tuple[Target, type[object]],
        bound: Bound,
        user: str | None = None,
        password: str | None = None,
        ca: str | None = None,
    ) -> None:
        """Remember whom to ask, as whom, and what an answer may cost; raises SettingError for a CA that is none."""
        try:
            self._peer = Peer(url, basic(user, password or "") if user else {}, ca)
        except OSError as error:
            raise SettingError(f"orthanc_ca: cannot be read as certificates ({type(error).__name__})") from None
        self.url = self._peer.url
        self._probe, self._bound = probe, bound

    @contextmanager
    def answer(
        self,
        method: str,
        target: Target,
        *,
        accept: str = "application/json",
        data: bytes | None = None,
        bound: Bound | None = None,
        **query: Any,
    ) -> Iterator[Incoming | None]:
        """Hand out the answer for as long as it is read, None for a 404 of Orthanc's own.

        Any gateway says 404 while Orthanc is away. Orthanc says it in its own words, but to `/studies/{id}` without
        a word (1.10.1 and 1.12.7): such a 404 counts only where the first question is answered right after.
        Raises SourceDown when the service is down or refuses us, SourceBusy when it fails at this request; also
        while the answer is read.
        """
        request, bound = f"{method} {target.template}", bound or self._bound
        headers = {"Accept": accept}
        try:
            asked = urlencode(query, safe=";")  # Orthanc reads %3B in a list as part of a word
            with self._peer.exchange(method, target, bound, query=asked, body=data, headers=headers) as incoming:
                if incoming.status == 200:
                    yield incoming
                    return
                if incoming.status != 404:
                    refusal = self._refusal(incoming.status, request)
                    refusal.status = incoming.status
                    raise refusal
                known = answers.is_missing(incoming.read())
        except NoAnswer as error:
            raise self._silence(request, error) from None
        if not known and not self._alive():
            raise SourceDown(
                f"{self.url} answers 404 to {request}, and not as Orthanc does: Orthanc is away behind its gateway, or "
                "orthanc_url is not where it is"
            )
        yield None

    def json(self, method: str, target: Target, kind: type[T], data: bytes | None = None, **query: Any) -> T | None:
        """Return a JSON answer of the kind that is expected, None where Orthanc has none; raises as `answer`."""
        with self.answer(method, target, data=data, **query) as incoming:
            return None if incoming is None else decoded(incoming.read(), kind)

    def must(self, method: str, target: Target, kind: type[T], data: bytes | None = None, **query: Any) -> T:
        """Return what every Orthanc answers, of the kind that is expected; raises as `answer`, SourceDown for 404."""
        found = self.json(method, target, kind, data, **query)
        if found is None:
            raise self._stranger(target)
        return found

    def text(self, target: Target, kind: Callable[[str], T]) -> T:
        """Return a text as what it should be: `kind` raises ValueError where it is not that; raises as `must`."""
        with self.answer("GET", target, accept="text/plain") as incoming:
            if incoming is None:
                raise self._stranger(target)
            try:
                return kind(incoming.read().decode(errors="replace"))
            except ValueError:
                raise Unreadable("is not the text that it should be") from None

    def _stranger(self, target: Target) -> SourceDown:
        return SourceDown(f"{self.url} is no Orthanc: it does not know {target.template}; check orthanc_url")

    def _refusal(self, status: int, request: str) -> MapperError:
        """Return what a status means that is neither success nor 404."""
        if status in (401, 403):
            return SourceDown(f"{self.url} answers {status}: check user, password and rights")
        if 300 <= status < 400:
            return SourceDown(
                f"{self.url} answers {status} and sends us elsewhere: set orthanc_url to the address that it really has"
            )
        if status in DOWN:
            return SourceDown(f"{self.url} answers {status}")
        busy = SourceBusy(f"{self.url} answers {status} to {request}")
        busy.too_much = status in TOO_MUCH
        return busy

    def _silence(self, request: str, error: NoAnswer) -> MapperError:
        """Return what it means that there is no answer to use: the service is down, or fails at this one request."""
        if isinstance(error, Unreachable):
            return SourceDown(f"{self.url} does not answer: {error}; is it running, and is its URL right?")
        if isinstance(error, Untrusted):
            return SourceDown(f"{self.url}: {error}: check orthanc_ca and orthanc_url")
        said = f"{self.url}: the answer to {request} {error}"
        if not self._alive():
            return SourceDown(said)
        return AnswerTooLarge(said) if isinstance(error, TooMuch) else SourceBusy(said)

    def _alive(self) -> bool:
        try:
            target, kind = self._probe
            with self._peer.exchange("GET", target, PROBE) as incoming:
                return incoming.status == 200 and decoded(incoming.read(), kind) is not None
        except NoAnswer:
            return False
