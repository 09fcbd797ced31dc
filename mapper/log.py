"""The log: one line a fact on standard output, JSON by default; never a value of a DICOM attribute."""

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
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(levelname)s %(name)s")
    logging.captureWarnings(True)  # a warning of pydicom may quote a value: its text is never shown


def say(event: str, **facts: object) -> None:
    """Log a fact of the service itself."""
    structlog.get_logger("mapper").info(event, **facts)


def warn(event: str, **facts: object) -> None:
    """Log something a person should do."""
    structlog.get_logger("mapper").warning(event, **facts)
