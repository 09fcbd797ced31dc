# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of studies in Orthanc: a copy, for display alone, of how they stand in FHIR.

Three labels are ours; one of them is set and the two others deleted. No other label is touched, and none is ever read.
"""

import re
import threading
from collections import OrderedDict
from typing import Any

import orthanc  # type: ignore[import-not-found]  # made by Orthanc itself
from fhir_sync_json import ANSWER, NotJson, parsed  # type: ignore[import-not-found]
from fhir_sync_log import LOG  # type: ignore[import-not-found]

PENDING, SYNCED, FAILED = OURS = ("fhir-pending", "fhir-synced", "fhir-failed")
LABELS = {
    "pending": PENDING,
    "syncing": PENDING,
    "retrying": PENDING,
    "synced": SYNCED,
    "parked": FAILED,
    "removed": None,
}
"""The label of each state of the mapper's; of any other (unreachable) nothing is known, and nothing is changed."""
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{8}){4}")
MOST = 10_000  # studies whose label is remembered, so that it is not set twice
EDITOR = "OrthancExplorer2.UiOptions.EnableEditLabels"


class Labels:
    """Shows states as labels; of several threads."""

    def __init__(self) -> None:
        self.shown: OrderedDict[str, str | None] = OrderedDict()
        self.lock = threading.Lock()

    def show(self, study: str, state: str, anew: bool = False) -> None:
        """Set the label of a state on a study of this Orthanc id; `anew` also where it was set before."""
        if state not in LABELS:
            return
        wanted = LABELS[state]
        with self.lock:
            if not anew and self.shown.get(study, "") == wanted:
                return
            try:
                if wanted is not None:
                    orthanc.RestApiPut(f"/studies/{study}/labels/{wanted}", b"")
                for label in OURS:
                    if label != wanted:
                        orthanc.RestApiDelete(f"/studies/{study}/labels/{label}")
            except orthanc.OrthancException as error:
                self.shown.pop(study, None)
                if error.args[0] not in (orthanc.ErrorCode.UNKNOWN_RESOURCE, orthanc.ErrorCode.INEXISTENT_ITEM):
                    LOG.warn("label", "a label could not be written: see what Orthanc says above")
                return
            self.shown[study] = wanted
            self.shown.move_to_end(study)
            if len(self.shown) > MOST:
                self.shown.popitem(last=False)

    def forget(self) -> None:
        """Forget what was shown: it is set again."""
        with self.lock:
            self.shown.clear()


def studies_of(name: str) -> list[str]:
    """Give Orthanc's ids of the studies that the mapper calls so: by their UID, or by Orthanc's id itself."""
    if ID.fullmatch(name):
        return [name]
    try:
        found = parsed(orthanc.RestApiPost("/tools/lookup", name.encode()), ANSWER)
    except (orthanc.OrthancException, NotJson):
        return []
    return [str(one["ID"]) for one in found if one.get("Type") == "Study"]


def obstacle(editor: Any) -> str | None:
    """Say why this Orthanc must not get labels, or give None; `editor` is the setting EDITOR."""
    system = parsed(orthanc.RestApiGet("/system"), ANSWER)
    if not system.get("HasLabels"):
        return "it needs Orthanc 1.12 or newer, with a database that has labels"
    if "orthanc-explorer-2" in parsed(orthanc.RestApiGet("/plugins"), ANSWER) and editor is not False:
        return f"{EDITOR} must be false, as Orthanc Explorer 2 writes back old labels over new ones otherwise"
    return None


def is_wanted(value: Any) -> bool:
    """Tell what FhirSync.Labels says, which is a text where it comes from the environment; raise ValueError."""
    said = str(value).lower() or "false"
    if said not in ("true", "false"):
        raise ValueError("FhirSync.Labels must be true or false")
    return said == "true"
