"""A folder of NDJSON files with its index: one process at a time writes it, a chunk after the other."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from mapper.errors import SettingError, SinkDown
from mapper.fhir.bundle import dump
from mapper.fhir.resource import key_of
from mapper.sinks.ndjson.chunk import Chunk, files_of, kind_of, leftovers, number_of
from mapper.sinks.ndjson.facts import facts_of
from mapper.sinks.ndjson.failures import files_failed, index_failed
from mapper.sinks.ndjson.index import NAME as INDEX
from mapper.sinks.ndjson.index import Index, IndexFailed, Line
from mapper.sinks.ndjson.line import resource_of, sendable
from mapper.sinks.ndjson.lock import Lock
from mapper.sinks.sink import Key, Resource

CHUNK = 64 << 20
"""Bytes after which a chunk is finished by itself."""


class Folder:
    """Lines that are written, found and put in place; for as many threads of one process as want it."""

    def __init__(self, path: Path, chunk: int = CHUNK) -> None:
        self.path, self._most = path, chunk
        self.lock = threading.RLock()
        self._file_lock = Lock(path)
        self._index: Index | None = None
        self._chunk: Chunk | None = None

    def write(
        self, index: Index, sent: Mapping[Key, Resource], found: Mapping[Key, Line | None], rank: str
    ) -> dict[Key, str]:
        """Write lines of what says something new, all of them or none; returns the SHA-256 of each resource."""
        chunk = self._chunk = self._chunk or Chunk(self.path, self._next(index))
        sizes, digests = chunk.sizes, {}
        try:
            with index.whole():
                for key, resource in sent.items():
                    text = dump(resource)
                    digest = digests[key] = sha256(text).hexdigest()
                    before = found[key]
                    if before and before.sha256 == digest:
                        index.rank(key, rank)
                        continue
                    file, begins = chunk.append(key[0], text + b"\n")
                    index.put(key, Line(digest, file, begins, len(text), rank), *facts_of(resource))
        except BaseException:
            chunk.cut(sizes)
            raise
        if chunk.size >= self._most:
            self.finish(index)
        return digests

    def resource(self, line: Line) -> dict[str, Any]:
        """Return what a line says, every number with its digits; raises SettingError where it is none any more."""
        kind = kind_of(line.file)
        try:
            return resource_of(self._text(line), kind)
        except ValueError:
            raise self._no_line(line.file, line.begins, "was the file changed?") from None

    def _text(self, line: Line) -> bytes:
        mine = self._chunk.read(line.file, line.begins, line.length) if self._chunk else None
        if mine is not None:
            return mine
        with (self.path / line.file).open("rb") as file:
            file.seek(line.begins)
            return file.read(line.length)

    def finish(self, index: Index) -> None:
        """Put the chunk's files in place, then keep the index: what is in place and not in it is read again.

        Where that fails, what the index was not kept of is forgotten, and at the next use the files come in place.
        """
        try:
            if self._chunk:
                for name in self._chunk.finish():
                    index.add_file(name, self._chunk.sizes[name])
                self._chunk = None
            index.keep()
        except OSError:
            self._forget()
            raise

    def _next(self, index: Index) -> int:
        names = {*index.files(), *files_of(self.path)}
        return max(map(number_of, names), default=0) + 1

    def _forget(self) -> None:
        """Let go of an index that failed: SQLite may have rolled back what was said, so the files are read again."""
        if self._index is not None:
            self._index.close()
            self._index = None

    @contextmanager
    def open(self) -> Iterator[Index]:
        """Hand out the index under the lock; raises SinkDown where folder or disk cannot be used."""
        with self.lock:
            try:
                if not self.path.is_dir():
                    raise SinkDown(f"there is no folder {self.path}: is it mounted?")
                yield self._index or self._opened()
            except IndexFailed as error:
                self._forget()
                raise index_failed(self.path / INDEX, error) from None
            except OSError as error:
                raise files_failed(self.path, error) from None

    def guard(self, facts: Mapping[str, str]) -> None:
        """Remember with what this folder is made; raises SettingError where it was made with something else."""
        with self.open() as index:
            before = index.made_with()
            for what, value in facts.items():
                if before.get(what, value) != value:
                    told = f"{what}: differs from what {self.path} was made with"
                    raise SettingError(f"{told}; put the old one back, or take another folder")
            index.add_made_with(facts)

    def close(self) -> None:
        """Finish the chunk and let go of the folder."""
        with self.lock:
            try:
                if self._index is not None or self._chunk is not None:
                    with self.open() as index:
                        self.finish(index)
            finally:
                self._forget()
                self._file_lock.give()

    def _opened(self) -> Index:
        """Return the index, in line with the files; one that knows files that are gone or changed is made anew."""
        self._file_lock.take()
        if self._chunk:
            self._chunk.finish()
            self._chunk = None
        try:
            self._index = index = Index(self.path)
            if not index.fits or self._moved(index):
                facts = index.made_with() if index.fits else {}
                self._forget()
                (self.path / INDEX).unlink()
                self._index = index = Index(self.path)
                index.add_made_with(facts)
            self._catch_up(index)
        except BaseException:
            self._forget()
            raise
        return index

    def _moved(self, index: Index) -> bool:
        return any(size_of(self.path / name) != size for name, size in index.files().items())

    def _catch_up(self, index: Index) -> None:
        """Remove what a killed process began, and take in files that the index does not know."""
        for part in leftovers(self.path):
            part.unlink()
        known = index.files()
        for name in files_of(self.path):
            if name in known:
                continue
            begins = 0
            with (self.path / name).open("rb") as file:
                for text in file:
                    self._take_in(index, name, begins, text.rstrip(b"\r\n"))
                    begins += len(text)
            index.add_file(name, begins)
        index.keep()

    def _take_in(self, index: Index, name: str, begins: int, text: bytes) -> None:
        if not text:
            return
        try:
            resource = sendable(text, kind_of(name))
            status, about = facts_of(resource)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._no_line(name, begins, "correct it, or take the file away") from None
        key = key_of(resource)
        before = index.line(key)
        line = Line(sha256(text).hexdigest(), name, begins, len(text), before.rank if before else "")
        index.put(key, line, status, about)

    def _no_line(self, name: str, begins: int, then: str) -> SettingError:
        what = f"{kind_of(name)} in JSON with an id as FHIR allows it"
        return SettingError(f"{self.path / name}: the line at byte {begins} is no {what}: {then}")


def size_of(path: Path) -> int:
    """Return how long a file is, -1 where there is none."""
    return path.stat().st_size if path.is_file() else -1
