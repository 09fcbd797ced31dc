"""One HTTP service as a source sees it: failures become the fates of mapper.errors, values stay out of messages."""

import threading
from io import BytesIO
from typing import Any

import msgspec
import requests
from urllib3.exceptions import HTTPError

from mapper.errors import BadMetadata, MapperError, SourceBusy, SourceDown

PART = 1 << 16
CONNECT_TIMEOUT = 5.0
PROBE_TIMEOUT = 5.0
DOWN = frozenset({502, 503, 504})


class Web:
    """GET and POST against one service, one session a thread."""

    def __init__(
        self, url: str, user: str | None = None, password: str | None = None, timeout: float = 60.0, probe: str = ""
    ) -> None:
        self.url = url.rstrip("/")
        self._auth = (user, password or "") if user else None
        self._timeout = (CONNECT_TIMEOUT, timeout)
        self._probe = probe
        self._local = threading.local()

    @property
    def session(self) -> requests.Session:
        """The session of the calling thread."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.auth = self._auth
            self._local.session.trust_env = False  # no proxy, no netrc: settings only
        session: requests.Session = self._local.session
        return session

    def ask(
        self,
        method: str,
        path: str,
        accept: str = "application/json",
        data: bytes | None = None,
        **query: Any,
    ) -> bytes | None:
        """Return the body of an answer, None for 404.

        Raises SourceDown when the service is down or refuses us, SourceBusy when it fails at this request.
        """
        try:
            with self.session.request(
                method,
                f"{self.url}{path}",
                params=query,
                data=data,
                headers={"Accept": accept},
                timeout=self._timeout,
                stream=True,
            ) as answer:
                arrived = BytesIO()  # grows in place: joining the parts of a large series would hold it twice
                for part in answer.raw.stream(PART, decode_content=True):
                    arrived.write(part)
        except requests.ConnectTimeout:
            raise SourceDown(f"{self.url} does not answer") from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise self._silent(f"{method} {route(path)}", error) from None
        status = answer.status_code
        if status == 404:
            return None
        if status in (401, 403):
            raise SourceDown(f"{self.url} answers {status}: check user, password and rights")
        if status in DOWN:
            raise SourceDown(f"{self.url} answers {status}")
        if status >= 400:
            raise SourceBusy(f"{self.url} answers {status} to {method} {route(path)}")
        return arrived.getvalue()

    def _silent(self, request: str, error: Exception) -> MapperError:
        """Return what no answer, or half of one, means: the service is down, or fails at this one request."""
        said = f"{self.url} does not answer {request} ({type(error).__name__})"
        try:
            alive = self.session.get(f"{self.url}{self._probe}", timeout=PROBE_TIMEOUT).status_code < 500
        except requests.RequestException:
            alive = False
        return SourceBusy(said) if alive else SourceDown(said)

    def json(self, method: str, path: str, data: bytes | None = None, **query: Any) -> Any:
        """Return a JSON answer, None for 404; raises BadMetadata when it is not JSON."""
        body = self.ask(method, path, data=data, **query)
        if body is None:
            return None
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadMetadata(f"{self.url}: the answer to {method} {route(path)} is not JSON") from error


def route(path: str) -> str:
    """Return the words of a path, without ids."""
    return "/".join("*" if any(map(str.isdigit, part)) else part for part in path.split("/"))
