"""Studies of DICOM files in folders, through the same model as everything else."""

import os
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, BinaryIO

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import MediaStorageDirectoryStorage

from mapper.dicom.collector import Collector, identity
from mapper.dicom.documents import FRAMES, LARGEST_CONTENT, is_document, is_segmentation
from mapper.dicom.item import Item, tag_of
from mapper.dicom.study import IDENTITY
from mapper.errors import Unreadable
from mapper.sources.data_set import is_cut, json_model

CHUNK = 64
"""Files read by one call of a pool."""
CUT = "a DICOM file that ends before its StudyInstanceUID does: cut off, or an attribute before it has a wrong length"
NO_FILE = "not a file"
CONTENT = "ContentSequence"
UNREAD = {"vr": "SQ", "Value": [False]}
"""What stands for a ContentSequence in a file that is too large: no item."""
PIXELS = 0x7FE0
"""The group of pixel data: reading stops before it."""


class Denied(str):
    """Why a file cannot be opened that is there: what would come out without it might be half a study."""


class Skipped(str):
    """A file that is not one of ours: its path and why, for a warning."""


def files_under(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield every file under the paths, sorted folder by folder.

    Raises Unreadable when a folder cannot be read: what would come out might be half a study.
    """

    def refuse(error: OSError) -> None:
        raise Unreadable(f"{error.filename}: the folder cannot be read ({error.strerror})")

    for path in paths:
        if path.is_file():
            yield path
            continue
        for folder, folders, names in os.walk(path, onerror=refuse):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names))


def collect(
    files: Iterable[Path | str],
    keywords: Iterable[str],
    instance_keywords: Iterable[str],
    pool: Executor | None = None,
    document_keywords: Iterable[str] = (),
) -> Iterator[tuple[Collector, list[Skipped]]]:
    """Read files into one Collector; yields it after each chunk with what was skipped there, for progress.

    `document_keywords` are read of documents only (mapper.dicom.documents). Raises Unreadable when a file may not be
    opened.
    """
    wanted, in_full = sorted({*keywords, *IDENTITY}), sorted({*document_keywords})
    full, each = (frozenset(map(tag_of, {*names, *IDENTITY})) for names in (keywords, instance_keywords))
    collector = Collector()
    calls = ((chunk, wanted, in_full) for chunk in chunks(files))
    for results in pool.map(_read_chunk, calls) if pool else map(_read_chunk, calls):
        skipped = []
        for path, elements in results:
            if isinstance(elements, Denied):
                raise Unreadable(f"{path}: the file cannot be read ({elements})")
            if isinstance(elements, str):
                skipped.append(Skipped(f"{path}: {elements}"))
            else:
                head = {tag: element for tag, element in elements.items() if tag in each}
                document = document_of(elements) if in_full else None
                speaks = {tag: element for tag, element in elements.items() if tag in full} if document else elements
                collector.add(head, lambda one=speaks: one, where=path, document=document)  # type: ignore[misc]
        yield collector, skipped


def document_of(elements: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is kept of a document beside its head, None of all else."""
    sop_class = identity(Item(elements), "SOPClassUID")
    if not is_document(sop_class):
        return None
    left_out = set(map(tag_of, FRAMES)) if is_segmentation(sop_class) else set()
    return {tag: element for tag, element in elements.items() if tag not in left_out}


def chunks(files: Iterable[Path | str]) -> Iterator[list[str]]:
    """Yield the paths in lists of CHUNK."""
    chunk: list[str] = []
    for path in files:
        chunk.append(str(path))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _read_chunk(call: tuple[list[str], list[str], list[str]]) -> list[tuple[str, dict[str, Any] | str]]:
    paths, keywords, in_full = call
    return [(path, read_file(path, keywords, in_full)) for path in paths]


def read_file(path: str, keywords: Iterable[str], in_full: Iterable[str] = ()) -> dict[str, Any] | str:
    """Return the named attributes of one file as the DICOM JSON Model, or why the file is skipped.

    `in_full` are those that are named of a document beside.
    """
    if not os.path.isfile(path):
        return NO_FILE  # a pipe would be waited for
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings quote values
        return _read(path, list(keywords), list(in_full))


def _read(path: str, keywords: list[str], in_full: list[str]) -> dict[str, Any] | str:
    try:
        too_large = os.path.getsize(path) > LARGEST_CONTENT
        named = [*keywords, *(one for one in in_full if not (too_large and one == CONTENT))]
        try:
            found = dcmread(path, stop_before_pixels=True, specific_tags=named)
        except InvalidDicomError:
            found = dcmread(path, stop_before_pixels=True, specific_tags=named, force=True)
            if "StudyInstanceUID" not in found:
                return "not a DICOM file"
        if found.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            return "a DICOMDIR: its files are found by themselves"
        if "StudyInstanceUID" not in found:
            return bad_end(path) or "a DICOM file without StudyInstanceUID"
        if is_cut(found.get_item("StudyInstanceUID")):
            return CUT
    except PermissionError as error:
        return Denied(error.strerror)
    except FileNotFoundError:  # it went meanwhile
        return NO_FILE
    except Exception as error:  # pydicom raises many kinds on broken files; none may end the walk
        return f"not readable as DICOM ({type(error).__name__})"
    sop_class = str(found.get("SOPClassUID"))
    if not in_full or not is_document(sop_class):
        return json_model(found, keywords)
    if is_segmentation(sop_class):  # it is large by its pixels, and those are not read
        return json_model(found, sorted({*keywords, *in_full}))
    return json_model(found, sorted({*keywords, *in_full})) | ({tag_of(CONTENT): UNREAD} if too_large else {})


class Watched:
    """A file that notices when more is asked of it than it holds."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.name = file.seek, file.tell, file.name
        self.short = False

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size)
        self.short |= 0 < len(found) < size
        return found


def bad_end(path: str) -> str | None:
    """Return how a data set without StudyInstanceUID ends badly, None where it is whole and has none."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        watched = Watched(file)
        dcmread(watched, stop_before_pixels=True, specific_tags=["StudyInstanceUID"])
        end = file.tell()
        if watched.short or end > size:
            return CUT
        group = int.from_bytes(file.read(2), "little")
    if end < size and group != PIXELS:
        return f"a DICOM file that is damaged: nothing can be read from byte {end} on, StudyInstanceUID neither"
    return None
