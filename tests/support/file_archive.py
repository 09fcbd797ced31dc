"""A DICOMweb archive by another hand: dicomweb-client's DICOMfileClient over a folder, behind a small HTTP front."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dicomweb_client.file import DICOMfileClient

from tests.support.http_fake import Answer


class FileArchive:
    """Answers QIDO-RS and WADO-RS under /rs; its database belongs to one thread, so that one asks it."""

    def __init__(self, folder: Path, database: Path) -> None:
        database.mkdir()
        self._thread = ThreadPoolExecutor(1)

        def make() -> DICOMfileClient:
            return DICOMfileClient(f"file://{folder}", update_db=True, db_dir=database, readonly=True)

        self._client = self._thread.submit(make).result()

    def __call__(self, path: str) -> Answer:
        """Answer one request."""
        asked = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(asked.query, keep_blank_values=True).items()}
        return self._thread.submit(self._answer, asked.path.strip("/").split("/"), query).result()

    def _answer(self, parts: list[str], query: dict[str, str]) -> Answer:
        page = {name: int(query.pop(name)) for name in ("limit", "offset") if name in query}
        fields = query.pop("includefield", "").split(",")
        found: list[dict[str, Any]]
        match parts:
            case ["rs", "studies"]:
                found = self._client.search_for_studies(fields=fields, search_filters=query, **page)
            case ["rs", "studies", study, "series"]:
                found = self._of(study, lambda: self._client.search_for_series(study, fields=fields, **page))
            case ["rs", "studies", study, "series", series, "metadata"]:
                found = self._of(study, lambda: self._client.retrieve_series_metadata(study, series))
                return Answer(200, found) if found else Answer(404)
            case _:
                raise AssertionError(f"nobody asks for {'/'.join(parts)}")
        return Answer(200, found) if found else Answer(204)

    def _of(self, study: str, ask: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        held = self._client.search_for_studies(search_filters={"StudyInstanceUID": study})
        return ask() if held else []

    def close(self) -> None:
        """Let go of its thread."""
        self._thread.shutdown()
