"""A backup of the ledger, taken while it runs and put back later: FHIR ends as Orthanc is, no version changes."""

import sqlite3
from contextlib import closing
from pathlib import Path

from stack import FhirServer
from tests.support.stack import Stack
from tests.support.study import study


def test_an_older_ledger_that_is_restored_catches_up_and_changes_no_version(
    run_folder: Path, fhir_server: FhirServer
) -> None:
    with Stack(run_folder / "backup", fhir_server) as stack:
        stays, grows, goes, comes = study(), study(), study(), study()
        stack.upload(stays, grows, goes)
        for sample in (stays, grows, goes):
            stack.until_state(sample.uid, "synced")

        ledger, copy = stack.mapper.folder / "ledger.db", run_folder / "backup.db"
        with closing(sqlite3.connect(ledger)) as here, closing(sqlite3.connect(copy)) as there:
            here.backup(there)  # what `.backup` of the sqlite3 program does

        grows.add()
        stack.upload(grows, comes)
        stack.delete(goes.uid)
        stack.until_found(grows.uid, 3)
        stack.until_state(comes.uid, "synced")
        stack.until_state(goes.uid, "removed")
        before = {sample.uid: stack.versions(sample.uid) for sample in (stays, grows, goes, comes)}

        stack.mapper.stop()
        for file in stack.mapper.folder.glob("ledger.db*"):
            file.unlink()
        copy.rename(ledger)
        stack.mapper.start().wait_ready()

        stack.until_state(comes.uid, "synced")  # the old ledger has never heard of it
        stack.until_state(goes.uid, "removed")
        stack.until_state(grows.uid, "synced")
        stack.sync(grows.uid)
        assert {uid: stack.versions(uid) for uid in before} == before
