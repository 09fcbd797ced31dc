"""The log: one line a fact, JSON by default; never a value of a DICOM attribute.

A service logs on standard output (`configure`). Everywhere else that is a command's own, for what a program reads:
whoever logs there is heard on standard error.
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from mapper.rate_limit import RateLimit
from mapper.terminal import shown

HELD_BACK = "held_back"
"""The attribute of a record that says how many like it were not written."""


def configure(form: str = "json", rate: RateLimit | None = None) -> None:
    """Send our own log and that of libraries to standard output in one form; a library's line once a minute."""
    if form == "json":
        render: list[Any] = [structlog.processors.JSONRenderer()]
    else:
        render = [harmless, structlog.dev.ConsoleRenderer(colors=False)]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[handler_of(form, rate or RateLimit())], level=logging.WARNING)
    logging.captureWarnings(True)


def handler_of(form: str, rate: RateLimit) -> logging.Handler:
    """Return what writes the lines of libraries."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Silent(form))
    handler.addFilter(Seldom(rate))
    return handler


def harmless(logger: Any, method: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Make control characters of a line for people visible; JSON escapes them by itself."""
    return {name: shown(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}


class Seldom(logging.Filter):
    """Lets a line of a library pass once a minute: a socket that fails, fails a thousand times a second."""

    def __init__(self, rate: RateLimit) -> None:
        super().__init__()
        self._rate = rate

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line passes; it is told how many like it did not."""
        error = record.exc_info[0] if record.exc_info else None
        held_back = self._rate.turn((record.name, record.module, record.lineno, record.levelno, error))
        setattr(record, HELD_BACK, held_back)
        return held_back is not None


class Silent(logging.Formatter):
    """Says that a library said something, and where: its text, or a traceback's, may quote a value."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without the message."""
        where = f"{record.module}:{record.lineno}"
        facts: dict[str, object] = {
            "event": "library",
            "level": record.levelname.lower(),
            "logger": record.name,
            "where": where,
        }
        if record.exc_info and record.exc_info[0]:
            facts["error"] = record.exc_info[0].__name__
        if held_back := getattr(record, HELD_BACK, 0):
            facts["times"] = held_back + 1
        return json.dumps(facts) if self._form == "json" else " ".join(map(str, facts.values()))


def aside(least: int = logging.WARNING) -> None:
    """Log on standard error from a level on, by default what somebody should look at."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, harmless, structlog.dev.ConsoleRenderer(colors=False)],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *names: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> Any:
    """Return what a module logs with."""
    return structlog.get_logger(name)


def say(event: str, **facts: object) -> None:
    """Log a fact of the service itself."""
    structlog.get_logger("mapper").info(event, **facts)


def warn(event: str, **facts: object) -> None:
    """Log something a person should do."""
    structlog.get_logger("mapper").warning(event, **facts)


aside(logging.NOTSET)  # before anybody says where: never into what a program reads
