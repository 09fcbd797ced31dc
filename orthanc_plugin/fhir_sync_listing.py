# SPDX-License-Identifier: GPL-3.0-or-later
"""The mapper's list of studies, page by page, and how one study stands in all of its sources."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fhir_sync_json import ANSWER, NotJson, TooLarge, parsed  # type: ignore[import-not-found]
from fhir_sync_mapper import Mapper  # type: ignore[import-not-found]

TIMEOUT = 3.0  # seconds for an answer; Orthanc's stop waits for one under way
LIMIT, SOURCES = 100, 20  # studies of one page; sources of one study that are looked at
TIME = "%Y-%m-%dT%H:%M:%SZ"
REMOVED = "removed"

Json = dict[str, Any]


class Listing:
    """Asks for studies; a page that is larger than an answer may be is asked for again with half of them."""

    def __init__(self, mapper: Mapper) -> None:
        self.mapper = mapper

    def page(self, query: dict[str, str], limit: int = 0) -> tuple[list[Json], str | None]:
        """Give a page of studies, and where the next one begins; raise Silence or NotJson."""
        limit = limit or LIMIT
        wanted = {"limit": str(limit), "counts": "false", **{name: value for name, value in query.items() if value}}
        try:
            told = self.mapper.ask(f"/api/studies?{urlencode(wanted)}", None, TIMEOUT, rests=False)
            answer = parsed(told, ANSWER)
        except TooLarge:
            if limit == 1:
                raise
            return self.page(query, limit // 2)
        try:
            found = [one for one in answer["studies"] if datetime.strptime(one["changed_at"], TIME) and one["state"]]
            return found, answer["next"] or None
        except (KeyError, TypeError, ValueError) as error:
            raise NotJson from error

    def standing(self, study_uid: str) -> str:
        """Give the state of a study where it changed last of all sources that have it; removed where none has it."""
        studies, _ = self.page({"uid_begins": study_uid}, SOURCES)  # in the order of UIDs: this one comes first
        held = [one for one in studies if one["study_uid"] == study_uid and one["state"] != REMOVED]
        return str(max(held, key=lambda one: str(one["changed_at"]))["state"]) if held else REMOVED
