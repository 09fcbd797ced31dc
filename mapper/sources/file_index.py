"""Which file is of which study, on disk: a folder of a million files needs the memory of a small one.

It is SQLite's temporary database: in the folder that `TMPDIR` names (else /var/tmp), seen by nobody else, and gone with
the process, however that ends.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from mapper.errors import SettingError

TABLES = """
pragma journal_mode = off;
pragma synchronous = off;
create table file (number integer primary key, path blob);
create table belongs (study_uid blob, number int, moved text, primary key (study_uid, number)) without rowid;
"""


class StudyFiles(NamedTuple):
    """The files of one study in the order in which they were found, and a text that moves when one of them does."""

    study_uid: str
    paths: list[str]
    state: str


class FileIndex:
    """Files as they were found, and the study of each; every method raises SettingError when its disk is full."""

    def __init__(self) -> None:
        with refused():
            self._db = sqlite3.connect("", isolation_level=None)
            self._db.executescript(TABLES)

    def close(self) -> None:
        """Let go of it: nothing is left."""
        self._db.close()

    def add(self, paths: Iterable[Path]) -> int:
        """Take in files in this order; returns how many there are."""
        with refused():
            self._db.executemany("insert into file (path) values (?)", ((os.fsencode(path),) for path in paths))
            return int(self._db.execute("select count(*) from file").fetchone()[0])

    def chunks(self, size: int) -> Iterator[list[tuple[int, str]]]:
        """Yield numbers and paths of all files, so many at once."""
        last = 0
        while True:
            asked = "select number, path from file where number > ? order by number limit ?"
            with refused():
                found = self._db.execute(asked, (last, size)).fetchall()
            if not found:
                return
            last = found[-1][0]
            yield [(number, os.fsdecode(path)) for number, path in found]

    def say(self, number: int, study_uid: str, moved: str) -> None:
        """Say of which study a file is, and what moves when the file does."""
        with refused():
            self._db.execute("insert into belongs values (?, ?, ?)", (as_bytes(study_uid), number, moved))

    def count(self) -> int:
        """Return the number of studies."""
        with refused():
            return int(self._db.execute("select count(distinct study_uid) from belongs").fetchone()[0])

    def studies(self) -> Iterator[StudyFiles]:
        """Yield every study in the order of StudyInstanceUID."""
        next_one, last = "select min(study_uid) from belongs", tuple[bytes, ...]()
        while True:
            with refused():
                (study_uid,) = self._db.execute(next_one, last).fetchone()
                if study_uid is None:
                    return
                next_one, last = "select min(study_uid) from belongs where study_uid > ?", (study_uid,)
                asked = "select path, moved from belongs join file using (number) where study_uid = ? order by number"
                found = self._db.execute(asked, (study_uid,)).fetchall()
            state = sha256(b"\n".join(b"%b %b" % (path, moved.encode()) for path, moved in found)).hexdigest()
            yield StudyFiles(study_uid.decode(errors="surrogatepass"), [os.fsdecode(path) for path, _ in found], state)


def as_bytes(text: str) -> bytes:
    """Return a text as bytes that sort as it does: a UID in a file may be anything."""
    return text.encode(errors="surrogatepass")


@contextmanager
def refused() -> Iterator[None]:
    """Say what SQLite says; raises SettingError."""
    try:
        yield
    except sqlite3.Error as error:
        where = "the index of files cannot be written to the folder that TMPDIR names, else /var/tmp"
        raise SettingError(f"{where} ({type(error).__name__}): is its disk full?") from None
