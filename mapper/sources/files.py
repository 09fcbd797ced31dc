"""Studies of DICOM files in folders, through the same model as everything else."""

import os
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import MediaStorageDirectoryStorage

from mapper.dicom.item import tag_of, vr_of
from mapper.dicom.study import IDENTITY, Collector
from mapper.errors import Unreadable

CHUNK = 64
"""Files read by one call of a pool."""


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
    files: Iterable[Path], keywords: Iterable[str], instance_keywords: Iterable[str], pool: Executor | None = None
) -> Iterator[tuple[Collector, list[Skipped]]]:
    """Read files into one Collector; yields it after each chunk with what was skipped there, for progress."""
    wanted = sorted({*keywords, *IDENTITY})
    each = frozenset(map(tag_of, {*instance_keywords, *IDENTITY}))
    collector = Collector()
    calls = ((chunk, wanted) for chunk in chunks(files))
    for results in pool.map(_read_chunk, calls) if pool else map(_read_chunk, calls):
        skipped = []
        for path, elements in results:
            if isinstance(elements, str):
                skipped.append(Skipped(f"{path}: {elements}"))
            else:
                head = {tag: element for tag, element in elements.items() if tag in each}
                collector.add(head, lambda elements=elements: elements, where=path)  # type: ignore[misc]
        yield collector, skipped


def chunks(files: Iterable[Path]) -> Iterator[list[str]]:
    """Yield the paths in lists of CHUNK."""
    chunk: list[str] = []
    for path in files:
        chunk.append(str(path))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _read_chunk(call: tuple[list[str], list[str]]) -> list[tuple[str, dict[str, Any] | str]]:
    paths, keywords = call
    return [(path, read_file(path, keywords)) for path in paths]


def read_file(path: str, keywords: Iterable[str]) -> dict[str, Any] | str:
    """Return the named attributes of one file as the DICOM JSON Model, or why the file is skipped."""
    if not os.path.isfile(path):
        return "not a file"  # a pipe would be waited for
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings quote values
        return _read(path, keywords)


def _read(path: str, keywords: Iterable[str]) -> dict[str, Any] | str:
    try:
        try:
            found = dcmread(path, stop_before_pixels=True, specific_tags=list(keywords))
        except InvalidDicomError:
            found = dcmread(path, stop_before_pixels=True, specific_tags=list(keywords), force=True)
            if "StudyInstanceUID" not in found:
                return "not a DICOM file"
        if found.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            return "a DICOMDIR: its files are found by themselves"
    except Exception as error:  # pydicom raises many kinds on broken files; none may end the walk
        return f"not readable as DICOM ({type(error).__name__})"
    if "StudyInstanceUID" not in found:
        return "a DICOM file without StudyInstanceUID"
    return json_model(found, keywords)


def json_model(dataset: Dataset, keywords: Iterable[str]) -> dict[str, Any]:
    """Return the named attributes of a data set as DICOM JSON; an unreadable one stays as such."""
    elements: dict[str, Any] = {}
    for keyword in keywords:
        tag = tag_of(keyword)
        try:
            if tag not in dataset:
                continue
            element = dataset[tag].to_json_dict(lambda _: "", 0)
        except Exception:  # whatever pydicom cannot read: the rule that wants it records a problem
            element = {"vr": vr_of(keyword), "Value": [{}, False]}
        elements[tag] = element
    return elements
