"""What all tests share: the hypothesis profiles, and the databases a ledger can live in."""

import gc
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

import mapper.log
from mapper.ledger.database import Database
from stack import Postgres
from stack.process import ROOT
from tests.support.examples import FEW
from tests.support.ledgers import emptied

EXAMPLES = {"few": FEW, "many": 300}
"""Of every property: few in every run, the same ones, so that what fails here fails everywhere; many in `make soak`."""
for name, examples in EXAMPLES.items():
    settings.register_profile(
        name,
        derandomize=name == "few",
        print_blob=name == "many",
        deadline=None,
        max_examples=examples,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("few")  # another one by --hypothesis-profile

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.live)]
NewDatabase = Callable[[], str]


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what lives to the end: ten thousand tests cost it a third of the time."""
    gc.collect()
    gc.freeze()


class FileByFile(LoadScopeScheduling):
    """Give each process whole files of tests: the tests of a file share its servers. Walks are long and share none."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if "convergence" in Path(file).parts else file


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileByFile:
    """Distribute the tests ourselves: `--dist loadgroup` of pytest-xdist 3.8 has no effect with pytest 9.2."""
    return FileByFile(config, log)


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in os.environ:
        if name.startswith("ORTHANC_FHIR_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def log_of_each_test_alone() -> Iterator[None]:
    """Undo what a command configured: it writes to an output that the next test no longer has."""
    yield
    mapper.log.aside(logging.NOTSET)
    logging.captureWarnings(False)


@pytest.fixture(scope="session")
def ledger_postgres() -> Iterator[Postgres]:
    """Run PostgreSQL for ledgers, in a folder that its own user can enter."""
    folder = ROOT / ".run/tests" / f"ledger-{os.getpid()}"
    folder.mkdir(parents=True)
    with Postgres(folder) as server:
        yield server
    server.clean()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a folder in memory where there is one: a ledger waits for the disk at every step."""
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        yield tmp_path_factory.mktemp("quick")
        return
    folder = memory / f"orthanc-fhir-tests-{os.getpid()}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=DATABASES)
def new_database(request: pytest.FixtureRequest, quick_folder: Path) -> NewDatabase:
    """Give a function that names an empty database, for each kind of database a ledger can live in."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{quick_folder / uuid4().hex}.db"
    server: Postgres = request.getfixturevalue("ledger_postgres")
    return lambda: emptied(server.sqlalchemy_url())


@pytest.fixture(scope="session")
def empty_ledger(quick_folder: Path) -> Path:
    """Give a SQLite ledger that has its tables and nothing in them."""
    path = quick_folder / "empty.db"
    database = Database(f"sqlite:///{path}")
    database.create()
    database.close()
    return path


@pytest.fixture
def ledger_url(quick_folder: Path, empty_ledger: Path) -> str:
    """Name an empty SQLite ledger."""
    path = quick_folder / f"{uuid4().hex}.db"
    shutil.copyfile(empty_ledger, path)
    return f"sqlite:///{path}"
