"""One study from standard input: a DICOM file (PS3.10), or WADO-RS metadata in JSON (PS3.18 Annex F)."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from mapper.configuration import WrongArgument
from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.errors import BadMetadata, SettingError

LARGEST = 512 << 20
"""Bytes that are read: as many as metadata of one series may have by default."""


def read_stream(stream: BinaryIO, skip: Callable[[str], None], *, alone: bool = True) -> Collector:
    """Read what comes until it ends; `skip` is told where it is neither.

    Raises SettingError where it is too large, WrongArgument where it is named beside files (not `alone`), BadMetadata
    where its JSON is no DICOM JSON.
    """
    from mapper.convert import read_folders
    from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS

    if not alone:
        raise WrongArgument("-: standard input holds the one study; name no files beside it")
    sent = stream.read(LARGEST + 1)
    if len(sent) > LARGEST:
        raise SettingError(f"-: more than {LARGEST >> 20} MB came by standard input: convert its files instead")
    if sent.lstrip()[:1] in (b"[", b"{"):
        collector = Collector()
        try:
            Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read(sent, collector)
        except BadMetadata as error:
            raise BadMetadata(f"standard input: {error}") from None
        return collector
    with TemporaryDirectory() as folder:  # of its owner alone
        path = Path(folder) / "standard input"
        path.write_bytes(sent)
        return read_folders([path], lambda skipped: skip(skipped.removeprefix(f"{folder}/")))
