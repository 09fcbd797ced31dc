"""What to do when a folder of NDJSON fails."""

from errno import EACCES, EDQUOT, EEXIST, EFBIG, EISDIR, ENOSPC, EPERM, EROFS
from pathlib import Path

from mapper.errors import SinkDown
from mapper.sinks.ndjson.index import IndexFailed

FULL, AWAY, RIGHTS = "is its disk full?", "move it away", "may this user write there?"
THEN = {
    ENOSPC: FULL,
    EDQUOT: FULL,
    EFBIG: FULL,
    EISDIR: AWAY,
    EEXIST: AWAY,
    EACCES: RIGHTS,
    EPERM: RIGHTS,
    EROFS: RIGHTS,
}
"""What the system says -> what to do."""


def files_failed(folder: Path, error: OSError) -> SinkDown:
    """Return what to say of files."""
    name = f"{Path(error.filename).name}: " if error.filename else ""
    then = THEN.get(error.errno or 0, "look at the folder and its disk")
    return SinkDown(f"{folder} cannot be used ({name}{error.strerror}): {then}")


def index_failed(index: Path, error: IndexFailed) -> SinkDown:
    """Return what to say of an index."""
    then = "if the disk is not full, remove it: it is made anew of the files"
    return SinkDown(f"the index {index} cannot be used ({type(error).__name__}): {then}")
