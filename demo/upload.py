"""Upload studies to Orthanc over STOW-RS, only what is not there yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import requests
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from samples.dataset import part10
from samples.studies import DemoStudy

BATCH_BYTES = 4_000_000
BATCH_INSTANCES = 50
TIMEOUT_SECONDS = 60

Files = dict[str, bytes]  # SOPInstanceUID -> DICOM file


class UploadRefused(RuntimeError):
    """Orthanc did not confirm that it holds every instance that was sent."""


class Stow:
    """Speak DICOMweb's Store and Search transactions (PS3.18 10.5, 10.6) with one server."""

    def __init__(self, dicomweb_url: str, auth: tuple[str, str] | None = None) -> None:
        self.url = dicomweb_url.rstrip("/")
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no netrc between a demo and its own machine
        self.session.auth = auth
        self.session.headers["Accept"] = "application/dicom+json"

    def held(self, study_uid: str) -> set[str]:
        """Ask which SOP instances of a study the server has."""
        answer = self._request("GET", f"/studies/{study_uid}/instances")
        if answer.status_code in (204, 404):
            return set()
        if answer.status_code != 200:
            raise UploadRefused(f"{self.url}: HTTP {answer.status_code} to a search in study {study_uid}")
        return {_first(match, "SOPInstanceUID") for match in _json(answer)}

    def store(self, study_uid: str, files: Files) -> None:
        """Send files of one study in one request; raise unless every one is confirmed."""
        boundary = uuid4().hex
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = b"".join(head + file + b"\r\n" for file in files.values()) + f"--{boundary}--\r\n".encode()
        kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
        answer = self._request("POST", f"/studies/{study_uid}", data=body, headers={"Content-Type": kind})
        confirm(answer.status_code, _json(answer) if answer.content else {}, study_uid, set(files))

    def _request(self, method: str, path: str, **more: Any) -> requests.Response:
        try:
            return self.session.request(method, self.url + path, timeout=TIMEOUT_SECONDS, **more)
        except requests.RequestException as problem:
            raise UploadRefused(f"{self.url} does not answer ({type(problem).__name__})") from problem


def confirm(status: int, answer: Mapping[str, Any], study_uid: str, sent: set[str]) -> None:
    """Raise unless a Store answer (PS3.18 10.5.3) says that each instance is stored."""
    failed = _items(answer, "FailedSOPSequence")
    stored = {_first(item, "ReferencedSOPInstanceUID") for item in _items(answer, "ReferencedSOPSequence")}
    stored -= {_first(item, "ReferencedSOPInstanceUID") for item in failed}
    missing = len(sent - stored)
    if status == 200 and not failed and not missing:
        return
    reasons = sorted({f"0x{int(reason):04X}" for item in failed if (reason := _first(item, "FailureReason"))})
    because = f", failure reasons {', '.join(reasons)} (PS3.18 table 10.5.3-3)" if reasons else ""
    raise UploadRefused(f"study {study_uid}: {missing} of {len(sent)} instances not confirmed, HTTP {status}{because}")


def upload(
    studies: Sequence[DemoStudy],
    stow: Stow,
    console: Console,
    *,
    after_batch: Callable[[], None] = lambda: None,
    after_study: Callable[[DemoStudy, int], None] = lambda study, sent: None,
) -> int:
    """Send what the server lacks of each study; return how many instances that were."""
    total = sum(len(study.datasets) for study in studies)
    columns = (TextColumn("Uploading {task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    sent_in_all = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=total)
        for study in studies:
            progress.update(bar, description=study.name)
            held = stow.held(study.study_uid)
            lacking = [data for data in study.datasets if data.SOPInstanceUID not in held]
            progress.advance(bar, len(study.datasets) - len(lacking))
            for files in batches(lacking):
                stow.store(study.study_uid, files)
                progress.advance(bar, len(files))
                after_batch()
            sent_in_all += len(lacking)
            after_study(study, len(lacking))
            if not console.is_terminal:
                there = len(study.datasets) - len(lacking)
                before = f", {there} there before" if there else ""
                console.print(f"{study.name}: {len(lacking)} sent{before}", soft_wrap=True)
        progress.update(bar, description="done")
    return sent_in_all


def batches(datasets: Sequence[Dataset]) -> Iterator[Files]:
    """Divide instances into requests of bounded size; one instance is never divided."""
    files: Files = {}
    size = 0
    for data in datasets:
        file = part10(data)
        if files and (size + len(file) > BATCH_BYTES or len(files) == BATCH_INSTANCES):
            yield files
            files, size = {}, 0
        files[str(data.SOPInstanceUID)] = file
        size += len(file)
    if files:
        yield files


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except requests.JSONDecodeError:
        raise UploadRefused(f"{answer.request.method} to DICOMweb: HTTP {answer.status_code} without JSON") from None


def _values(item: Mapping[str, Any], keyword: str) -> list[Any]:
    values = item.get(f"{tag_for_keyword(keyword):08X}", {}).get("Value", [])
    return values if isinstance(values, list) else []


def _items(item: Mapping[str, Any], keyword: str) -> list[Mapping[str, Any]]:
    return _values(item, keyword)


def _first(item: Mapping[str, Any], keyword: str) -> str:
    return str(next(iter(_values(item, keyword)), ""))
