"""The file of named tokens, read again when it changes: what it holds now is what counts, and nothing of before."""

import os
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mapper import log
from mapper.errors import SettingError
from mapper.web.named_token import NamedToken, read

LARGEST = 1_000_000
"""Bytes of the file: some thousands of lines."""
FRESH = 1.0
"""Seconds for which the file is not looked at again."""
UNREAD = object()
"""State of a file that could not be read: it is none that a file has, so the next look reads it again."""
OTHERS = stat.S_IRWXO | stat.S_IWGRP


class TokensFile:
    """Named tokens by selector; a file that became wrong lets nobody in until it is right again."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file; raises SettingError when it is not there, readable by others, or wrong."""
        self._path, self._clock = path, clock
        self._looked = clock()
        self._state = state_of(path)
        self._failure = ""
        self._tokens: Mapping[bytes, NamedToken] = lines_of(self._read(), path)

    @property
    def tokens(self) -> Mapping[bytes, NamedToken]:
        """Every token of the file as it is now, or was a second ago."""
        now = self._clock()
        if now - self._looked >= FRESH:
            self._looked = now
            self._look_again()
        return self._tokens

    def _look_again(self) -> None:
        state = state_of(self._path)
        if state == self._state:
            return
        self._state = UNREAD
        try:
            raw = self._read()
            self._state = state  # whatever it holds, it has been read
            self._tokens, self._failure = lines_of(raw, self._path), ""
            log.say("tokens_file was read again", tokens=len(self._tokens))
        except SettingError as error:
            self._tokens = {}
            if str(error) != self._failure:
                log.warn("nobody of tokens_file gets in", reason=str(error))
            self._failure = str(error)

    def _read(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                raw = file.read(LARGEST + 1)
        except OSError as error:
            raise SettingError(f"tokens_file: {self._path} cannot be read ({type(error).__name__})") from None
        if mode & OTHERS:
            raise SettingError(f"tokens_file: {self._path} can be read or written by others: chmod 600 it")
        if len(raw) > LARGEST:
            raise SettingError(f"tokens_file: {self._path} is larger than 1 MB")
        return raw


def state_of(path: Path) -> object:
    """Return what changes when a file does; None where it cannot be looked at."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def lines_of(raw: bytes, path: Path) -> dict[bytes, NamedToken]:
    """Return the tokens of a file by selector; raises SettingError, with the line's number, for one that is wrong."""
    tokens: dict[bytes, NamedToken] = {}
    names: set[str] = set()
    for number, line in enumerate(raw.decode("utf-8", errors="replace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            token = read(line)
            if token.visitor.name in names or token.selector in tokens:
                raise ValueError("has a name, or a token, that stands in a line before it")
        except ValueError as error:
            raise SettingError(f"tokens_file ({path}, line {number}): {error}") from None
        names.add(token.visitor.name)
        tokens[token.selector] = token
    return tokens
