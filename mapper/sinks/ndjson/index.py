"""The index of a folder of NDJSON: where the latest line of each resource is, and who refers to it.

It holds nothing that the files do not say, but for ranks and states of studies and with what all is made, and is
made anew where it is missing.
It is on disk, so that a folder of any size needs the same memory; one chunk is one transaction of it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from mapper.fhir.resource import Key

NAME = ".index.sqlite"
LAYOUT = 1
"""Raised when TABLES change."""
OF_FILES = "files "
"""How the state of a study begins that was made of files: no archive lists it, and it does not go with one."""
VERSION = 16
"""Digits of a resource's SHA-256 that are its version."""
IndexFailed = sqlite3.Error
ARCHIVED = f"state != '' and state not like '{OF_FILES}%'"
VANISHED = f"{ARCHIVED} and study_uid not in (select study_uid from listed)"
TABLES = """
create table file (name text primary key, size int) without rowid;
create table line (
    type text, id text, sha256 text, file text, begins int, length int, status text, rank text,
    primary key (type, id)) without rowid;
create table link (about text, type text, id text, primary key (about, type, id)) without rowid;
create index link_of on link (type, id);
create table study (study_uid text primary key, state text) without rowid;
create table listed (study_uid text primary key) without rowid;
create table made_with (what text primary key, value text) without rowid;
create table pushed (
    server text, type text, id text, sha256 text, version text, primary key (server, type, id)) without rowid;
"""


class Line(NamedTuple):
    """Where the latest line of a resource is, the SHA-256 of its JSON, and the rank of the study that says it."""

    sha256: str
    file: str
    begins: int
    length: int
    rank: str


def version_of(line: Line | None) -> str:
    """Return the version of a resource, empty where there is none."""
    return line.sha256[:VERSION] if line else ""


class Index:
    """The index of one folder; every method may raise IndexFailed."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / NAME, isolation_level=None, check_same_thread=False)
        try:
            (layout,) = self._db.execute("pragma user_version").fetchone()
            (tables,) = self._db.execute("select count(*) from sqlite_master").fetchone()
            self.fits = layout == LAYOUT or not tables
            """Whether it has this layout: one that has another is to be made anew."""
            if not tables:
                self._db.executescript(f"begin; {TABLES} pragma user_version = {LAYOUT}; commit;")
            self._db.execute("begin immediate")
        except IndexFailed:
            self._db.close()
            raise

    def close(self) -> None:
        """Forget what was not kept."""
        with suppress(IndexFailed):  # what fails to be rolled back is so by the next who opens it
            self._db.rollback()
        self._db.close()

    def keep(self) -> None:
        """Keep what was said since the last time."""
        self._db.commit()
        self._db.execute("begin immediate")

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Say several things, or none of them where one fails."""
        self._db.execute("savepoint one")
        try:
            yield
        except BaseException:
            self._db.execute("rollback to one")
            raise
        finally:
            self._db.execute("release one")

    def made_with(self) -> dict[str, str]:
        """Return with what the resources of the folder are made."""
        return dict(self._db.execute("select what, value from made_with"))

    def add_made_with(self, facts: Mapping[str, str]) -> None:
        """Say with what they are made."""
        self._db.executemany("insert or replace into made_with values (?, ?)", facts.items())

    # -- files and lines ------------------------------------------------------------------------

    def files(self) -> dict[str, int]:
        """Return the names of the files whose lines are known, and how long each file is."""
        return dict(self._db.execute("select name, size from file"))

    def add_file(self, name: str, size: int) -> None:
        """Say that the lines of a file are known."""
        self._db.execute("insert or replace into file values (?, ?)", (name, size))

    def line(self, key: Key) -> Line | None:
        """Return the latest line of a resource, None where there is none."""
        asked = "select sha256, file, begins, length, rank from line where type = ? and id = ?"
        found = self._db.execute(asked, key).fetchone()
        return Line(*found) if found else None

    def put(self, key: Key, line: Line, status: str, about: Iterable[str]) -> None:
        """Say where the latest line of a resource is, and to what it refers."""
        row = (*key, line.sha256, line.file, line.begins, line.length, status, line.rank)
        self._db.execute("insert or replace into line values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._db.execute("delete from link where type = ? and id = ?", key)
        self._db.executemany("insert or ignore into link values (?, ?, ?)", ((one, *key) for one in about))

    def rank(self, key: Key, rank: str) -> None:
        """Say which study's line it is that stands already."""
        self._db.execute("update line set rank = ? where type = ? and id = ?", (rank, *key))

    def about(self, what: str, kinds: Iterable[str], statuses: Iterable[str] = ()) -> list[Key]:
        """Return what refers to a resource or has an identifier, of these types, and in one of these statuses."""
        asked = "select link.type, link.id, status from link join line using (type, id) where about = ?"
        wanted, held = frozenset(kinds), frozenset(statuses)
        rows = self._db.execute(f"{asked} order by link.type, link.id", (what,))
        return [(kind, id) for kind, id, status in rows if kind in wanted and (not held or status in held)]

    def lines(self, kind: str) -> Iterator[Line]:
        """Yield the latest line of every resource of a type, in the order in which they were written."""
        asked = "select sha256, file, begins, length, rank from line where type = ? order by file, begins"
        for found in self._db.execute(asked, (kind,)):
            yield Line(*found)

    def count(self) -> int:
        """Return the number of resources."""
        return int(self._db.execute("select count(*) from line").fetchone()[0])

    def kinds(self) -> list[str]:
        """Return the types that there are."""
        return [kind for (kind,) in self._db.execute("select distinct type from line")]

    # -- studies --------------------------------------------------------------------------------

    def state(self, study_uid: str) -> str:
        """Return in which state a study was when it was written, empty where it never was."""
        found = self._db.execute("select state from study where study_uid = ?", (study_uid,)).fetchone()
        return str(found[0]) if found else ""

    def settle(self, study_uid: str, state: str) -> None:
        """Say in which state a study was written."""
        self._db.execute("insert or replace into study values (?, ?)", (study_uid, state))

    def list_anew(self) -> None:
        """Forget what an archive listed."""
        self._db.execute("delete from listed")

    def add_listed(self, study_uid: str) -> bool:
        """Say that an archive lists a study; returns whether that is new."""
        return self._db.execute("insert or ignore into listed values (?)", (study_uid,)).rowcount > 0

    def vanished(self, most: int) -> list[str]:
        """Return studies that were written and that the archive did not list, so many of them at most."""
        asked = f"select study_uid from study where {VANISHED} order by study_uid limit ?"
        return [study_uid for (study_uid,) in self._db.execute(asked, (most,))]

    def counts(self) -> tuple[int, int, int]:
        """Return how many studies were listed, how many were written, and how many of these were not listed."""
        asked = f"select (select count(*) from listed), count(*), count(*) filter (where {VANISHED}) from study"
        listed, known, vanished = self._db.execute(f"{asked} where {ARCHIVED}").fetchone()
        return listed, known, vanished

    # -- servers --------------------------------------------------------------------------------

    def pushed(self, server: str, key: Key) -> tuple[str, str] | None:
        """Return the SHA-256 of what a server was last sent of a resource, and which version it made of it."""
        asked = "select sha256, version from pushed where server = ? and type = ? and id = ?"
        found = self._db.execute(asked, (server, *key)).fetchone()
        return tuple(found) if found else None

    def add_pushed(self, server: str, key: Key, version: str) -> None:
        """Say which version a server made of the latest line of a resource."""
        said = "select ?, type, id, sha256, ? from line where type = ? and id = ?"
        self._db.execute(f"insert or replace into pushed {said}", (server, version, *key))

    def forget_pushed(self, server: str) -> None:
        """Forget what a server was sent."""
        self._db.execute("delete from pushed where server = ?", (server,))
