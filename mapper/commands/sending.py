"""`convert --to fhir`: studies go into a folder that remembers them, and from there into the FHIR server."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from mapper.commands.progress import Progress
from mapper.commands.push import left_alone, pushed, tell
from mapper.commands.target import NDJSON, folder_of
from mapper.namespace import is_public, namespace_of
from mapper.settings import Settings
from mapper.wiring import fhir_server_of


class Sending:
    """The FHIR server of the settings, and the folder through which it is reached.

    What several studies say goes out once, as the newest says it, and what was sent is known after a kill.
    """

    def __init__(self, settings: Settings, memory: Path, say: Callable[[str], object]) -> None:
        """See that the server answers before anything is read; raises SettingError, SinkDown or SinkRefused."""
        self._settings = settings
        sink = fhir_server_of(settings)
        try:
            sink.probe()
        finally:
            sink.close()
        self.folder = folder_of(f"{NDJSON}:{memory}")
        self.namespace: UUID = namespace_of(settings, make=True)
        """Under which `serve` makes ids too."""
        if is_public(self.namespace):
            say("the id namespace is the public one: set namespace_file before real patients come")

    def send(self, progress: Progress) -> bool:
        """Send what the server lacks, and say so; returns whether nothing was left alone. Raises as Sink.put."""
        assert self.folder
        found = pushed(self._settings, self.folder, False, progress)
        tell(found)
        return not left_alone(found)
