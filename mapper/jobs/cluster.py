"""A Dask cluster as the executor (https://distributed.dask.org): its workers read and map, this process delivers."""

from collections.abc import Callable
from concurrent.futures import Executor

from mapper.errors import SettingError
from mapper.jobs.reading import OTHER_RELEASE
from mapper.jobs.release import release

PATIENCE = 20
"""Seconds until the scheduler has to answer."""


def cluster(address: str) -> tuple[Callable[[], Executor], int, Callable[[], bool]]:
    """Return what makes an executor of the cluster at an address, its workers' threads, and what tells that it is gone.

    Raises SettingError where `distributed` is not installed, nobody answers, or a worker is of another release.
    """
    try:
        from distributed import Client
    except ImportError:
        raise SettingError("--dask: needs the extra `cluster`: pip install 'orthanc-fhir[cluster]'") from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise SettingError(f"--dask: no scheduler answers there ({type(error).__name__})") from None
    size = sum(client.nthreads().values())  # type: ignore[no-untyped-call]
    if not size:
        raise SettingError("--dask: the scheduler has no workers: start `dask worker` with this same release")
    told = client.run(release, on_error="return").values()  # a failure: a worker that has no such function
    if any(one != release() for one in told):
        raise SettingError(OTHER_RELEASE)

    def make() -> Executor:
        made: Executor = client.get_executor(pure=False, retries=3)  # type: ignore[no-untyped-call]
        return made

    def is_gone() -> bool:
        return client.status in ("closing", "closed")  # nobody but a scheduler that stays away makes it so

    return make, size, is_gone
