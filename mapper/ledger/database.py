"""The ledger's database: SQLite by default, PostgreSQL to scale out."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from mapper.errors import LedgerFailed, SettingError
from mapper.ledger.advisory import held, lock
from mapper.ledger.migrations import upgrade
from mapper.ledger.schema import study
from mapper.ledger.sqlite_session import BUSY, begin, opened

UPGRADE = -1
"""The number of the lock under which the tables are made."""
CONNECTIONS = 150
"""As many as may be open: each of 64 workers holds one with its locks, and one for a transaction; pages ask beside."""
Inserting = Callable[[Any], Any]
NO_DRIVER = "ledger: no driver for this database: use sqlite:/// or postgresql+psycopg://"
INSTALL_POSTGRESQL = "pip install 'orthanc-fhir[postgresql]', from its source pip install '.[postgresql]'"


class Database:
    """One engine with short transactions: `write()` holds the writer's place from its first statement."""

    def __init__(self, url: str, password: str = "") -> None:
        try:
            parsed = make_url(url).set(password=password) if password else make_url(url)
        except ArgumentError as error:
            raise SettingError("ledger: not a database URL such as sqlite:////var/lib/ledger.db") from error
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        try:
            self.engine = create_engine(parsed, pool_pre_ping=not self.is_sqlite, pool_size=CONNECTIONS)
        except ImportError as error:
            if parsed.drivername == "postgresql+psycopg":
                raise SettingError(f"ledger: PostgreSQL's driver is not installed: {INSTALL_POSTGRESQL}") from error
            raise SettingError(NO_DRIVER) from error
        except ArgumentError as error:
            raise SettingError(NO_DRIVER) from error
        self._reading = self.engine.execution_options(reading=True)
        self._lazy = self.engine.execution_options(lazily=True)
        self._open = threading.local()
        self._turn = threading.Lock()
        if self.is_sqlite:
            event.listen(self.engine, "connect", opened)
            event.listen(self.engine, "begin", begin)

    @property
    def file(self) -> Path | None:
        """The file of a SQLite ledger, None where there is none."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    @property
    def place(self) -> str:
        """Where the ledger is, for messages: a file, or an address without user, password and query.

        libpq takes passwords from the query too, and of one with an @ the end is read as a part of the host.
        """
        if self.file:
            return str(self.file.absolute())
        url = self.engine.url
        host = url.host and url.host.rpartition("@")[2]
        return URL.create(url.drivername, host=host, port=url.port, database=url.database).render_as_string()

    def is_made(self) -> bool:
        """Tell whether there is a ledger at all, without making one."""
        if self.file and not self.file.exists():
            return False
        with failing(), self.engine.connect() as db:
            return bool(inspect(db).has_table(study.name))

    def create(self) -> None:
        """Make the tables, or bring those of an earlier release up to date.

        Raises SettingError when a later release made them, or no file can be made.
        """
        if self.file:
            try:
                _make_private(self.file)
            except OSError as error:
                raise SettingError(f"ledger: its folder cannot be made ({type(error).__name__})") from error
        with self.write() as db:
            self.lock(db, UPGRADE)  # replicas may start together
            upgrade(db)

    @contextmanager
    def write(self, *, lazily: bool = False) -> Iterator[Connection]:
        """Open one transaction that writes; it is stored on disk when the block ends. Raises LedgerFailed.

        Inside another one of the same thread it is a part of that: both are stored, or neither is. One that is stored
        `lazily` outlives our process, but SQLite leaves it to the next one that is not to wait for the disk: until then
        a power cut takes it.
        """
        outer: Connection | None = getattr(self._open, "connection", None)
        if outer is not None:
            with failing():
                yield outer
            return
        with self._turns(), failing(), (self._lazy if lazily else self.engine).begin() as connection:
            self._open.connection = connection
            try:
                yield connection
            finally:
                self._open.connection = None

    @contextmanager
    def _turns(self) -> Iterator[None]:
        """Have our threads write to SQLite one after the other: by itself it looks only now and then; see BUSY."""
        taken = self.is_sqlite and self._turn.acquire(timeout=BUSY)
        try:
            yield
        finally:
            if taken:
                self._turn.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open one consistent view to read from; raises LedgerFailed."""
        with failing(), self._reading.begin() as connection:
            yield connection

    def lock(self, db: Connection, number: int) -> None:
        """Hold a lock that all processes share until the transaction ends; SQLite's BEGIN IMMEDIATE is one anyway."""
        if not self.is_sqlite:
            lock(db, number)

    @contextmanager
    def locked(self, numbers: Sequence[int]) -> Iterator[tuple[Callable[[], None], Callable[[int], None]]]:
        """Hold locks that all processes on this database share; SQLite has one process anyway.

        Yields what asks whether they are held still, and what gives one back; LedgerFailed: the connection is gone.
        """
        if self.is_sqlite or not numbers:
            yield (lambda: None), (lambda number: None)
            return
        with failing(), held(self.engine, numbers) as session:
            yield partial(_guarded, session.ask), partial(_guarded, session.unlock)

    def insert(self, table: Any) -> Any:
        """Return an INSERT that knows ON CONFLICT."""
        return self.inserting(table)

    @property
    def inserting(self) -> Inserting:
        """What makes such an INSERT of a table."""
        return sqlite.insert if self.is_sqlite else postgresql.insert

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def failing() -> Iterator[None]:
    """Turn a failure of the database into LedgerFailed, without its text: that may hold a URL or a value."""
    try:
        yield
    except SQLAlchemyError as error:
        failed = LedgerFailed(f"the ledger failed ({type(error).__name__})")
        failed.kind = type(error).__name__
        raise failed from None


def file_of(url: str) -> Path | None:
    """Return the file that the URL of a SQLite ledger names, None where there is none."""
    parsed = make_url(url)
    named = parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:"
    return Path(str(parsed.database)) if named else None


def _guarded(do: Callable[..., None], *arguments: int) -> None:
    with failing():
        do(*arguments)


def _make_private(file: Path) -> None:
    """Make folder and file where they are not there: SQLite gives the file's mode to its -wal and -shm."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not str(file).startswith((":memory:", "file:")):
        with suppress(OSError):  # SQLite itself says what is wrong, when it opens it
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
