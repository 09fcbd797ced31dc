"""Who did what: looked at values, had studies synced again, logged in, was refused; never a value itself.

A file of its own with one JSON object a line, or the ordinary log.
"""

import json
import logging
import os
import stat
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from fastapi import HTTPException, Request

from mapper import log
from mapper.errors import SettingError
from mapper.ledger.rows import Rows
from mapper.web.visitor import visitor_of

MB = 1024 * 1024
OTHERS = stat.S_IRWXO | stat.S_IWGRP
"""What nobody else may do with a file of ours: a group may read it, as those who collect logs do."""
NOBODYS = "a study that nobody knows"
"""Stands for a UID that no source ever held: what was typed may be a name."""


class Strict(RotatingFileHandler):
    """Says what a file does not take, instead of going on as if it were written."""

    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT

    def handleError(self, record: logging.LogRecord) -> None:  # logging's name
        """Raise what went wrong."""
        raise  # logging calls this where it is being handled

    def _open(self):  # type: ignore[no-untyped-def]  # as logging has it
        return open(os.open(self.baseFilename, self.flags, 0o600), self.mode, encoding=self.encoding)


class There(Strict):
    """The file of another process, which makes and rotates it: it has to be there, and is no link to another file."""

    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW


class Audit:
    """Writes a line for each thing that somebody did."""

    def __init__(
        self,
        path: Path | None = None,
        size: int = 10,
        count: int = 10,
        now: Callable[[], datetime] | None = None,
        kind: type[Strict] = Strict,
    ) -> None:
        """Open the file; `size` in MB, `count` of files beside it. Raises SettingError when it cannot be written."""
        self._now = now or (lambda: datetime.now(UTC))
        self._file: Strict | None = None
        if path is None:
            return
        try:
            self._file = kind(path, maxBytes=size * MB, backupCount=count, encoding="utf-8")
        except OSError as error:
            raise SettingError(f"audit_file: {path} cannot be written ({type(error).__name__})") from None
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and mode & OTHERS:
            self._file.close()
            raise SettingError(f"audit_file: {path} can be read or written by others: chmod 600 it")

    def record(self, who: str, what: str, **facts: object) -> None:
        """Write one line; raises OSError when the file does not take it."""
        if self._file is None:
            log.say("audit", visitor=who, what=what, **facts)
            return
        when = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"when": when, "visitor": who, "what": what, **facts})
        self._file.handle(logging.LogRecord("audit", logging.INFO, "", 0, line, None, None))

    def refused(self, who: str, reason: str, times: int) -> None:
        """Write that somebody was refused; without a file the log says so already."""
        if self._file is not None:
            self.done(who or "nobody", "refused", reason=reason, times=times)

    def done(self, who: str, what: str, **facts: object) -> None:
        """Write what is done whether it can be written or not; the log says where it cannot."""
        try:
            self.record(who, what, **facts)
        except OSError as error:
            say_full(error)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def record(request: Request, what: str, **facts: object) -> None:
    """Write what a visitor is about to do; raises HTTPException 503 where it cannot be written: it is not done then."""
    try:
        request.state.audit.record(visitor_of(request).name, what, **facts)
    except OSError as error:
        say_full(error)
        raise HTTPException(503, "the audit file cannot be written: nothing was done") from None


def record_done(request: Request, what: str) -> None:
    """Write what a visitor does, which ends no differently where it cannot be written."""
    request.state.audit.done(visitor_of(request).name, what)


def say_full(error: OSError) -> None:
    """Say in the log that the file takes nothing."""
    log.warn("audit_file takes nothing", error=type(error).__name__, do="is its disk full?")


def known_uids(rows: Rows, study_uids: Sequence[str]) -> list[str]:
    """Return the UIDs as the audit log has them: NOBODYS for each that no source ever held; asks the ledger."""
    known = rows.known(study_uids)
    return [uid if uid in known else NOBODYS for uid in study_uids]
