"""What `backfill` does, put together of sources, ledger, sinks and a crew."""

import time
from collections.abc import Sequence
from pathlib import Path

from mapper import log
from mapper.commands.progress import Progress
from mapper.commands.stage import Stage, Stages
from mapper.errors import SettingError
from mapper.jobs.completeness import Bucket, compare, in_archive, in_fhir
from mapper.jobs.executors import crew_of
from mapper.jobs.hours import hours_of
from mapper.jobs.into_fhir import Shift, crew_worker, take_in
from mapper.jobs.into_files import IntoFiles, Tally
from mapper.jobs.into_folder import into_folder
from mapper.jobs.patience import Patience
from mapper.jobs.reading import Recipe, read
from mapper.maps import keys
from mapper.maps.site import Site
from mapper.namespace import namespace_of
from mapper.service import output_version, service_of
from mapper.settings import OrthancSource, Settings
from mapper.sinks.ndjson.sink import Ndjson
from mapper.wiring import dicomweb_of, fhir_server_of, site_of, source_of

Facts = dict[str, object]
POLL = 1.0
REMAPPED = 1000
"""Studies of a report that are mapped anew at most; what is short beyond them is named as it is."""
ONE_DELIVERER = (
    "--processes, --dask: another process delivers from this ledger, and SQLite allows one: stop that one, take "
    "PostgreSQL for several (docs/scale.md), or leave the option out: then studies are marked, and that one works"
)
NO_HOURS = (
    "--between: another process delivers from this ledger, and would do the work at all hours: stop that one, or "
    "leave the option out"
)


def into_fhir(
    settings: Settings,
    chosen: Sequence[OrthancSource],
    processes: int,
    dask: str | None,
    between: str | None,
    progress: Progress,
) -> tuple[Facts, bool]:
    """Mark what is not done and see it done; returns numbers, and whether all is well. Raises as Source and Sink."""
    log.aside()
    hours = hours_of(between) if between else None
    service, distributed = service_of(settings), bool(processes or dask)
    ledger, mine = service.ledger, False
    if distributed and not (mine := service.deliver()):
        raise SettingError(ONE_DELIVERER)
    if hours and not (mine := mine or service.deliver()):
        raise SettingError(NO_HOURS)
    service.sink.probe()
    patience, sources = Patience(say=progress.say), [service.worker.sources[one.name] for one in chosen]
    marked = sum(take_in(ledger, source, patience=patience) for source in sources)
    stages = Stages(ledger, [])
    if not (mine := mine or service.deliver()):
        progress.say("another process delivers from this ledger, and SQLite allows one: it does the work")
    while not mine and (stage := stages.now()).open:
        progress.stage(stage)
        time.sleep(POLL)
        mine = service.deliver()  # the other one may end before the work does
    if mine:
        with crew_of(settings.workers, processes, dask) as crew:
            worker = crew_worker(service, crew) if distributed else service.worker
            threads = max(settings.workers, 2 * crew.size) if distributed else settings.workers

            def look() -> None:
                crew.check()
                progress.stage(stages.now())

            Shift(worker, threads, hours).run(look)
    counts = ledger.rows.counts()
    left = ledger.rows.behind() + counts.get("parked", 0)  # what else is open came in meanwhile
    service.sink.close()
    ledger.database.close()
    service.lock.give()
    return {"marked": marked, "synced": counts.get("synced", 0), "left": left}, not left


def into_files(
    settings: Settings,
    chosen: Sequence[OrthancSource],
    folder: Path,
    processes: int,
    dask: str | None,
    between: str | None,
    progress: Progress,
) -> tuple[Facts, bool]:
    """Bring a folder in line with sources; returns numbers, and whether all is well. Raises as Source and Sink."""
    if len(chosen) > 1:
        raise SettingError("--to ndjson:DIR takes one source a folder: say --source NAME")
    hours, (mine,) = hours_of(between) if between else None, chosen
    namespace = namespace_of(settings, make=True)
    site, source, sink = site_of(settings, mine, namespace), source_of(mine, settings), Ndjson(folder)
    into = into_folder(sink, site, settings.deleted)
    began, patience = time.monotonic(), Patience(say=progress.say)
    asked = source.count()

    def tell(tally: Tally) -> None:
        handled = tally.done + tally.already + len(tally.failed)
        rate = tally.done / max(time.monotonic() - began, 1e-9)
        progress.stage(Stage(handled, max(asked, handled), max(asked - handled, 0), {}, rate))

    try:
        into.guard(mine.url)
        with crew_of(settings.workers, processes, dask) as crew:
            recipe = Recipe(settings, mine.name, namespace)
            version = output_version(site, "")
            found = IntoFiles(source, recipe, crew, into, version, hours, patience, tell).run()
    finally:
        sink.close()
    facts: Facts = {"listed": found.listed, "written": found.done, "already there": found.already, "gone": found.gone}
    facts |= {"still received": found.moving, "left out": len(found.failed), "failed": found.failed}
    if found.brake:
        progress.say(f"nothing counts as gone: {found.brake}")
    return facts, not found.failed and not found.brake


def reported(settings: Settings, chosen: Sequence[OrthancSource], folder: Path | None) -> list[Bucket]:
    """Return how archive and FHIR compare, source by source and by StudyDate; raises as Source and Sink."""
    namespace = namespace_of(settings, make=False)
    sink = Ndjson(folder) if folder else fhir_server_of(settings)
    try:
        found = []
        for one in chosen:
            endpoint = keys.id_of(namespace, keys.endpoint(endpoint_of(site_of(settings, one, namespace))))
            archive = in_archive(dicomweb_of(one, settings).search)
            is_right = Remapped(Recipe(settings, one.name, namespace))
            found += compare(archive, in_fhir(sink.offered_at(endpoint)), one.name, is_right)
        return found
    finally:
        sink.close()


class Remapped:
    """Maps a study of which FHIR has fewer instances than the archive anew: does a rejection note say so?"""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe, self._left = recipe, REMAPPED

    def __call__(self, study_uid: str, instances: int) -> bool:
        """Tell whether the study has so many instances as it is mapped; one that cannot be read does not."""
        self._left -= 1
        if self._left < 0:
            return False
        try:
            resources = read(self._recipe, study_uid, []).mapped.resources
        except Exception:  # the study is named, and `sync` says of it why
            return False
        return any(one["resourceType"] == "ImagingStudy" and one["numberOfInstances"] == instances for one in resources)


def endpoint_of(site: Site) -> str:
    """Return the DICOMweb root of a site as clients reach it."""
    return site.dicomweb or ""
