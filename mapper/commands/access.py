"""Who may come in, and the files that say so, as `doctor` looks at them: nothing is made, each is looked at alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mapper.finding import Finding, limit, ok, problem
from mapper.settings import Settings
from mapper.web.session_key import key_of
from mapper.web.token import usable
from mapper.web.tokens_file import TokensFile

BY_OTHERS = stat.S_IRWXO | stat.S_IWGRP


def access(settings: Settings) -> Iterator[Finding]:
    """Look at who may come in; raises SettingError when `serve` would not start for it."""
    usable(settings.token.get_secret_value() if settings.token else None, settings.host)
    if settings.token is not None:
        yield ok("pages and API want the token")
    elif settings.tokens_file is not None:
        yield ok("pages and API want a token of tokens_file, and Orthanc's plugin one of its role `operate`")
    elif settings.proxy_user_header is not None:
        yield limit(
            "no token is set: only whom a trusted proxy names gets in, and Orthanc's plugin stays silent",
            "set ORTHANC_FHIR_TOKEN for both",
        )
    else:
        yield limit(
            "no token is set: the service answers on loopback only, and Orthanc's plugin stays silent",
            "set ORTHANC_FHIR_TOKEN for both",
        )


def tokens_file(settings: Settings) -> Iterator[Finding]:
    """Look at the named tokens; raises SettingError for a file with which `serve` would not start."""
    path = settings.tokens_file
    if path is None:
        return
    if not os.path.lexists(path):
        yield problem(f"tokens_file: there is none at {path}", "make it of lines that `orthanc-fhir token` prints")
        return
    number = len(TokensFile(path).tokens)
    if number:
        yield ok(f"tokens_file has {number} tokens")
    else:
        yield limit(f"tokens_file: {path} has no token: nobody gets in by it", "add what `orthanc-fhir token` prints")


def session_key_file(settings: Settings) -> Iterator[Finding]:
    """Look at the key of sessions; raises SettingError for a file with which `serve` would not start."""
    path = settings.session_key_file
    if path is None:
        return
    if path.exists():
        key_of(path)
        yield ok("session_key_file holds a key")
    elif may_be_written(next(folder for folder in path.absolute().parents if folder.exists())):  # it makes the others
        yield limit(f"session_key_file: there is none at {path} yet", "the first `orthanc-fhir serve` makes it")
    else:
        yield problem(f"session_key_file: {path} cannot be made", "make its folder, and let the mapper write there")


def audit_file(settings: Settings) -> Iterator[Finding]:
    """Look whether the audit file can be written, and by whom else."""
    path = settings.audit_file
    if path is None:
        return
    if path.exists() and not path.is_file():
        yield problem(f"audit_file: {path} is no file", "name a file")
    elif not (os.access(path, os.W_OK) if path.exists() else may_be_written(path.absolute().parent)):
        yield problem(f"audit_file: {path} cannot be written", "make its folder, and let the mapper write there")
    elif path.exists() and path.stat().st_mode & BY_OTHERS:
        yield limit(f"audit_file: {path} can be read or written by others", "chmod 600 it")
    else:
        yield ok("audit_file can be written")


def may_be_written(folder: Path) -> bool:
    """Tell whether a file can be made here."""
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
