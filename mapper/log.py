"""The log: one line a fact on standard output, JSON by default; never a value of a DICOM attribute."""

import json
import logging
import sys

import structlog


def configure(form: str = "json") -> None:
    """Send our own log and that of libraries to standard output in one form."""
    render = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            render,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Silent(form))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.captureWarnings(True)


class Silent(logging.Formatter):
    """Says that a library said something, and where: its text, or a traceback's, may quote a value."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without the message."""
        where = f"{record.module}:{record.lineno}"
        facts = {"event": "library", "level": record.levelname.lower(), "logger": record.name, "where": where}
        if record.exc_info and record.exc_info[0]:
            facts["error"] = record.exc_info[0].__name__
        return json.dumps(facts) if self._form == "json" else " ".join(facts.values())


def say(event: str, **facts: object) -> None:
    """Log a fact of the service itself."""
    structlog.get_logger("mapper").info(event, **facts)


def warn(event: str, **facts: object) -> None:
    """Log something a person should do."""
    structlog.get_logger("mapper").warning(event, **facts)
