"""The folder of a dataset: its files, without what another standard structures and what leaves the dataset."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISREG

from mapper.errors import Unreadable
from mapper.records.sds.finding import Findings, Where
from mapper.sources.sds.sheet import FORMATS, OTHER_FORMATS

STRUCTURE = ".dss"
"""The file that names the standard a folder follows (SDS 3); below the dataset's own folder it marks another one."""
DEBRIS = ("~$", "Thumbs.db", "desktop.ini")
"""How names begin that programs leave behind; so do those that begin with a dot."""
MEASUREMENTS = "measurements.json"
DESCRIPTION = "dataset_description"


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a dataset, by their paths within it, folder by folder."""

    root: Path
    files: tuple[str, ...]
    datasets: tuple[str, ...] = ()
    """Folders at its top in which a dataset of its own lies."""

    def path(self, file: str) -> Path:
        """Return a file's place on this machine."""
        return self.root / file

    def sheet(self, stem: str, findings: Findings) -> str | None:
        """Return the sheet of a name at the top of the dataset, the first of its forms."""
        return next(iter(self.sheets(stem, findings, lambda folder: folder == "")), None)

    def manifests(self, findings: Findings) -> list[str]:
        """Return the manifest of each folder that has one."""
        return list(self.sheets("manifest", findings, lambda folder: True))

    def sheets(self, stem: str, findings: Findings, wanted: Callable[[str], bool]) -> Iterator[str]:
        """Yield one sheet of a name for each folder; other forms of it are found wanting."""
        by_folder: dict[str, list[str]] = {}
        for file in self.files:
            path = PurePosixPath(file)
            folder = "" if str(path.parent) == "." else str(path.parent)
            if path.stem.lower() == stem and wanted(folder):
                by_folder.setdefault(folder, []).append(file)
        for files in by_folder.values():
            forms = sorted((file for file in files if suffix(file) in FORMATS), key=order)
            for other in forms[1:]:
                findings.add("two-forms", Where(forms[0]), other=Where(other))
            if forms:
                yield forms[0]
                continue
            for file in files:
                if suffix(file) in OTHER_FORMATS:
                    findings.add("other-format", Where(file))


def suffix(file: str) -> str:
    return PurePosixPath(file).suffix.lower()


def order(file: str) -> tuple[int, str]:
    return list(FORMATS).index(suffix(file)), file


def walk(root: Path, findings: Findings) -> Tree:
    """Return the files of a dataset.

    Raises Unreadable when a folder is none or cannot be read: what would come out might be half a study.
    """

    def refuse(error: OSError) -> None:
        raise Unreadable(f"{error.filename}: the folder cannot be read ({error.strerror})")

    if not root.is_dir():
        raise Unreadable(f"{root}: no folder; name the folder of the dataset")
    real = root.resolve()
    if not is_sds(root / STRUCTURE):
        findings.add("other-standard", Where(STRUCTURE))
    files: list[str] = []
    datasets: list[str] = []
    for folder, folders, names in os.walk(root, onerror=refuse):
        within = PurePosixPath(os.path.relpath(folder, root).replace(os.sep, "/"))
        folders[:] = sorted(name for name in folders if not is_debris(name))
        inner = is_dataset(names) and is_sds(Path(folder, STRUCTURE))
        if len(within.parts) == 1 and inner:
            datasets.append(str(within))
        if STRUCTURE in names and str(within) != ".":
            findings.add("other-dataset" if inner else "other-structure", Where(str(within)))
            folders.clear()
            continue
        for name in sorted(names):
            file = str(within / name)
            if not is_debris(name) and is_ours(Path(folder, name), real, file, findings):
                files.append(file)
    return Tree(root, tuple(files), tuple(datasets))


def is_dataset(names: Iterable[str]) -> bool:
    """Tell whether a folder with these names in it is the top of a dataset; one of BIDS has the same file."""
    return any(PurePosixPath(name).stem.lower() == DESCRIPTION for name in names)


def is_sds(path: Path) -> bool:
    """Tell whether a `.dss` file names SDS, as `(sds 3.0.2)`; one that is empty or not there names nothing else."""
    if not path.is_file():
        return True
    with path.open("rb") as stream:
        said = stream.read(100).strip().lower()
    return not said or said.startswith(b"(sds")


def is_debris(name: str) -> bool:
    """Tell whether a name is one that programs leave behind."""
    return name.startswith((".", *DEBRIS))


def is_ours(path: Path, root: Path, file: str, findings: Findings) -> bool:
    """Tell whether a name is a file, and where a link ends up within the dataset."""
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
            findings.add("outside", Where(file))
            return False
        regular = S_ISREG(path.stat().st_mode)
    except (OSError, RuntimeError):  # a link to nowhere, or in a circle
        regular = False
    if not regular:
        findings.add("no-file", Where(file))
    return regular
