"""What `doctor` says of the files that let people in: of each with which `serve` would not start, beforehand."""

from functools import cache
from pathlib import Path

import pytest

from mapper.commands.access import access, audit_file, session_key_file, tokens_file
from mapper.commands.examination import PARTS, guarded
from mapper.configuration import load
from mapper.settings import Settings
from mapper.web.named_token import made
from mapper.web.visitor import Role

SECRET = "hunter2"
TOKENS = "two tokens"
KEY = "ab" * 32
LOOK = {"tokens_file": tokens_file, "session_key_file": session_key_file, "audit_file": audit_file}
NO_FILE: dict[str, dict[str, str]] = {  # the setting, how there is no file, the level
    "tokens_file": {"missing": "problem", "no folder": "problem", "below a file": "problem", "a folder": "problem"},
    "session_key_file": {"missing": "limit", "no folder": "limit", "below a file": "problem", "a folder": "problem"},
    "audit_file": {"missing": "ok", "no folder": "problem", "below a file": "problem", "a folder": "problem"},
}
FILES: list[tuple[str, str, int, str, str]] = [  # the setting, text, mode, level, words
    ("tokens_file", TOKENS, 0o600, "ok", "has 2 tokens"),
    ("tokens_file", "", 0o600, "limit", "nobody gets in"),
    ("tokens_file", f"{SECRET}\n", 0o600, "problem", "line 1"),
    ("tokens_file", TOKENS + TOKENS, 0o600, "problem", "line 5"),
    *(("tokens_file", TOKENS, mode, "problem", "by others: chmod 600") for mode in (0o604, 0o644, 0o620, 0o666)),
    ("session_key_file", KEY, 0o600, "ok", "holds a key"),
    ("session_key_file", "", 0o600, "problem", "holds no key"),
    ("session_key_file", SECRET, 0o600, "problem", "holds no key"),
    *(("session_key_file", KEY, mode, "problem", "by others: chmod 600") for mode in (0o604, 0o644, 0o620, 0o666)),
    ("audit_file", "", 0o600, "ok", "can be written"),
    ("audit_file", SECRET, 0o640, "ok", "can be written"),
    *(("audit_file", SECRET, mode, "limit", "by others: chmod 600") for mode in (0o604, 0o644, 0o620, 0o666)),
]


@cache
def two_tokens() -> str:
    """Return two lines of named tokens; making them takes time by intent."""
    return "".join(f"{made(name, Role.READ)[1].line}\n" for name in ("ann", "bob"))


@pytest.mark.parametrize(("setting", "how"), [(setting, how) for setting in NO_FILE for how in NO_FILE[setting]])
def test_a_file_that_is_not_there_is_said_and_none_is_made(tmp_path: Path, setting: str, how: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    places = {"missing": "x", "no folder": "no/x", "below a file": "file/x", "a folder": "folder"}
    (found,) = guarded(LOOK[setting](load(Settings, **{setting: tmp_path / places[how]})))
    assert found.level == NO_FILE[setting][how]
    assert setting in found.text
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("setting", "text", "mode", "level", "words"), FILES)
def test_a_file_is_looked_at_and_nothing_of_it_repeated(
    tmp_path: Path, setting: str, text: str, mode: int, level: str, words: str
) -> None:
    file = tmp_path / "file"
    text = text.replace(TOKENS, f"# {TOKENS}\n{two_tokens()}")
    file.write_text(text)
    file.chmod(mode)
    (found,) = guarded(LOOK[setting](load(Settings, **{setting: file})))
    assert (found.level, words in str(found), SECRET in str(found)) == (level, True, False)
    assert (file.read_text(), file.stat().st_mode & 0o777) == (text, mode)


WHO: dict[str, tuple[dict[str, object], str, str]] = {
    "nobody": ({}, "limit", "loopback only"),
    "a token": ({"token": "t" * 32}, "ok", "the token"),
    "named tokens": ({"tokens_file": "/etc/tokens"}, "ok", "a token of tokens_file"),
    "both": ({"token": "t" * 32, "tokens_file": "/etc/tokens"}, "ok", "the token"),
    "whom a proxy names": (
        {"proxy_user_header": "X-User", "trusted_proxies": ("127.0.0.1",)},
        "limit",
        "only whom a trusted proxy names",
    ),
    "nobody over a network": ({"host": "0.0.0.0"}, "problem", "needed to listen on 0.0.0.0"),
    "named tokens over a network": (
        {"host": "0.0.0.0", "tokens_file": "/etc/tokens"},
        "problem",
        "needed to listen on 0.0.0.0",
    ),
}


@pytest.mark.parametrize("who", WHO)
def test_who_gets_in_is_said(who: str) -> None:
    given, level, words = WHO[who]
    (found,) = guarded(access(load(Settings, **given)))
    assert (found.level, words in found.text) == (level, True)


def test_doctor_looks_at_each_of_them() -> None:
    assert {access, *LOOK.values()} <= set(PARTS)
