"""Sessions of browsers: a signed cookie that every replica can read, bound to the token that it was begun with.

Nothing of it is kept here but which sessions were ended before their time; other replicas learn that by the ledger
(mapper/web/logouts.py), and keep what they learned.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

LIFE = 12 * 3600
"""Seconds after which one logs in again, whatever one did meanwhile."""
SKEW = 60
"""Seconds by which the clock of the replica that began a session may be ahead."""
MOST = 10_000
"""Sessions that were ended and are remembered until they would have ended anyway."""
LONGEST = 1024
"""Characters of a cookie of ours."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who logged in: an id, a name, what shows the token, and when it began in seconds since the epoch."""

    id: str
    name: str
    proof: str
    began: int


class Sessions:
    """Begins, reads and ends sessions under one key."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time, most: int = MOST) -> None:
        self._key, self._clock, self._most = key, clock, most
        self._signed = URLSafeSerializer(
            key, salt="orthanc-fhir session", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )
        self._ended: OrderedDict[str, int] = OrderedDict()
        self._none_before = -1

    def begin(self, name: str, credential: bytes) -> str:
        """Return the cookie of a new session, with an id that nobody knew before."""
        began = int(self._clock())
        return str(self._signed.dumps([secrets.token_urlsafe(16), name, self.proof(credential), began]))

    def read(self, cookie: str) -> Session | None:
        """Return a session that was begun by us, lives, and was not ended; else None."""
        if len(cookie) > LONGEST:
            return None
        try:
            session = Session(*self._signed.loads(cookie))
        except (BadData, TypeError):
            return None
        if not -SKEW <= self._clock() - session.began < LIFE:
            return None
        return None if self.has_ended(session) else session

    def has_ended(self, session: Session) -> bool:
        """Tell whether a session is remembered as ended before its time."""
        return session.began <= self._none_before or session.id in self._ended

    def end(self, session: Session) -> None:
        """End a session: its cookie opens nothing any more, whoever has it.

        Where more are ended than can be remembered, those that began earliest are ended all together.
        """
        if self.has_ended(session):
            return
        now = self._clock()
        for one in [one for one, began in self._ended.items() if now - began >= LIFE]:
            del self._ended[one]
        self._ended[session.id] = session.began
        if len(self._ended) > self._most:
            earliest = min(self._ended, key=lambda one: self._ended[one])
            self._none_before = max(self._none_before, self._ended.pop(earliest))

    def proof(self, credential: bytes) -> str:
        """Return what shows that a session was begun with a credential, and tells nothing of it."""
        return hmac.new(self._key, b"proof " + credential, hashlib.sha256).hexdigest()[:32]

    def secret(self, of: str) -> str:
        """Return what a form has to show that it is of a page made for this session, or this visitor."""
        return hmac.new(self._key, b"form " + of.encode(), hashlib.sha256).hexdigest()
