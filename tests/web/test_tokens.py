"""Named tokens: the file, what is wrong with it, what changes, and what a check may cost."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.commands.server import run
from mapper.errors import SettingError
from mapper.settings import Settings
from mapper.web import tokens as tokens_module
from mapper.web.attempts import ALL, ALL_EVERY, EACH, EACH_EVERY, Attempts, network
from mapper.web.named_token import NamedToken, made, read
from mapper.web.tokens import BY_TOKEN, Holder, NotLooked, Tokens
from mapper.web.tokens_file import FRESH, LARGEST, TokensFile, state_of
from mapper.web.visitor import Role

TOKEN = "token-of-the-settings-0123456789"
ALICE, ALICES = made("alice", Role.VALUES)
BOB, BOBS = made("bob", Role.READ)
HERE, THERE = "192.0.2.1", "192.0.2.2"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scrypt(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return every token that scrypt was asked for."""
    asked: list[bytes] = []
    fits = NamedToken.fits

    def counted(line: NamedToken, token: bytes) -> bool:
        asked.append(token)
        return fits(line, token)

    monkeypatch.setattr(NamedToken, "fits", counted)
    return asked


def file_of(folder: Path, *lines: NamedToken | str) -> Path:
    path = folder / "tokens"
    path.write_text("".join(f"{line.line if isinstance(line, NamedToken) else line}\n" for line in lines))
    path.chmod(0o600)
    return path


def tokens_of(folder: Path, clock: Clock, *lines: NamedToken | str) -> Tokens:
    return Tokens(TOKEN, TokensFile(file_of(folder, *lines), clock), Attempts(clock))


def check(tokens: Tokens, presented: str, address: str = HERE) -> Holder | None:
    return asyncio.run(tokens.check(presented.encode(), address))


# -- which tokens are right ------------------------------------------------------------------------


def test_each_token_is_its_holders(tmp_path: Path, clock: Clock) -> None:
    tokens = tokens_of(tmp_path, clock, ALICES, BOBS)
    for presented, visitor in ((TOKEN, BY_TOKEN), (ALICE, ALICES.visitor), (BOB, BOBS.visitor)):
        holder = check(tokens, presented)
        assert holder
        assert holder.visitor == visitor


WRONG = {
    "nothing": "",
    "a part": ALICE[:-1],
    "more": ALICE + "x",
    "another end": ALICE[:-1] + ("A" if ALICE[-1] != "A" else "B"),
    "bob's secret": f"{ALICE[:16]}-{BOB[17:]}",
    "alice's secret": f"{BOB[:16]}-{ALICE[17:]}",
    "capitals": ALICE.upper(),
    "a blank": f"{ALICE} ",
    "a line": f"{ALICE}\n",
    "the line itself": ALICES.line,
    "its hash": ALICES.line.split("$")[-1],
    "its selector": ALICES.selector.decode(),
    "not ASCII": ALICE + "ä",
    "NUL": ALICE + "\0",
}


@pytest.mark.parametrize("presented", WRONG.values(), ids=WRONG)
def test_nothing_else_is(tmp_path: Path, clock: Clock, presented: str) -> None:
    assert check(tokens_of(tmp_path, clock, ALICES, BOBS), presented) is None


@given(st.binary())
def test_no_bytes_break_it(presented: bytes) -> None:
    assert asyncio.run(Tokens(TOKEN).check(presented, HERE)) is None


def test_a_line_is_read_as_it_was_printed() -> None:
    assert read(ALICES.line) == ALICES


# -- the file --------------------------------------------------------------------------------------

HASH = ALICES.line.split()[2]
MALFORMED = {
    "a word": "alice",
    "the token itself": ALICE,
    "no role": f"alice {HASH}",
    "an unknown role": f"alice admin {HASH}",
    "a role in capitals": f"alice VALUES {HASH}",
    "more": f"{ALICES.line} more",
    "a name that is none": f"al/ice read {HASH}",
    "the name of another": f"token read {HASH}",
    "no hash": "alice read",
    "a plain token": f"alice read {ALICE}",
    "another hash": "alice read bcrypt$14$8$1$x$x$x",
    "no scrypt": f"alice read {HASH.replace('scrypt', 'md5')}",
    "a cost of nothing": f"alice read {HASH.replace('$14$', '$0$')}",
    "a cost of everything": f"alice read {HASH.replace('$14$', '$30$')}",
    "many blocks": f"alice read {HASH.replace('$8$', '$99$')}",
    "a salt that is no base64": f"alice read {HASH.replace('==$', '=$=')}",
    "a cut hash": f"alice read {HASH[:-1]}",
    "NUL": f"alice\0 read {HASH}",
    "no UTF-8": f"alice\udcff read {HASH}",
    "the name a second time": f"{ALICES.line}\n{made('alice', Role.READ)[1].line}",
    "the token a second time": f"{ALICES.line}\n{ALICES.line.replace('alice', 'bob')}",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_line_is_refused_with_its_number_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(f"# people\n\n{text}\n".encode(errors="surrogateescape"))
    path.chmod(0o600)
    with pytest.raises(SettingError) as failed:
        TokensFile(path)
    said = str(failed.value)
    assert said.startswith(f"tokens_file ({path}, line {2 + len(text.splitlines())}): ")
    assert len(said.splitlines()) == 1
    assert "alice" not in said
    assert HASH[20:40] not in said


@pytest.mark.parametrize(
    ("mode", "right"),
    {0o600: True, 0o400: True, 0o640: True, 0o644: False, 0o660: False, 0o602: False, 0o604: False}.items(),
    ids=oct,
)
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int, right: bool) -> None:
    path = file_of(tmp_path, ALICES)
    path.chmod(mode)
    if right:
        assert len(TokensFile(path).tokens) == 1
        return
    with pytest.raises(SettingError, match=r"^tokens_file: .* by others: chmod 600 it$"):
        TokensFile(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(SettingError, match=r"^tokens_file: .* cannot be read \("):
            TokensFile(path)


def test_a_file_is_of_bounded_size(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="larger than 1 MB"):
        TokensFile(file_of(tmp_path, "#" * (LARGEST + 1)))


@pytest.mark.parametrize("name", ["tokens_file", "session_key_file", "audit_file"])
def test_serve_stops_at_the_start_before_it_makes_anything(tmp_path: Path, name: str) -> None:
    wrong = file_of(tmp_path, "what") if name != "audit_file" else tmp_path
    settings = Settings(ledger=f"sqlite:///{tmp_path}/ledger.db", port=0, **{name: wrong})  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=f"^{name}"):
        run(settings)
    assert not (tmp_path / "ledger.db").exists()


def test_what_changes_counts_at_once(tmp_path: Path, clock: Clock) -> None:
    tokens = tokens_of(tmp_path, clock, ALICES)
    assert check(tokens, ALICE)
    assert check(tokens, BOB) is None
    file_of(tmp_path, BOBS)
    clock.now += FRESH
    assert check(tokens, ALICE) is None, "although it was known again without scrypt"
    assert check(tokens, BOB)
    file_of(tmp_path, BOBS.line.replace(" read ", " operate "))
    clock.now += FRESH
    holder = check(tokens, BOB)
    assert holder
    assert holder.visitor.role is Role.OPERATE


@pytest.mark.parametrize("how", ["malformed", "gone", "open"])
def test_a_file_that_became_wrong_lets_nobody_in_until_it_is_right(
    tmp_path: Path, clock: Clock, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = tokens_of(tmp_path, clock, ALICES)
    path = tmp_path / "tokens"
    if how == "malformed":
        file_of(tmp_path, ALICES, "what")
    elif how == "gone":
        path.unlink()
    else:
        path.chmod(0o644)
    for _ in range(3):
        clock.now += FRESH
        assert check(tokens, ALICE) is None
    assert check(tokens, TOKEN), "the token of the settings is not of the file"
    assert capsys.readouterr().err.count("nobody of tokens_file gets in") == 1
    file_of(tmp_path, ALICES, "")
    clock.now += FRESH
    assert check(tokens, ALICE, THERE)


FAILS = {"once": 1, "for long": 5}


@pytest.mark.parametrize("times", FAILS.values(), ids=FAILS)
@pytest.mark.parametrize("changed", [True, False], ids=["changed", "as it was"])
def test_a_file_that_could_not_be_read_is_read_again(
    tmp_path: Path, clock: Clock, times: int, changed: bool, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """However often it fails, and although nothing of it changes afterwards."""
    tokens = tokens_of(tmp_path, clock, ALICES)
    path, opened, state = tmp_path / "tokens", Path.open, state_of(tmp_path / "tokens")
    file_of(tmp_path, ALICES, BOBS) if changed else path.touch()

    def broken(path: Path, *given: Any, **named: Any) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", broken)
    for _ in range(times):
        clock.now += FRESH
        assert check(tokens, ALICE, THERE) is None
    monkeypatch.setattr(Path, "open", opened)
    if not changed:
        monkeypatch.setattr("mapper.web.tokens_file.state_of", lambda path: state)
    clock.now += FRESH
    assert check(tokens, ALICE)
    assert (check(tokens, BOB) is not None) is changed
    assert capsys.readouterr().err.count("nobody of tokens_file gets in") == 1


# -- what a check may cost -------------------------------------------------------------------------


def test_scrypt_runs_for_known_selectors_alone_and_once_for_a_right_token(
    tmp_path: Path, clock: Clock, scrypt: list[bytes]
) -> None:
    tokens = tokens_of(tmp_path, clock, ALICES, BOBS)
    for wrong in ("", "x" * 1000, f"ofh-{'0' * 12}-{'A' * 43}", TOKEN + "x"):
        check(tokens, wrong, THERE)
    assert scrypt == []
    for _ in range(5):
        assert check(tokens, ALICE)
    assert scrypt == [ALICE.encode()]


def test_whoever_knows_a_selector_burns_no_more_than_the_bound(
    tmp_path: Path, clock: Clock, scrypt: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From as many addresses as there are; and who was known before, and the token of the settings, get in."""
    tokens = tokens_of(tmp_path, clock, ALICES, BOBS)
    assert check(tokens, BOB)
    monkeypatch.setattr(NamedToken, "fits", lambda line, token: scrypt.append(token) or False)  # as wrong ones are
    for number in range(ALL * 3):
        with suppress(NotLooked):
            check(tokens, WRONG["another end"], f"198.51.{number // 250}.{number % 250}")
    assert len(scrypt) == ALL + 1
    assert check(tokens, BOB, "203.0.113.9")
    assert check(tokens, TOKEN, "203.0.113.9")
    clock.now += ALL_EVERY
    assert check(tokens, WRONG["another end"], "203.0.113.7") is None
    assert len(scrypt) == ALL + 2


def test_one_check_runs_at_a_time_and_few_wait(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = tokens_of(tmp_path, clock, ALICES)
    at_work, most = 0, 0

    def slow(line: NamedToken, token: bytes) -> bool:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        at_work -= 1
        return False

    monkeypatch.setattr(NamedToken, "fits", slow)

    async def crowd() -> list[object]:
        wrong = [f"{ALICE[:17]}{number:043d}".encode() for number in range(30)]
        asked = [tokens.check(one, f"192.0.2.{number}") for number, one in enumerate(wrong)]
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(crowd())
    busy = [one for one in answers if isinstance(one, NotLooked)]
    assert [one.reason for one in busy] == ["busy"] * (30 - tokens_module.WAITING)
    assert most == 1


# -- how often one may be wrong --------------------------------------------------------------------


def test_wrong_tokens_are_looked_at_so_often_from_one_address(clock: Clock) -> None:
    tokens = Tokens(TOKEN, None, Attempts(clock))
    for _ in range(EACH):
        assert check(tokens, "wrong") is None
    for presented in ("wrong", TOKEN):
        with pytest.raises(NotLooked) as not_looked:
            check(tokens, presented)
        assert 0 < not_looked.value.seconds <= EACH_EVERY
    assert check(tokens, TOKEN, THERE), "the right token from elsewhere"
    clock.now += EACH_EVERY
    assert check(tokens, TOKEN)


def test_who_was_right_from_an_address_is_not_held_up_by_its_neighbours(clock: Clock) -> None:
    tokens = Tokens(TOKEN, None, Attempts(clock))
    assert check(tokens, TOKEN)
    for _ in range(EACH):
        check(tokens, "wrong")
    assert check(tokens, TOKEN)
    with pytest.raises(NotLooked):
        check(tokens, "wrong")


def test_rest_gives_back_no_more_than_there_was(clock: Clock) -> None:
    tokens = Tokens(TOKEN, None, Attempts(clock))
    check(tokens, "wrong")
    clock.now += 1e6
    for _ in range(EACH):
        assert check(tokens, "wrong") is None
    with pytest.raises(NotLooked):
        check(tokens, "wrong")


def test_what_is_remembered_is_bounded(clock: Clock) -> None:
    attempts = Attempts(clock, most=50)
    for number in range(500):
        attempts.wrong(f"10.0.{number // 250}.{number % 250}", b"%d" % number)
        attempts.right(f"10.0.{number // 250}.{number % 250}", b"digest")
    assert len(attempts._each) == len(attempts._dear) == len(attempts._right) == 50


NETWORKS = {
    "IPv4": (HERE, THERE, False),
    "the same": (HERE, HERE, True),
    "IPv4 in IPv6": (HERE, f"::ffff:{HERE}", True),
    "one network of IPv6": ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
    "two networks of IPv6": ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    "a zone": ("fe80::1%eth0", "fe80::1%eth1", True),
    "no address": ("", "testclient", True),
}


@pytest.mark.parametrize(("one", "other", "same"), NETWORKS.values(), ids=NETWORKS)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same
