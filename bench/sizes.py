"""What a study takes, in bytes: as files, as a row of the ledger, in the FHIR server; and of the memory of a report.

uv run python -m bench.sizes [STUDIES] [IN_FHIR]
"""

import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from pydicom.uid import generate_uid
from rich.console import Console
from rich.table import Table

from bench.ledger import Case
from bench.many import INSTANCES, MapsOnce, mapped
from mapper.fhir.bundle import dump, transaction
from mapper.jobs.completeness import Held, compare
from mapper.jobs.into_folder import into_folder
from mapper.maps.site import Site
from mapper.sinks.ndjson.index import NAME
from mapper.sinks.ndjson.sink import Ndjson
from stack import FhirServer, Postgres
from stack.process import ROOT
from tests.support.stack import session

STUDIES, IN_FHIR = 100_000, 500
STATE = "a version of the mapping, and the hash of a fingerprint"


def as_files(studies: int) -> dict[str, float]:
    """Return what files and their index take of the disk, a study."""
    namespace = UUID(int=1)
    crew = MapsOnce(namespace)
    with tempfile.TemporaryDirectory() as name:
        into = into_folder(Ndjson(Path(name)), Site(namespace=namespace))
        for number in range(studies):
            into.sink.add_listed(f"1.2.{number}")
            into.write(f"1.2.{number}", crew.made(f"1.2.{number}", number, namespace), STATE)
        into.sink.close()
        files = sum(path.stat().st_size for path in Path(name).glob("*.ndjson"))
        return {"files of NDJSON": files / studies, "their index": (Path(name) / NAME).stat().st_size / studies}


def in_ledger(studies: int, database: Postgres) -> dict[str, float]:
    """Return what the ledger's rows take, a study, with its indexes."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        case = Case(f"sqlite:///{path}", studies)
        case.ledger.database.close()
        sqlite = sum(one.stat().st_size for one in Path(name).iterdir())
    case = Case(url := database.create_database("sizes"), studies)
    case.ledger.database.close()
    return {"ledger in SQLite": sqlite / studies, "ledger in PostgreSQL": size_of(url) / studies}


def size_of(url: str) -> int:
    """Return the bytes of a database of PostgreSQL."""
    with psycopg.connect(url.replace("+psycopg", "")) as db:
        (found,) = db.execute("select pg_database_size(current_database())").fetchone() or (0,)
        return int(found)


def in_fhir(studies: int, database: Postgres, fhir: FhirServer) -> dict[str, float]:
    """Return what the FHIR server's database grows by, a study of three instances, of a patient of its own."""
    http, namespace, sizes = session(), uuid4(), []
    for part in (studies // 5, studies):  # the first fill pages that are there
        for _ in range(part):
            made = mapped(generate_uid(prefix=None), generate_uid(prefix=None), namespace)
            body = dump(transaction(made.resources, fhir.url))
            headers = {"Content-Type": "application/fhir+json"}
            http.post(fhir.url, data=body, headers=headers, timeout=60).raise_for_status()
        sizes.append(size_of(database.sqlalchemy_url()))
    return {f"HAPI FHIR's database, {INSTANCES} instances": (sizes[1] - sizes[0]) / studies}


def in_memory(studies: int) -> dict[str, float]:
    """Return what a report holds in memory, a study."""

    def held() -> Iterator[Held]:
        return (Held(f"1.2.840.113619.2.55.3.{10**20 + number}", "20240517", 3) for number in range(studies))

    tracemalloc.start()
    kept = compare(held(), held())
    found = {"memory of the report": tracemalloc.get_traced_memory()[1] / studies}
    tracemalloc.stop()
    assert all(one.complete for one in kept)
    return found


def main() -> None:
    """Measure and print."""
    words = [int(word) for word in sys.argv[1:]]
    studies, few = (*words, *(STUDIES, IN_FHIR)[len(words) :])
    home = ROOT / ".run"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        with Postgres(folder / "pg") as database:
            with FhirServer(folder / "fhir", database=database) as fhir:
                found = in_fhir(few, database, fhir)
            found |= in_ledger(studies, database)
        database.clean()
    found |= as_files(studies) | in_memory(studies)
    table = Table(f"{studies} studies, {few} in FHIR", "bytes a study", "100 million", box=None)
    for what, size in found.items():
        table.add_row(what, f"{size:,.0f}", f"{size * 1e8 / 1e9:,.0f} GB")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
