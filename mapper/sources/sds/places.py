"""What a file is about: by a person's word, by the manifests, by the names of its folders, in this order."""

import re
from collections.abc import Iterable
from fnmatch import translate
from pathlib import PurePosixPath

from mapper.records.sds.finding import Findings
from mapper.records.sds.lineage import ENTITY_ID, Lineage
from mapper.records.sds.row import ManifestEntry

PATTERNS = 1000
"""Patterns that are tried on each file."""
WILD = re.compile(r"[*?\[]")


class Places:
    """The manifests and folders of a dataset, asked for one file at a time."""

    def __init__(
        self, entries: Iterable[ManifestEntry], lineage: Lineage, files: Iterable[str], findings: Findings
    ) -> None:
        self._lineage = lineage
        self._files = set(files)
        self._folders = {str(parent) for file in self._files for parent in PurePosixPath(file).parents}
        self._listed: dict[str, ManifestEntry] = {}
        self._patterns: list[tuple[re.Pattern[str], ManifestEntry]] = []
        self._by_folder: dict[str, tuple[str, ...]] = {}
        for entry in entries:
            self._take(entry, findings)

    def _take(self, entry: ManifestEntry, findings: Findings) -> None:
        name = within(entry)
        if name is None:
            findings.add("file-outside", entry.at("filename"))
        elif entry["pattern"] is not None or (WILD.search(name) and name not in self._files):
            if len(self._patterns) < PATTERNS:
                self._patterns.append((re.compile(translate(name)), entry))
            else:
                findings.add("too-many-patterns", entry.at("filename"), count=PATTERNS)
        elif name in self._files or name in self._folders:
            self._listed.setdefault(name, entry)
        else:
            findings.add("no-such-file", entry.at("filename"))

    def entry(self, file: str) -> ManifestEntry | None:
        """Return what the manifests say of a file, or else of the nearest folder that it lies in."""
        if file in self._listed:
            return self._listed[file]
        if wild := next((entry for pattern, entry in self._patterns if pattern.fullmatch(file)), None):
            return wild
        parents = map(str, PurePosixPath(file).parents)
        return next((self._listed[parent] for parent in parents if parent in self._listed), None)

    def by_manifest(self, file: str) -> tuple[str, ...]:
        """Return the ids that the manifests give a file."""
        entry = self.entry(file)
        if entry is None:
            return ()
        whole = entry["entity"]
        return (whole,) if whole and self._lineage.knows(whole) else entry.entities

    def by_folder(self, file: str) -> tuple[str, ...]:
        """Return the ids among the names of a file's folders, from the widest to the narrowest."""
        folder = str(PurePosixPath(file).parent)
        if folder not in self._by_folder:
            names = PurePosixPath(folder).parts
            self._by_folder[folder] = tuple(filter(self._is_entity, names))
        return self._by_folder[folder]

    def _is_entity(self, name: str) -> bool:
        return self._lineage.knows(name) or ENTITY_ID.fullmatch(name) is not None

    def unlisted(self) -> list[str]:
        """Return the files within folders of which no manifest says anything, manifests themselves left out."""
        within_folders = (file for file in self._files if "/" in file and PurePosixPath(file).stem != "manifest")
        return sorted(file for file in within_folders if self.entry(file) is None)


def within(entry: ManifestEntry) -> str | None:
    """Return the path within the dataset that an entry means, None where it leaves the dataset.

    It counts from the manifest's own folder (SDS 2: one in each folder; SDS 3: one at the top).
    """
    parts: list[str] = list(PurePosixPath(entry.sheet.file).parent.parts)
    named = entry.id.replace("\\", "/")
    if named.startswith("/") or re.match(r"[A-Za-z]:", named):
        return None
    for part in named.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or "."
