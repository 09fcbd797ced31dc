"""What a command writes: all of it, or a line that says so."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mapper.errors import Problem, SettingError

Record = Callable[[str, list[Problem]], None]


def not_whole(name: str, error: OSError) -> SettingError:
    """Return that a file ends before all of it was written."""
    return SettingError(f"{name} cannot be written ({error.strerror}): what is there is not whole")


class Whole:
    """A file that is written in whole: what its disk does not take raises SettingError, a closed pipe as it is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, what: bytes) -> None:
        """Write it."""
        with self._refused():
            self._file.write(what)

    def flush(self) -> None:
        """Let nothing wait."""
        with self._refused():
            self._file.flush()

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            with suppress(OSError):  # what it still holds cannot be written either
                self._file.close()
            name = "standard output" if self._file is sys.stdout.buffer else self._file.name
            raise not_whole(name, error) from None


@contextmanager
def written(file: IO[bytes]) -> Iterator[Whole]:
    """Hand on a file and see that all of it is written; raises SettingError when its disk is full."""
    whole = Whole(file)
    yield whole
    whole.flush()


@contextmanager
def problem_file(path: Path | None) -> Iterator[Record]:
    """Open the file of problems, one JSON object a line: study_uid, element, attribute, reason."""
    import orjson

    if path is None:
        yield lambda study_uid, problems: None
        return
    try:
        opened = path.open("wb")
        if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            os.fchmod(opened.fileno(), 0o600)  # a file that was there keeps its mode; it names studies
    except OSError as error:
        raise SettingError(f"--problems: {path} cannot be written ({error.strerror})") from None
    with opened as opened_file, written(opened_file) as file:

        def record(study_uid: str, problems: list[Problem]) -> None:
            for one in problems:
                line = {"study_uid": study_uid, "element": one.element, "attribute": one.attribute}
                file.write(orjson.dumps(line | {"reason": one.reason}) + b"\n")

        yield record
