"""Where `convert` writes: Bundles on standard output, or a folder of NDJSON."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from mapper.commands.output import written
from mapper.commands.target import folder_of
from mapper.terminal import shown_json

if TYPE_CHECKING:
    from mapper.convert import Converted
    from mapper.dicom.study import Study
    from mapper.jobs.into_folder import IntoFolder
    from mapper.maps.site import Site


class Outlet(Protocol):
    """Makes what one study becomes, and writes it."""

    def make(self, study: "Study") -> "Converted":
        """Return what a study becomes; raises as `convert` of mapper.convert."""

    def put(self, one: "Converted") -> None:
        """Write it."""


class Lines:
    """A Bundle, or an ImagingStudy, a line."""

    def __init__(self, site: "Site", contained: bool) -> None:
        self._site, self._contained = site, contained

    def make(self, study: "Study") -> "Converted":
        """Return the JSON of one study."""
        from mapper.convert import convert

        return convert(study, self._site, self._contained)

    def put(self, one: "Converted") -> None:
        """Write its line."""
        sys.stdout.buffer.write((shown_json(one.json) if sys.stdout.isatty() else one.json) + b"\n")


class Files:
    """Resources in a folder of NDJSON."""

    def __init__(self, site: "Site", into: "IntoFolder") -> None:
        self._site, self._into = site, into

    def make(self, study: "Study") -> "Converted":
        """Return the resources of one study."""
        from mapper.convert import Converted, checked

        mapped = checked(study, self._site)
        return Converted(study.uid, b"", mapped.problems, mapped)

    def put(self, one: "Converted") -> None:
        """Write its resources; raises as Sink.put."""
        if one.mapped:
            self._into.write(one.study_uid, one.mapped)


@contextmanager
def outlet(to: str, site: "Site", contained: bool) -> Iterator[Outlet]:
    """Open what `--to` names and see that all of it is written; raises SettingError or SinkDown where it cannot be."""
    folder = folder_of(to)
    if folder is None:
        with written(sys.stdout.buffer):
            yield Lines(site, contained)
        return
    from mapper.jobs.into_folder import into_folder
    from mapper.sinks.ndjson.sink import Ndjson

    sink = Ndjson(folder)
    try:
        yield Files(site, into_folder(sink, site))
    finally:
        sink.close()
