"""Sessions: what their cookie shows, how they end, and that nothing but the key makes one."""

import base64
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from mapper.errors import SettingError
from mapper.web.session import LIFE, LONGEST, SKEW, Sessions
from mapper.web.session_key import key_of

KEY, TOKEN = b"k" * 32, b"token-of-these-tests"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(KEY, clock)


def test_a_session_is_read_by_every_replica_with_the_key(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin("alice", TOKEN)
    for one in (sessions, Sessions(KEY, clock)):
        session = one.read(cookie)
        assert session
        assert (session.name, session.proof) == ("alice", one.proof(TOKEN))
    assert Sessions(b"x" * 32, clock).read(cookie) is None


def test_the_cookie_tells_nothing_of_the_token(sessions: Sessions) -> None:
    cookie = sessions.begin("alice", TOKEN)
    payload = cookie.partition(".")[0]
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    assert TOKEN not in text
    assert sessions.proof(TOKEN) != sessions.proof(TOKEN + b"x")


def test_every_session_is_a_new_one(sessions: Sessions) -> None:
    found = [sessions.read(sessions.begin("alice", TOKEN)) for _ in range(20)]
    assert len({one.id for one in found if one}) == 20
    assert len({sessions.secret(one.id) for one in found if one}) == 20


def test_a_session_lives_so_long_and_no_longer(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin("alice", TOKEN)
    begun = clock.now
    for seconds, lives in ((0, True), (LIFE - 1, True), (LIFE, False), (LIFE + 1, False), (10 * LIFE, False)):
        clock.now = begun + seconds
        assert (sessions.read(cookie) is not None) is lives


@pytest.mark.parametrize(
    ("behind", "lives"), {0: True, 0.9: True, 1.4: True, SKEW: True, SKEW + 0.1: False, 1e6: False}.items()
)
def test_a_replica_whose_clock_is_a_little_behind_reads_it(clock: Clock, behind: float, lives: bool) -> None:
    cookie = Sessions(KEY, clock).begin("alice", TOKEN)
    clock.now -= behind
    assert (Sessions(KEY, clock).read(cookie) is not None) is lives


def test_a_session_that_was_ended_is_not_replayed(sessions: Sessions, clock: Clock) -> None:
    cookie, other = sessions.begin("alice", TOKEN), sessions.begin("alice", TOKEN)
    session = sessions.read(cookie)
    assert session
    sessions.end(session)
    clock.now += 1
    assert sessions.read(cookie) is None
    assert sessions.read(other), "the other one of the same person lives"


def test_what_is_remembered_of_ended_sessions_is_bounded_and_none_comes_back(clock: Clock) -> None:
    sessions = Sessions(KEY, clock, most=5)
    cookies = []
    for _ in range(20):
        cookies.append(sessions.begin("alice", TOKEN))
        session = sessions.read(cookies[-1])
        assert session
        sessions.end(session)
        clock.now += 1
    assert [sessions.read(cookie) for cookie in cookies] == [None] * 20
    assert len(sessions._ended) <= 5
    assert sessions.read(sessions.begin("alice", TOKEN)), "a new login is not among them"


def signed(payload: object, key: bytes = KEY, salt: str = "orthanc-fhir session") -> str:
    import hashlib

    how = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return str(URLSafeSerializer(key, salt=salt, signer_kwargs=how).dumps(payload))


FORGED = {
    "nothing": "",
    "a dot": ".",
    "no signature": base64.urlsafe_b64encode(json.dumps(["id", "alice", "x", 1_800_000_000]).encode()).decode(),
    "an empty signature": base64.urlsafe_b64encode(b'["id","alice","x",1800000000]').decode() + ".",
    "another key": signed(["id", "alice", "x", 1_800_000_000], b"other" * 8),
    "an empty key": signed(["id", "alice", "x", 1_800_000_000], b""),
    "another purpose": signed(["id", "alice", "x", 1_800_000_000], salt="itsdangerous"),
    "another library's form": str(URLSafeTimedSerializer(KEY).dumps(["id", "alice", "x", 1_800_000_000])),
    "long": "x" * (LONGEST + 1),
    "not ASCII": "ä.ö",
    "NUL": "\0",
}


@pytest.mark.parametrize("cookie", FORGED.values(), ids=FORGED)
def test_a_forged_cookie_is_none(sessions: Sessions, cookie: str) -> None:
    assert sessions.read(cookie) is None


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_no_changed_letter_is_taken(place: int, letter: int) -> None:
    clock = Clock()
    sessions = Sessions(KEY, clock)
    cookie = sessions.begin("alice", TOKEN)
    place %= len(cookie)
    changed = cookie[:place] + chr(letter) + cookie[place + 1 :]
    session = sessions.read(changed)
    if session is not None:  # the last letter of Base64 has bits that mean nothing
        assert session == sessions.read(cookie)


@given(st.text())
def test_no_text_breaks_it(cookie: str) -> None:
    assert Sessions(KEY).read(cookie) is None


# -- the key ---------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "session-key"
    key = key_of(path)
    assert len(key) == 32
    assert key_of(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_file_every_process_has_its_own() -> None:
    assert key_of(None) != key_of(None)


WRONG_KEYS = {"nothing": "", "short": "ab" * 31, "long": "ab" * 33, "no hex": "xy" * 32, "capitals": "AB" * 32}


@pytest.mark.parametrize("text", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_key_that_is_none_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SettingError, match=r"^session_key_file: .* holds no key") as failed:
        key_of(path)
    assert not text or text not in str(failed.value)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o602])
def test_a_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    key_of(path)
    path.chmod(mode)
    with pytest.raises(SettingError, match="by others"):
        key_of(path)


def test_a_key_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match=r"^session_key_file: .* cannot be read or made"):
        key_of(tmp_path / "file" / "key")
