"""The log: our facts as they are, of libraries only that they spoke, and where, once a minute."""

import json
import logging

import pytest

from mapper import log
from mapper.rate_limit import RateLimit
from tests.support.fakes import Clock

MARK = "zqxmarker"
forms = pytest.mark.parametrize("form", ["json", "text"])


def library(form: str, clock: Clock) -> logging.Logger:
    """Return the logger of a library whose lines our handler alone writes."""
    logger = logging.Logger(f"library.{form}")
    logger.addHandler(log.handler_of(form, RateLimit(clock=clock)))
    return logger


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def broken() -> Exception:
    try:
        raise OSError(24, MARK)
    except OSError as error:
        return error


@forms
def test_a_line_that_comes_again_and_again_is_written_once_a_minute(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(0.0)
    logger = library(form, clock)
    for moment in (0.0, 1.0, 2.0, 59.0, 61.0, 62.0, 122.0):
        clock.now = moment
        logger.error("socket.accept() out of system resource %s", MARK, exc_info=broken())
    said = lines(capsys)
    assert len(said) == 3
    assert all("OSError" in line and MARK not in line for line in said)
    if form == "json":
        assert [json.loads(line).get("times") for line in said] == [None, 4, 2]
    else:
        assert [line.rpartition(" ")[2] for line in said] == ["OSError", "4", "2"]


@forms
def test_another_line_is_written_all_the_same(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logger = library(form, Clock())
    for _ in range(2):
        for error in (None, broken(), ValueError(MARK)):
            logger.warning("something", exc_info=error)
        logger.warning("something else")
        logger.error("something")
    assert len(lines(capsys)) == 5


@forms
def test_no_control_character_of_a_fact_reaches_the_terminal(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(form)
    log.warn("source down", reason="\x1b[31m\x9b1m\u202e answers\nforged line", number=5)
    (line,) = lines(capsys)
    assert not {"\x1b", "\x9b", "\u202e"} & {*line}
    assert "u001b[31m" in line or r"\x1b[31m" in line
    assert "5" in line
