"""A folder of NDJSON played into any FHIR server: in transactions, resumable, twice without a second version.

Every write names the version that the server must hold still: none yet, or the one that this folder wrote last. What
somebody else wrote meanwhile is compared and told, and overwritten only where that is asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from mapper.errors import BundleRejected, StaleVersion, TargetMissing
from mapper.fhir.bundle import order_of
from mapper.fhir.contained import referred
from mapper.fhir.resource import Key, Resource, key_in, key_of
from mapper.jobs.batches import batches
from mapper.jobs.patience import Patience
from mapper.jobs.same import same
from mapper.sinks.ndjson.sink import Ndjson
from mapper.sinks.sink import Sink

AT_ONCE = 200
"""Resources in one transaction."""
LOOKS = 3
"""How often versions are looked up anew before a transaction is given up: others write beside us."""


@dataclass
class Pushed:
    """What became of the resources of a folder: numbers, and the keys of what was left alone."""

    sent: int = 0
    """Written, or found to be there word for word."""
    already: int = 0
    """Written by this folder before."""
    differs: list[Key] = field(default_factory=list)
    """The server holds something else, written by somebody else: left alone."""
    refused: list[tuple[Key, str]] = field(default_factory=list)
    """Refused by the server, and why."""

    @property
    def done(self) -> int:
        """How many were looked at."""
        return self.sent + self.already + len(self.differs) + len(self.refused)


@dataclass
class Push:
    """Plays the latest view of a folder into a sink, what is referred to first."""

    folder: Ndjson
    sink: Sink
    server: str
    """By what the folder remembers the server."""
    overwrite: bool = False
    """Whether what somebody else wrote is overwritten."""
    patience: Patience = field(default_factory=Patience)
    progress: Callable[[int, int], object] = lambda done, total: None
    pushed: Pushed = field(default_factory=Pushed)

    def run(self) -> Pushed:
        """Send what the server lacks; raises as Sink.put when patience is over: it goes on where it was."""
        self._doubt()
        total = self.folder.count()
        for kind in sorted(self.folder.kinds(), key=order_of):
            for batch in batches(self.folder.latest(kind), AT_ONCE):
                new = [one for one in batch if not self._known(one)]
                self.pushed.already += len(batch) - len(new)
                self._send({key_of(one): one for one in new})
                self.progress(self.pushed.done, total)
        return self.pushed

    def _doubt(self) -> None:
        """Forget what this server was sent where it no longer holds it: it was emptied, or is another one."""
        for kind in self.folder.kinds():
            for one in islice(self.folder.latest(kind), 1):
                if self.folder.pushed(self.server, key_of(one)) and not self.patience(partial(self._version, one)):
                    self.folder.forget_pushed(self.server)
                    return

    def _version(self, resource: Resource) -> str:
        return self.sink.version(key_of(resource))

    def _known(self, resource: Resource) -> bool:
        key = key_of(resource)
        before = self.folder.pushed(self.server, key)
        return before is not None and before[0] == self.folder.version(key)

    def _send(self, batch: Mapping[Key, Resource]) -> None:
        """Send resources; one that is refused costs itself alone."""
        if not batch:
            return
        try:
            self.patience(lambda: self._put(batch))
        except BundleRejected as error:
            if len(batch) == 1:
                self.pushed.refused.extend((key, str(error)) for key in batch)
                return
            for key, one in batch.items():
                self._send({key: one})

    def _put(self, batch: Mapping[Key, Resource]) -> None:
        left = dict(batch)
        expected = {key: (self.folder.pushed(self.server, key) or ("", ""))[1] for key in left}
        for _ in range(LOOKS):
            try:
                self._keep(left, self.sink.put(left.values(), expected) if left else {})
                return
            except StaleVersion:
                expected = self._look(left)
            except TargetMissing:
                if not (missing := self._beside(left)):
                    raise BundleRejected("it refers to what neither the folder nor the server holds") from None
                left |= missing
                expected |= {key: self.sink.version(key) for key in missing}
        raise StaleVersion("others write the same resources at the same time: say it again later")

    def _look(self, left: dict[Key, Resource]) -> dict[Key, str]:
        """Return what the server holds of each; what is there already, or is not ours to change, is left out."""
        expected = {}
        for key, one in list(left.items()):
            version = self.sink.version(key)
            held = self.sink.read(key) if version else None
            before = self.folder.pushed(self.server, key)
            if held and same(one, held):
                self._keep({key: left.pop(key)}, {key: version})
            elif held and not self.overwrite and (before is None or before[1] != version):
                left.pop(key)
                self.pushed.differs.append(key)
            else:
                expected[key] = version
        return expected

    def _beside(self, left: Mapping[Key, Resource]) -> dict[Key, Resource]:
        """Return what these refer to, and that in turn, as far as the folder holds it."""
        found: dict[Key, Resource] = {}
        ahead: list[Resource] = list(left.values())
        while ahead:
            for key in map(key_in, referred(ahead.pop())):
                if key not in left and key not in found and (target := self.folder.read(key)):
                    found[key] = target
                    ahead.append(target)
        return found

    def _keep(self, sent: Mapping[Key, Resource], versions: Mapping[Key, str]) -> None:
        self.folder.keep_pushed(self.server, versions)
        self.pushed.sent += len(sent)
