"""Where a ledger is, as messages, pages and the log say it: wherever a secret may stand in its URL, it is not told."""

from pathlib import Path

import pytest

from mapper.ledger.database import Database

SECRET = "hunter2"
SERVER = "postgresql+psycopg://db:5432/ledger"
PLACES: dict[str, tuple[str, str]] = {
    "a password before the host": (f"postgresql+psycopg://me:{SECRET}@db:5432/ledger", SERVER),
    "a user alone": ("postgresql+psycopg://me@db:5432/ledger", SERVER),
    "an @ in the password": (f"postgresql+psycopg://me:pa@{SECRET}@db:5432/ledger", SERVER),
    "a / in the password": (f"postgresql+psycopg://me:pa/{SECRET}@db:5432/ledger", SERVER),
    "a password in the query, as libpq has it": (f"{SERVER}?user=me&password={SECRET}", SERVER),
    "one of a key": (f"{SERVER}?sslmode=verify-full&sslkey=/etc/key&sslpassword={SECRET}", SERVER),
    "the file of passwords": (f"{SERVER}?passfile=/root/{SECRET}", SERVER),
    "options": (f"{SERVER}?options=-c%20secret={SECRET}", SERVER),
    "one that is encoded": (f"{SERVER}?%70assword={SECRET}", SERVER),
    "both": (f"postgresql+psycopg://me:{SECRET}@db:5432/ledger?password={SECRET}", SERVER),
    "twice": (f"{SERVER}?password={SECRET}&password={SECRET}", SERVER),
    "an empty query": (f"{SERVER}?", SERVER),
    "no port": (f"postgresql+psycopg://db/ledger?password={SECRET}", "postgresql+psycopg://db/ledger"),
    "no host": (f"postgresql+psycopg:///ledger?password={SECRET}", "postgresql+psycopg:///ledger"),
    "an address": (f"postgresql+psycopg://me:{SECRET}@[::1]:5432/ledger", "postgresql+psycopg://[::1]:5432/ledger"),
    "no file": ("sqlite://", "sqlite://"),
    "memory": ("sqlite:///:memory:", "sqlite:///%3Amemory%3A"),
    "a file": ("sqlite:////var/lib/ledger.db?timeout=5", "/var/lib/ledger.db"),
    "a file by its URI": (
        f"sqlite:///file:/var/lib/ledger.db?uri=true&password={SECRET}",
        str(Path("file:/var/lib/ledger.db").absolute()),
    ),
}


@pytest.mark.parametrize("url", PLACES)
def test_a_place_holds_no_secret(url: str) -> None:
    written, place = PLACES[url]
    database = Database(written)
    assert SECRET not in database.place
    assert database.place == place
    database.close()
