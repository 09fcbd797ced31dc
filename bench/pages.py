"""How quickly each page answers where there are many studies and a long history, with nobody else asking.

uv run python -m bench.pages
"""

import random
import statistics
import tempfile
import time
from pathlib import Path

from fastapi.testclient import TestClient
from rich.console import Console
from rich.table import Table

from mapper.ledger.schema import history, study
from mapper.service import Service, service_of
from mapper.settings import Settings
from mapper.web.app import app_of
from mapper.web.prometheus import Prometheus

STUDIES, SYNCS = 100_000, 1_000_000
TIMES = 20
AT_ONCE = 50_000
MONTH = 30 * 24 * 3600.0
STATES = ("synced",) * 96 + ("parked", "retrying", "pending", "removed")
FAILURES = {"parked": "BundleRejected", "retrying": "SinkBusy"}
SOME = "1.2.840.99999.5"
PAGES = {
    "overview": "/",
    "studies": "/studies",
    "studies, parked": "/studies?state=parked",
    "studies, of a failure in the last day": "/studies?failure=SinkBusy&since=24h",
    "studies, that failed in any way in the last week": "/studies?failure=any&since=7d",
    "studies, that failed in any way in 30 days": "/studies?failure=any&since=30d",
    "studies, put back in line just now": "/studies?done=3&asked_at={now}",
    "studies, by beginning of the UID": f"/studies?q={SOME}",
    "one study": f"/studies/{SOME}",
    "one study, asked for just now": f"/studies/{SOME}?asked_at={{now}}",
    "syncs": "/syncs",
    "syncs, failed": "/syncs?failed=true",
    "syncs, failed in the last hour": "/syncs?failed=true&begins={hour_ago}",
    "problems": "/problems",
    "problems, of one kind in 30 days": "/problems?failure=BundleRejected&since=30d",
    "mapping": "/mapping",
    "mapping, searched": "/mapping?q=bodySite",
    "settings": "/settings",
    "about": "/about",
}


def fill(service: Service) -> None:
    """Make studies in every state, and a month of syncs."""
    chance, now = random.Random(1), time.time()
    rows = []
    for number in range(STUDIES):
        state = STATES[number % len(STATES)]
        failure = FAILURES.get(state, "")
        facts = {"state": state, "failure": failure, "reason": failure and "HTTP 422 (processing)"}
        moved = now - chance.random() * MONTH
        done = {"synced_at": moved if state == "synced" else None, "changed_at": moved, "marked_at": moved}
        rows.append({"source": "orthanc", "study_uid": f"1.2.840.99999.{number}", **facts, **done})
    syncs = []
    for number in range(SYNCS):
        fate = STATES[number % 98]
        ended = now - MONTH * (1 - number / SYNCS)
        ran = {"started": ended - chance.random(), "ended": ended, "attempts": 1}
        uid = f"1.2.840.99999.{chance.randrange(STUDIES)}"
        syncs.append({"source": "orthanc", "study_uid": uid, "fate": fate, "failure": FAILURES.get(fate, ""), **ran})
    for table, made in ((study, rows), (history, syncs)):
        for first in range(0, len(made), AT_ONCE):
            with service.ledger.database.write() as db:
                db.execute(table.insert(), made[first : first + AT_ONCE])


def main() -> None:
    """Ask for every page some times, and print one table."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(ledger=f"sqlite:///{Path(folder) / 'ledger.db'}")  # type: ignore[arg-type]
        service = service_of(settings)
        fill(service)
        client = TestClient(app_of(service, Prometheus()), base_url="http://127.0.0.1:8000")
        table = Table("milliseconds", "median", "95 of 100", "kB", box=None)
        now = int(time.time())
        for name, template in PAGES.items():
            path = template.format(now=now, hour_ago=now - 3600)
            took = []
            for _ in range(TIMES + 1):
                began = time.perf_counter()
                answer = client.get(path)
                took.append((time.perf_counter() - began) * 1000)
                assert answer.status_code == 200, path
            took = sorted(took[1:])
            size = f"{len(answer.content) / 1000:.0f}"
            table.add_row(name, f"{statistics.median(took):.0f}", f"{took[int(len(took) * 0.95) - 1]:.0f}", size)
        Console().print(f"{STUDIES:,} studies, {SYNCS:,} syncs, SQLite", table)


if __name__ == "__main__":
    main()
