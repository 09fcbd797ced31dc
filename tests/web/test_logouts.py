"""Logouts under load: neither a queue of our own nor a logout that waits lets a stolen cookie in again."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mapper.errors import LedgerFailed
from mapper.web.entrance import COOKIE, Entrance, Refused
from mapper.web.headers import Headers
from mapper.web.logouts import WAITING, Logouts
from mapper.web.session import Sessions
from mapper.web.tokens import Tokens

TOKEN = "token-of-these-tests"
SHORT = 1.0
"""Seconds of patience where a ledger of these tests does not answer: enough to send so many requests on their way."""


class Ledger:
    """Answers one question after the other as it is told; where nothing is left it hangs until these tests end."""

    def __init__(self, *answers: bool | Exception, hangs_on_add: bool = False) -> None:
        self._answers, self._hangs_on_add = list(answers), hangs_on_add
        self.asked, self.over = threading.Event(), threading.Event()

    def add(self, session_id: str, until: float) -> None:
        if self._hangs_on_add:
            self.over.wait()

    def has(self, session_id: str) -> bool:
        self.asked.wait()
        if not self._answers:
            self.over.wait()
            return False
        if isinstance(answer := self._answers.pop(0), Exception):
            raise answer
        return answer


@contextmanager
def entrance(ledger: Ledger, patience: float = SHORT) -> Iterator[tuple[Entrance, str]]:
    """Yield an entrance that asks a ledger, and a cookie of it."""
    made = Entrance(Tokens(TOKEN, None), Sessions(b"k" * 32), logouts=Logouts(patience))
    made.logouts.watch(ledger)
    try:
        yield made, made.sessions.begin("token", made.tokens.holders("token")[0].credential)
    finally:
        ledger.asked.set()
        ledger.over.set()
        made.close()


async def admitted(made: Entrance, cookie: str) -> str:
    """Return what becomes of a request with a cookie: `in`, or why it is refused."""
    headers = Headers([(b"cookie", f"{COOKIE}={cookie}".encode())])
    try:
        await made.admit({"type": "http", "client": ("127.0.0.1", 1), "headers": []}, headers)
    except Refused as refused:
        return refused.reason
    return "in"


async def flood(made: Entrance, cookie: str, number: int, ledger: Ledger) -> list[str]:
    """Return what becomes of so many requests that all wait before the first answer."""
    requests = [asyncio.create_task(admitted(made, cookie)) for _ in range(number)]
    await asyncio.sleep(0)
    ledger.asked.set()
    return list(await asyncio.gather(*requests))


FAILED = LedgerFailed("the ledger failed")
SITUATIONS: dict[str, tuple[Ledger, int, set[str]]] = {
    "it was ended, and the ledger answers all": (Ledger(*[True] * 10), 10, {"ended"}),
    "it was ended, and the ledger hangs after the first answer": (Ledger(True), WAITING, {"ended"}),
    "the same with more than may wait": (Ledger(True), WAITING * 10, {"ended", "busy"}),
    "it lives, and the ledger answers all": (Ledger(*[False] * 10), 10, {"in"}),
    "it lives, and the ledger is slower than they come": (Ledger(False), WAITING, {"in", "busy"}),
    "the ledger hangs": (Ledger(), 10, {"in"}),
    "the ledger fails": (Ledger(*[FAILED] * 10), 10, {"in"}),
}


@pytest.mark.parametrize(("ledger", "number", "became"), SITUATIONS.values(), ids=SITUATIONS)
def test_only_a_ledger_that_fails_or_hangs_lets_in_without_its_word(
    ledger: Ledger, number: int, became: set[str]
) -> None:
    with entrance(ledger) as (made, cookie):
        found = asyncio.run(flood(made, cookie, number, ledger))
    assert set(found) == became
    if became == {"in", "busy"}:
        assert found.count("in") == 1


def test_what_the_ledger_said_once_is_remembered_when_it_hangs() -> None:
    (ledger := Ledger(True)).asked.set()
    with entrance(ledger) as (made, cookie):
        assert [asyncio.run(admitted(made, cookie)) for _ in range(3)] == ["ended"] * 3


def test_a_logout_that_waits_keeps_no_question_waiting() -> None:
    async def both(made: Entrance, cookie: str) -> str:
        session = made.sessions.read(made.sessions.begin("token", b"of somebody else"))
        assert session
        telling = asyncio.create_task(made.logouts.add(session))
        await asyncio.sleep(0)  # it is on its way
        said = await admitted(made, cookie)
        ledger.over.set()
        await telling
        return said

    ledger = Ledger(True, hangs_on_add=True)
    ledger.asked.set()
    with entrance(ledger, patience=60.0) as (made, cookie):
        assert asyncio.run(asyncio.wait_for(both(made, cookie), 30.0)) == "ended"
