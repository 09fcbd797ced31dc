"""One connection of a client: nobody holds one for long without asking, and there is always room for one more.

uvicorn bounds neither the time in which the head of a request arrives nor that in which its body does.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from mapper.web.guard import HEADERS
from mapper.web.refusals import Refusals

SECONDS = {"head": 10.0, "body": 30.0, "answer": 120.0, "close": 10.0}
"""How long each stage of a connection may last: a head begins with the connection, or when the last answer ends."""
SPARE = 16
"""Connections beyond the most, as long as all of them are at work: a probe finds room all the same."""
BAD_REQUEST = b'{"message":"this is no HTTP"}'


class Connection(H11Protocol):
    """Speaks HTTP/1.1 by h11 within deadlines; the one that idles longest makes room for a new one.

    `most` connections are held at one time; `refusals` hears of those that are cut.
    """

    most: ClassVar[int]
    refusals: ClassVar[Refusals]
    seconds: ClassVar[Mapping[str, float]]
    line: "ClassVar[dict[Connection, None]]"
    """Every connection that is held, those first whose stage began first."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._stage = ""
        self._of: object = None
        self._heard = False
        self._gone = False
        self._deadline: asyncio.TimerHandle | None = None

    # -- what asyncio and uvicorn call ----------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection in, and let go of another one where there are too many."""
        super().connection_made(transport)
        self._watch()
        if len(self.line) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        self._watch()
        self._heard = True

    def on_response_complete(self) -> None:
        """End one answer, and wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Note that the client does not take its answer as fast as it is given."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Note that it takes it again."""
        super().resume_writing()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as everything else is answered."""
        self.refusals.note("no http")
        if self.cycle:
            self.cycle.disconnected = True  # whatever was about to answer is too late
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self._cut()
            return
        headers = [*HEADERS.items(), ("Content-Type", "application/json"), ("Connection", "close")]
        for event in (
            h11.Response(status_code=400, headers=[*headers, ("Content-Length", str(len(BAD_REQUEST)))]),
            h11.Data(data=BAD_REQUEST),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    # -- deadlines ------------------------------------------------------------------------------

    @property
    def stage(self) -> str:
        """What the connection waits for now: a head, a body, our answer, or its end."""
        if self.transport.is_closing():
            return "close"
        if self.flow.write_paused:
            return "answer"
        return {h11.IDLE: "head", h11.SEND_BODY: "body"}.get(self.conn.their_state, "answer")

    @property
    def idles(self) -> bool:
        """Whether nothing is lost with it that we are at work on: it waits for the client."""
        return self.stage != "answer" or self.flow.write_paused

    def _watch(self) -> None:
        """Begin the time of a stage when it begins."""
        if self._gone or (self.stage, self.cycle) == (self._stage, self._of):
            return
        self._leave()
        self._gone = False
        self._stage, self._of, self._heard = self.stage, self.cycle, False
        self._deadline = self.loop.call_later(self.seconds[self._stage], self._late)
        self.line[self] = None

    def _leave(self) -> None:
        self._gone = True
        self.line.pop(self, None)
        if self._deadline:
            self._deadline.cancel()

    def _cut(self) -> None:
        self._leave()
        self.transport.abort()

    def _late(self) -> None:
        if self._stage in ("body", "answer") or (self._stage == "head" and self._heard):
            self.refusals.note(f"late {self._stage}")  # one that never said anything is nobody's attack
        self._cut()

    def _make_room(self) -> None:
        idle = next((one for one in self.line if one is not self and one.idles), None)
        if idle is None and len(self.line) <= self.most + SPARE:
            return
        self.refusals.note("crowd")
        (idle or self)._cut()


def connection_of(most: int, refusals: Refusals, seconds: Mapping[str, float] = SECONDS) -> type[Connection]:
    """Return the protocol of a server that holds so many connections."""
    return type("Connection", (Connection,), {"most": most, "refusals": refusals, "seconds": seconds, "line": {}})
