"""What is done on the command line, in the audit file: the same lines as for what is done on a page."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mapper.errors import SettingError
from mapper.settings import Settings
from mapper.terminal import say

if TYPE_CHECKING:
    from mapper.ledger.ledger import Ledger

VISITOR = "command line"
"""Who did it, as the audit file has it; `os_user` is the name that the operating system has for whoever runs it."""


def leave(settings: Settings, ledger: "Ledger", what: str, study_uids: Sequence[str], *, otherwise: str) -> None:
    """Record what is about to be done to the studies named, or `otherwise` to which; see `record`."""
    if settings.audit_file is None:
        return
    from mapper.web.audit import known_uids

    record(settings, what, studies=known_uids(ledger.rows, study_uids) or otherwise)


def record(settings: Settings, what: str, **facts: object) -> None:
    """Write one line into the audit file, where there is one; where that fails it is said, and the work goes on.

    The file is neither made nor rotated here: it is the service's, which may run as somebody else.
    """
    if (path := settings.audit_file) is None:
        return
    from mapper.web.audit import Audit, There

    try:
        if not path.is_file():
            raise SettingError(f"audit_file: {path} is not there: `serve` makes it")
        audit = Audit(path, size=0, kind=There)
        try:
            audit.record(VISITOR, what, **os_user(), **facts)
        finally:
            audit.close()
    except SettingError as error:
        say(f"not in the audit file: {error}", err=True)
    except OSError as error:
        say(f"not in the audit file: {path} takes nothing ({type(error).__name__})", err=True)


def os_user() -> dict[str, str]:
    """Return the name of whoever runs this, where the operating system has one: not what the environment claims."""
    try:
        import pwd

        return {"os_user": pwd.getpwuid(os.getuid()).pw_name}
    except (ImportError, KeyError):
        return {}
