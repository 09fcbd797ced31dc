"""A chunk of NDJSON files: written beside, a file a type, and renamed into place when it is whole."""

import os
import re
from collections.abc import Iterator, Mapping
from errno import EEXIST
from io import FileIO
from pathlib import Path

from mapper.fhir.bundle import order_of

NAME = re.compile(r"([A-Z][A-Za-z]{0,63})\.(\d{6,12})\.ndjson")
"""`Patient.000001.ndjson`: type, and number of the chunk; of two lines of one resource the later chunk's counts."""
PART = "part"


def kind_of(name: str) -> str:
    """Return the type whose resources a file holds."""
    return name.partition(".")[0]


def number_of(name: str) -> int:
    """Return the number of the chunk to which a file belongs."""
    return int(name.split(".")[1])


def in_order(name: str) -> tuple[int, tuple[int, str]]:
    """Return what sorts files so that what is referred to comes before what refers, chunk by chunk."""
    return number_of(name), order_of(kind_of(name))


def files_of(folder: Path) -> list[str]:
    """Return the names of the NDJSON files of a folder, in order; raises OSError."""
    return sorted((one.name for one in os.scandir(folder) if NAME.fullmatch(one.name)), key=in_order)


def strangers(folder: Path) -> list[str]:
    """Return the names of what holds NDJSON by its name, and is not read as it is named otherwise; raises OSError."""
    names = [one.name for one in os.scandir(folder) if ".ndjson" in one.name.lower() and not one.name.startswith(".")]
    return sorted(name for name in names if not NAME.fullmatch(name))


def leftovers(folder: Path) -> Iterator[Path]:
    """Yield the files of a chunk that was never finished; raises OSError."""
    return folder.glob(f".*.ndjson.{PART}")


class Chunk:
    """The files that are being written; all methods raise OSError."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number, self.size = number, 0
        self._folder = folder
        self._open: dict[str, FileIO] = {}
        self._sizes: dict[str, int] = {}

    def append(self, kind: str, line: bytes) -> tuple[str, int]:
        """Write one line; returns the name that its file will have, and where in it the line begins."""
        name = f"{kind}.{self.number:06}.ndjson"
        if name not in self._open:
            self._open[name] = self._part(name).open("w+b", buffering=0)  # what fails is not tried again later
            self._sizes[name] = 0
        begins = self._sizes[name]
        left = memoryview(line)
        while left:
            left = left[self._open[name].write(left) :]
        self._sizes[name] += len(line)
        self.size += len(line)
        return name, begins

    def read(self, name: str, begins: int, length: int) -> bytes | None:
        """Return a line that was written to this chunk, None where the file is none of it."""
        if name not in self._open:
            return None
        return os.pread(self._open[name].fileno(), length, begins)

    @property
    def sizes(self) -> Mapping[str, int]:
        """How long each file is."""
        return dict(self._sizes)

    def cut(self, sizes: Mapping[str, int]) -> None:
        """Make the files as long as they were: what did not fit on the disk was written in part."""
        for name, file in self._open.items():
            self._sizes[name] = sizes.get(name, 0)
            file.truncate(self._sizes[name])
            file.seek(self._sizes[name])
        self.size = sum(self._sizes.values())

    def finish(self) -> list[str]:
        """Put all files in place, what is referred to first, and none over another; returns their names.

        What fails is done by the next call: until then nothing may be written.
        """
        names = sorted(self._sizes, key=in_order)
        for file in self._open.values():
            os.fsync(file.fileno())
        for name in names:
            if name in self._open:
                if (self._folder / name).exists():
                    raise FileExistsError(EEXIST, os.strerror(EEXIST), name)
                self._part(name).rename(self._folder / name)
                self._open.pop(name).close()
        return names

    def _part(self, name: str) -> Path:
        return self._folder / f".{name}.{PART}"
