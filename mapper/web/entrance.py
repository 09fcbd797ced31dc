"""Who a request is of: by a token, by a session, or by the word of a trusted proxy, in this order."""

from dataclasses import dataclass, field

from starlette.types import Scope

from mapper.settings import Settings
from mapper.web.audit import Audit
from mapper.web.headers import Headers, presented
from mapper.web.logouts import Crowded, Logouts
from mapper.web.proxies import Proxies, Untold
from mapper.web.session import Session, Sessions
from mapper.web.session_key import key_of
from mapper.web.tokens import NotLooked, Tokens
from mapper.web.tokens_file import TokensFile
from mapper.web.visitor import Role, Visitor

COOKIE = "orthanc-fhir"
ANYBODY = Visitor("this machine", Role.OPERATE)
"""Whoever asks a service that knows neither tokens nor proxies: it answers on loopback only."""
THROUGH_ORTHANC = b"x-orthanc-fhir-plugin"
"""Header of the plugin: whoever uses Orthanc's routes may do no more than operate, whatever token the plugin has."""


class Refused(Exception):
    """Somebody is not let in; `reason` is a key of REFUSALS, `seconds` is when to come again, if that helps."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.seconds = reason, seconds


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who was let in; `csrf` is what forms have to show, and every other write too where `session` is set."""

    visitor: Visitor
    csrf: str = ""
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Entrance:
    """All that lets people and programs in."""

    tokens: Tokens
    sessions: Sessions = field(default_factory=lambda: Sessions(key_of(None)))
    proxies: Proxies = field(default_factory=Proxies)
    audit: Audit = field(default_factory=Audit)
    logouts: Logouts = field(default_factory=Logouts)

    @property
    def is_open(self) -> bool:
        """Whether nobody has to say who they are: there is nothing to say it with."""
        return not self.tokens.any and not self.proxies.user_header

    async def admit(self, scope: Scope, headers: Headers) -> Admitted:
        """Return who a request is of; raises Refused."""
        if self.is_open:
            return Admitted(ANYBODY)
        if b"authorization" in headers:
            return Admitted(capped(await self._by_token(scope, headers), headers))
        if cookie := headers.cookie(COOKIE):
            session = self.sessions.read(cookie)
            if session and (visitor := self._holder(session)) and not await self._is_ended(session):
                return Admitted(visitor, self.sessions.secret(session.id), session)
        try:
            visitor = self.proxies.visitor(scope, headers)
        except Untold:
            raise Refused("untold") from None
        if visitor:
            return Admitted(visitor, self.sessions.secret(f"proxy {visitor.name}"))
        raise Refused("ended" if cookie else "no token")

    async def _by_token(self, scope: Scope, headers: Headers) -> Visitor:
        try:
            holder = await self.tokens.check(presented(headers), self.proxies.address(scope, headers))
        except NotLooked as not_looked:
            raise Refused(not_looked.reason, not_looked.seconds) from None
        if holder is None:
            raise Refused("wrong token")
        return holder.visitor

    async def _is_ended(self, session: Session) -> bool:
        """Tell whether a session was ended, here or elsewhere, and remember it; raises Refused where we are too busy.

        What is remembered is looked at after the ledger: it may have answered somebody else meanwhile.
        """
        try:
            if await self.logouts.has(session):
                self.sessions.end(session)
        except Crowded:
            if not self.sessions.has_ended(session):
                raise Refused("busy") from None
        return self.sessions.has_ended(session)

    def _holder(self, session: Session) -> Visitor | None:
        """Return who a session is of, with the role of now; None where the token it was begun with is gone."""
        for holder in self.tokens.holders(session.name):
            if self.sessions.proof(holder.credential) == session.proof:
                return holder.visitor
        return None

    def close(self) -> None:
        """Let go of threads and files."""
        self.tokens.close()
        self.logouts.close()
        self.audit.close()


def capped(visitor: Visitor, headers: Headers) -> Visitor:
    """Return a visitor as the plugin may pass it on: with no more than `operate`."""
    if THROUGH_ORTHANC not in headers:
        return visitor
    return Visitor(f"{visitor.name} through Orthanc", min(visitor.role, Role.OPERATE))


def entrance_of(settings: Settings) -> Entrance:
    """Return the entrance that the settings describe; raises SettingError when a file of it cannot be used."""
    token = settings.token.get_secret_value() if settings.token else None
    return Entrance(
        Tokens(token, TokensFile(settings.tokens_file) if settings.tokens_file else None),
        Sessions(key_of(settings.session_key_file)),
        Proxies(
            settings.trusted_proxies,
            (settings.proxy_user_header or "").lower().encode(),
            (settings.proxy_role_header or "").lower().encode(),
            Role.named(settings.proxy_role),
            settings.root_path,
        ),
        Audit(settings.audit_file, settings.audit_size, settings.audit_count),
    )
