"""Ask one of the demo's servers, on this machine and with patience for its start-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

TIMEOUT_SECONDS = 10


class Unanswered(RuntimeError):
    """A server did not answer, or not with what was asked for."""


class Server:
    """Read JSON from a base URL."""

    def __init__(
        self, url: str, *, auth: tuple[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no netrc between a demo and its own machine
        self.session.auth = auth
        self.session.headers.update(headers or {})

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None) -> Any:
        """Return the JSON of a path, None for 404; raise Unanswered for anything else."""
        try:
            answer = self.session.get(self.url + path, params=parameters, timeout=TIMEOUT_SECONDS)
            if answer.status_code == 404:
                return None
            if answer.status_code != 200:
                raise Unanswered(f"{self.url} answers HTTP {answer.status_code}")
            return answer.json()
        except requests.JSONDecodeError:
            raise Unanswered(f"{self.url} answers without JSON") from None
        except requests.RequestException as problem:
            raise Unanswered(f"{self.url} does not answer ({type(problem).__name__})") from problem
