"""`token`: what it prints once is let in by the line that it prints beside it, and by nothing else."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mapper.commands.cli import app
from mapper.web.tokens import Tokens
from mapper.web.tokens_file import TokensFile
from mapper.web.visitor import Role


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def token(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["token", *arguments])


@pytest.mark.parametrize("role", Role)
def test_the_token_is_let_in_by_its_line(tmp_path: Path, role: Role) -> None:
    result = token("alice", "--role", role.word)
    assert result.exit_code == 0
    printed, line = result.stdout.splitlines()
    assert printed not in line
    file = tmp_path / "tokens"
    file.write_text(f"# who may come in\n\n{line}\n")
    file.chmod(0o600)
    holder = asyncio.run(Tokens(None, TokensFile(file)).check(printed.encode(), "127.0.0.1"))
    assert holder
    assert (holder.visitor.name, holder.visitor.role) == ("alice", role)


def test_two_tokens_have_nothing_in_common() -> None:
    one, other = (token("alice", "--role", "read").stdout.split() for _ in range(2))
    assert one[0] != other[0]
    assert one[-1].split("$")[4:] != other[-1].split("$")[4:]


def test_it_says_which_file_the_line_is_for(tmp_path: Path) -> None:
    (tmp_path / "orthanc-fhir.toml").write_text(f"tokens_file = '{tmp_path}/who'\n")
    assert f"{tmp_path}/who" in token("alice", "--role", "read").stderr
    assert not (tmp_path / "who").exists(), "it writes nowhere"


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a\n", "-a", ".a", "ä", "a#", "a$b", "a\x1b[1m", "x" * 65, "token", "nobody", "a/b"]
)
def test_a_name_that_cannot_stand_in_a_line_is_refused(name: str) -> None:
    result = token("--role", "read", "--", name)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("orthanc-fhir: NAME: ")


@pytest.mark.parametrize("name", ["a", "0", "alice", "alice@example.org", "A.B_c-d", "x" * 64])
def test_a_name_may_be(name: str) -> None:
    assert token(name, "--role", "values").exit_code == 0
