"""One server that is asked over HTTP: its answers have bounds, and nothing that it says leads anywhere else."""

import re
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import urlencode

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager, Timeout

from mapper.http.deadline import POOLS, within
from mapper.http.inflate import inflated
from mapper.http.no_answer import Broken, TooMuch, no_answer
from mapper.http.target import Target
from mapper.nesting import PIECE

CONNECT = 5.0
"""Seconds until somebody listens."""
CONNECTIONS = 64
MEGABYTE = 1 << 20
HEADER = re.compile(r"[\t\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Bound:
    """What an answer may cost: MB when it is inflated, and seconds from the question to its last byte.

    `setting` is the name of the setting that says how many MB, if one does.
    """

    megabytes: int
    seconds: float
    setting: str = ""


class Incoming:
    """An answer that is still coming in: its body is read once, in pieces or whole."""

    def __init__(self, raw: BaseHTTPResponse, bound: Bound) -> None:
        self._raw, self._bound = raw, bound
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers

    def parts(self) -> Iterator[bytes]:
        """Yield the body as it comes; raises NoAnswer."""
        size, most = 0, self._bound.megabytes * MEGABYTE
        with no_answer():
            for part in self._inflated():
                size += len(part)
                if size > most:
                    said = f" ({self._bound.setting})" if self._bound.setting else ""
                    raise TooMuch(f"is larger than {self._bound.megabytes} MB{said}")
                yield part

    def read(self) -> bytes:
        """Return the body; raises NoAnswer."""
        body = BytesIO()  # grows in place: joining parts would hold them twice
        for part in self.parts():
            body.write(part)
        return body.getvalue()

    def _inflated(self) -> Iterator[bytes]:
        transfer = self.headers.get("Transfer-Encoding", "chunked").strip().lower()
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        if transfer != "chunked" or encoding not in ("", "identity", "gzip", "x-gzip"):
            raise Broken("is encoded in a way that nobody asked for")
        sent = self._raw.stream(PIECE, decode_content=False)
        return inflated(sent) if "gzip" in encoding else sent


class Peer:
    """One server, for as many threads as want to ask it. No proxy, no cookie, no redirect: settings only."""

    def __init__(self, url: str, headers: Mapping[str, str], ca: str | None = None) -> None:
        """Remember whom to ask, and how; `ca` is the file of the CA that signs its certificate.

        Raises ValueError for a header that HTTP cannot carry, OSError for a CA that cannot be read.
        """
        if not all(HEADER.fullmatch(value) for value in headers.values()):
            raise ValueError("a header that HTTP cannot carry")
        self.url = url.rstrip("/")
        self._headers = {"User-Agent": "orthanc-fhir", "Accept-Encoding": "gzip", **headers}
        trust = ssl.create_default_context(cafile=ca) if ca or self.url.startswith("https:") else None
        self._pools = PoolManager(maxsize=CONNECTIONS, ssl_context=trust)
        self._pools.pool_classes_by_scheme = POOLS
        self._path = "".join(self.url.partition("://")[2].partition("/")[1:])
        self._pool: HTTPConnectionPool | None = None

    def close(self) -> None:
        """Close the connections that nobody uses now."""
        self._pool = None
        self._pools.clear()

    def _connections(self) -> HTTPConnectionPool:
        """Return the connections to the server: found once, as that costs as much as to ask over one of them."""
        pool = self._pool
        if pool is None:
            pool = self._pool = self._pools.connection_from_url(self.url)
        return pool

    @contextmanager
    def exchange(
        self,
        method: str,
        target: Target,
        bound: Bound,
        *,
        query: Mapping[str, object] | str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Incoming]:
        """Ask, and hand out the answer for as long as it is read: what is left of it is not waited for.

        Raises NoAnswer.
        """
        asked = query if isinstance(query, str) else urlencode(query)
        with within(bound.seconds):
            with no_answer():
                raw = self._connections().urlopen(
                    method,
                    f"{self._path}{target}{'?' if asked else ''}{asked}" or "/",
                    body=body,
                    headers={**self._headers, **(headers or {})},
                    timeout=Timeout(connect=min(CONNECT, bound.seconds), read=bound.seconds),
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
            try:
                yield Incoming(raw, bound)
            finally:
                raw.close()  # of an answer that was read to its end the connection is free already
                raw.release_conn()


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of Basic authentication (RFC 7617), in UTF-8."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}
