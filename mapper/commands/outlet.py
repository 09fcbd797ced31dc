"""Where `convert` writes: Bundles on standard output, a folder of NDJSON, or by way of one a FHIR server."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from mapper.commands.output import Whole, written
from mapper.terminal import shown_json

if TYPE_CHECKING:
    from pathlib import Path

    from mapper.convert import Converted, Make
    from mapper.jobs.into_folder import IntoFolder
    from mapper.maps.site import Site
    from mapper.sinks.ndjson.sink import Ndjson
    from mapper.sources.file_index import StudyFiles


FLUSH = 30.0
"""Seconds after which a chunk is finished at the latest: so much is done again after a kill."""


class Outlet(Protocol):
    """What one study has to become, and where that is written."""

    make: "Make"

    def put(self, one: "Converted", files: "StudyFiles | None" = None) -> None:
        """Write what a study of these files became."""

    def already(self, files: "StudyFiles") -> bool:
        """Tell whether a study of exactly these files was written before."""


class Lines:
    """A Bundle, or an ImagingStudy, a line."""

    def __init__(self, site: "Site", contained: bool, out: Whole) -> None:
        from mapper.convert import Make

        self._out = out
        self.make = Make(site, "contained" if contained else "bundle")

    def put(self, one: "Converted", files: "StudyFiles | None" = None) -> None:
        """Write its line, whole: an interrupt waits for its end."""
        line = (shown_json(one.json) if sys.stdout.isatty() else one.json) + b"\n"
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._out.write(line)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def already(self, files: "StudyFiles") -> bool:
        """Nothing is known of what was written before."""
        return False


class Files:
    """Resources in a folder of NDJSON, which remembers of which files they were made."""

    def __init__(self, site: "Site", sink: "Ndjson", into: "IntoFolder") -> None:
        from mapper.convert import Make
        from mapper.service import output_version

        self.make, self._sink, self._into = Make(site, "resources"), sink, into
        self._version = output_version(site, "")
        self._flushed = time.monotonic()

    def put(self, one: "Converted", files: "StudyFiles | None" = None) -> None:
        """Write its resources; raises as Sink.put."""
        if one.mapped:
            self._into.write(one.study_uid, one.mapped, self._state(files) if files else "")
        if time.monotonic() >= self._flushed + FLUSH:
            self._sink.flush()
            self._flushed = time.monotonic()

    def already(self, files: "StudyFiles") -> bool:
        """Tell whether the folder has the study as exactly these files say it."""
        return self._sink.state(files.study_uid) == self._state(files)

    def _state(self, files: "StudyFiles") -> str:
        from mapper.sinks.ndjson.index import OF_FILES

        return f"{OF_FILES}{self._version} {files.state}"


@contextmanager
def outlet(folder: "Path | None", site: "Site", contained: bool = False) -> Iterator[Outlet]:
    """Open a folder, else standard output, and see that all of it is written.

    Raises SettingError or SinkDown where it cannot be.
    """
    if folder is None:
        with written(sys.stdout.buffer) as out:
            yield Lines(site, contained, out)
        return
    from mapper.jobs.into_folder import into_folder
    from mapper.sinks.ndjson.sink import Ndjson

    sink = Ndjson(folder)
    try:
        into = into_folder(sink, site)
        into.guard()
        yield Files(site, sink, into)
    finally:
        sink.close()
