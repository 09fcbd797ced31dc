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


@contextmanager
def written(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Hand on a file and see that all of it is written; raises SettingError when its disk is full."""
    try:
        yield file
        file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        with suppress(OSError):  # what it still holds cannot be written either
            file.close()
        name = "standard output" if file is sys.stdout.buffer else file.name
        raise not_whole(name, error) from None


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
