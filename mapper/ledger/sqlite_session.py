"""A connection to a SQLite ledger: how it is opened, and how a transaction begins."""

from typing import Any

from sqlalchemy import Connection

BUSY = 30.0
"""Seconds for which SQLite waits for another one that writes; who waits longer for a thread of ours is let through."""
STORED, LATER = "FULL", "NORMAL"
"""Whether a commit waits for the disk. One that does stores all before it: one log (WAL) has them in order."""
LOG = 8000
"""Pages of 4 kB in the log before they are brought into the file: a page that is written twice is brought once."""
PRAGMAS = (
    *("journal_mode=WAL", f"synchronous={STORED}", f"wal_autocheckpoint={LOG}"),
    *(f"busy_timeout={BUSY * 1000:.0f}", "foreign_keys=ON"),
)


def opened(connection: Any, record: Any) -> None:
    """Prepare a new connection."""
    connection.isolation_level = None  # pysqlite begins too late by itself; `begin` does it
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    record.info["synchronous"] = STORED


def begin(connection: Connection) -> None:
    """Begin a transaction: one that writes takes the writer's place at once, and is stored as it was asked for."""
    options = connection.get_execution_options()
    if options.get("reading", False):
        connection.exec_driver_sql("BEGIN")
        return
    wanted = LATER if options.get("lazily", False) else STORED
    if connection.info.get("synchronous") != wanted:  # it may be changed outside of a transaction alone
        connection.info.pop("synchronous", None)  # not known, should it fail
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info["synchronous"] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE")
