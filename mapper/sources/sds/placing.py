"""Which subject and which samples a study belongs to.

Of a person's word, the manifests and the folders the first that names a subject counts, and the first that names
a sample; where the manifest and the folder name different subjects, that is found.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mapper.dicom.study import Series, Study
from mapper.records.sds.dataset import By, DatasetStudy
from mapper.records.sds.finding import Findings, Where
from mapper.records.sds.lineage import Lineage
from mapper.sources.sds.places import Places
from mapper.sources.sds.tree import Tree

Ids = tuple[str, ...]


class Placing:
    """Gives studies to subjects; what was decided of one folder is not decided again for its next file."""

    def __init__(
        self, tree: Tree, places: Places, lineage: Lineage, entities: Mapping[str, str], findings: Findings
    ) -> None:
        self._tree = tree
        self._places = places
        self._lineage = lineage
        self._entities = entities
        self._findings = findings
        self._decided: dict[tuple[Ids, Ids, Ids], tuple[By, Ids, Ids]] = {}

    def place(self, study: Study) -> DatasetStudy:
        """Return a study with the subjects, entities and samples that its files are about."""
        subjects: dict[str, None] = {}
        folders: dict[str, None] = {}
        found: dict[str, Ids] = {}
        ways: dict[By, None] = {}
        for series in study.series:
            about: dict[str, None] = {}
            for file in self._files(series):
                folders[file.rpartition("/")[0]] = None
                by, ids, owners = self._about(file, self._given(study.uid, series.uid))
                ways[by] = None
                about.update(dict.fromkeys(ids))
                subjects.update(dict.fromkeys(owners))
            found[series.uid] = tuple(about)
        by = next((by for by in ways if by), "")
        samples = {uid: self._samples(ids) for uid, ids in found.items()}
        return DatasetStudy(study, tuple(subjects), found, samples, tuple(folders), by)

    def _files(self, series: Series) -> Iterable[str]:
        return (Path(instance.where).relative_to(self._tree.root).as_posix() for instance in series.instances)

    def _given(self, study_uid: str, series_uid: str) -> Ids:
        said = self._entities.get(series_uid) or self._entities.get(study_uid)
        return (said,) if said else ()

    def _about(self, file: str, said: Ids) -> tuple[By, Ids, Ids]:
        """Return who says what a file is about, the ids, and the subjects behind them."""
        key = (said, self._places.by_manifest(file), self._places.by_folder(file))
        if key not in self._decided:
            self._decided[key] = self._decide(file, *key)
        return self._decided[key]

    def _decide(self, file: str, said: Ids, manifest: Ids, folder: Ids) -> tuple[By, Ids, Ids]:
        ways: tuple[tuple[By, Ids], ...] = (("mapping", said), ("manifest", manifest), ("folder", folder))
        for by, ids in ways:
            owners = self._owners(ids)
            if not owners:
                continue
            if by == "manifest" and (other := self._owners(folder)) and not set(owners) & set(other):
                self._findings.add("folder-differs", Where(file))
            if self._contradicts_itself(ids):
                self._findings.add("sample-of-other", Where(file))
            return by, self._with_samples(ids, owners, ways), owners
        return next(((by, ids, ()) for by, ids in ways if ids), ("", (), ()))

    def _with_samples(self, ids: Ids, owners: Ids, ways: Iterable[tuple[By, Ids]]) -> Ids:
        """Return ids, and the first samples of the same subjects that another way names where they name none."""
        if not any(map(self._lineage.is_sample, ids)):
            for _, others in ways:
                samples = tuple(one for one in others if self._lineage.is_sample(one))
                if samples and set(self._owners(samples)) <= set(owners):
                    return tuple(dict.fromkeys((*ids, *samples)))
        return ids

    def _owners(self, ids: Ids) -> Ids:
        """Return the subjects that all ids share, or all of them where they share none."""
        each = [owners for one in ids if (owners := self._lineage.subjects_of(one))]
        shared = [one for one in each[0] if all(one in owners for owners in each)] if each else []
        return tuple(shared) or tuple(dict.fromkeys(one for owners in each for one in owners))

    def _contradicts_itself(self, ids: Ids) -> bool:
        """Tell whether one of the ids belongs to none of the subjects among them."""
        named = {one for one in ids if self._lineage.subjects_of(one) == (one,)}
        others = (set(self._lineage.subjects_of(one)) for one in ids if one not in named)
        return bool(named) and any(owners and not owners & named for owners in others)

    def _samples(self, ids: Ids) -> Ids:
        """Return the samples among ids, without those that others of them are derived from."""
        samples = [one for one in ids if self._lineage.is_sample(one)]
        above = {parent for one in samples for parent in self._lineage.ancestors(one)}
        return tuple(one for one in samples if one not in above)
