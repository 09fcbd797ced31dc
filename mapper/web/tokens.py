"""Every token that opens anything: the one of the settings and the named ones, and what a check of one may cost."""

import hmac
import secrets
from asyncio import get_running_loop
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mapper.web.attempts import Attempts
from mapper.web.named_token import NamedToken, selector_of
from mapper.web.tokens_file import TokensFile
from mapper.web.visitor import Role, Visitor

BY_TOKEN = Visitor("token", Role.OPERATE)
"""Who has ORTHANC_FHIR_TOKEN: the plugin, scripts, people."""
VERIFIED = 256
"""Right tokens of the file that are known again without scrypt."""
WAITING = 8
"""Checks by scrypt that wait for the one at work; whoever comes then is told to come again."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a token, and what of it a session is bound to."""

    visitor: Visitor
    credential: bytes


class NotLooked(Exception):
    """A token was not looked at; `reason` is a key of REFUSALS, `seconds` is when to come again."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.reason, self.seconds = reason, seconds


class Tokens:
    """Knows tokens again; of the event loop's thread alone, scrypt runs in one thread of its own."""

    def __init__(self, token: str | None, file: TokensFile | None = None, attempts: Attempts | None = None) -> None:
        self._token = token.encode() if token is not None else None
        self._file = file
        self._attempts = attempts or Attempts()
        self._salt = secrets.token_bytes(32)
        self._verified: OrderedDict[bytes, NamedToken] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "scrypt")
        self._waiting = 0

    @property
    def any(self) -> bool:
        """Whether there is any token at all."""
        return self._token is not None or self._file is not None

    async def check(self, presented: bytes, address: str) -> Holder | None:
        """Return who has this token, None for a wrong one; raises NotLooked when it was not looked at."""
        digest = hmac.digest(self._salt, presented, "sha256")
        if wait := self._attempts.wait(address, digest):
            raise NotLooked("too many", wait)
        if self._token is not None and hmac.compare_digest(presented, self._token):
            self._attempts.right(address, digest)
            return Holder(BY_TOKEN, self._token)
        line = self._line(presented)
        if line is None or not await self._fits(line, presented, digest):
            self._attempts.wrong(address, line.selector if line else b"")
            return None
        self._attempts.right(address, digest)
        return Holder(line.visitor, line.digest)

    def holders(self, name: str) -> list[Holder]:
        """Return whoever has a token under this name now."""
        held = [Holder(BY_TOKEN, self._token)] if self._token is not None and name == BY_TOKEN.name else []
        lines = self._file.tokens.values() if self._file else ()
        return held + [Holder(line.visitor, line.digest) for line in lines if line.visitor.name == name]

    def _line(self, presented: bytes) -> NamedToken | None:
        selector = selector_of(presented)
        return self._file.tokens.get(selector) if self._file and selector else None

    async def _fits(self, line: NamedToken, presented: bytes, digest: bytes) -> bool:
        if self._verified.get(digest) == line:
            self._verified.move_to_end(digest)
            return True
        if wait := self._attempts.wait_for(line.selector):
            raise NotLooked("guessed", wait)
        if self._waiting >= WAITING:
            raise NotLooked("busy", 1.0)
        self._waiting += 1
        try:
            fits = await get_running_loop().run_in_executor(self._thread, line.fits, presented)
        finally:
            self._waiting -= 1
        if fits:
            self._verified[digest] = line
            if len(self._verified) > VERIFIED:
                self._verified.popitem(last=False)
        return fits

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
