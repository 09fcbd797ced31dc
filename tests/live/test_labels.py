"""Labels inside real Orthancs: 1.12.7 shows how studies stand, 1.10.1 says that it cannot and does all else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from stack import Orthanc
from tests.support.mapper_fake import Answer, MapperFake, study_state, until
from tests.support.plugged import TOKEN, Make, call, make, upload

pytestmark = pytest.mark.live

__all__ = ["make"]

STABLE = 15
"""Seconds for StableAge (1 s) and for Orthanc's look at it."""
OVERLAY = {"FhirSync": {"Labels": True}, "OrthancExplorer2": {"UiOptions": {"EnableEditLabels": False}}}


class Listing:
    """`GET /api/studies` of a mapper: what moved last first, the whole of it on one page."""

    def __init__(self) -> None:
        self.now = datetime(2024, 5, 17, tzinfo=UTC)
        self.studies: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def put(self, uid: str, state: str) -> None:
        self.now += timedelta(seconds=10)
        moved = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.studies[uid] = {"study_uid": uid, "source": "orthanc", "state": state, "changed_at": moved}

    def answer(self, method: str, path: str) -> Answer | None:
        parts = urlsplit(path)
        if (method, parts.path) != ("GET", "/api/studies"):
            return None
        since = parse_qs(parts.query).get("since", [""])[0]
        self.asked.append(since)
        found = sorted(self.studies.values(), key=lambda one: one["changed_at"], reverse=True)
        page = {"counts": {}, "studies": [one for one in found if one["changed_at"] >= since], "next": None}
        return 200, json.dumps(page).encode()


def labels(orthanc: Orthanc, study: str) -> set[str]:
    return set(call(orthanc, "GET", f"/studies/{study}/labels").json())


def has_labels(orthanc: Orthanc) -> bool:
    return bool(call(orthanc, "GET", "/system").json().get("HasLabels"))


def log_of(orthanc: Orthanc) -> str:
    return Path(orthanc.log).read_text(errors="replace")


def test_a_study_has_the_label_of_its_state_and_keeps_its_own(make: Make) -> None:
    listing = Listing()
    with MapperFake(TOKEN) as mapper:
        mapper.answer = listing.answer
        with make(mapper.url, more=OVERLAY) as orthanc:
            study, uid = upload(orthanc)
            until(lambda: mapper.rings, STABLE)
            if not has_labels(orthanc):
                until(lambda: "no labels are written" in log_of(orthanc))
                assert call(orthanc, "POST", f"/fhir-sync/studies/{study}", json={}).json()["state"] == "synced"
                assert log_of(orthanc).count("FhirSync: no labels") == 1
                assert listing.asked == []
                return
            before = call(orthanc, "GET", f"/studies/{study}").json()["LastUpdate"]
            call(orthanc, "PUT", f"/studies/{study}/labels/urgent", data="").raise_for_status()
            for state, label in (("pending", "pending"), ("syncing", "pending"), ("synced", "synced")):
                listing.put(uid, state)
                until(lambda label=label: labels(orthanc, study) == {"urgent", f"fhir-{label}"})  # type: ignore[misc]
            mapper.rings.clear()
            mapper.on_sync = lambda uid, wait: study_state(uid, "parked")
            call(orthanc, "POST", f"/fhir-sync/studies/{study}", json={}).raise_for_status()
            assert labels(orthanc, study) == {"urgent", "fhir-failed"}, "set before it was answered"
            listing.put(uid, "synced")
            until(lambda: labels(orthanc, study) == {"urgent", "fhir-synced"})
            asked = len(listing.asked)
            until(lambda: len(listing.asked) >= asked + 2)
            assert call(orthanc, "GET", f"/studies/{study}").json()["LastUpdate"] == before
            assert mapper.rings == [], "a label is no change of a study"
            assert "Error" not in log_of(orthanc)
            orthanc.stop()
            assert "Orthanc has stopped" in orthanc.log_tail(2)
