"""Marking what people ask for, without keeping anybody else waiting."""

from anyio import to_thread
from fastapi import HTTPException

from mapper.service import Service
from mapper.web.body import Places

ASKING = 4
"""Requests for studies that the ledger does not know, at one time: each asks the sources, which may hang."""


class Marker:
    """Marks studies in threads; a source that hangs holds up only those who ask for what nobody knows yet."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._asking = Places(ASKING)

    async def mark(self, study_uid: str) -> None:
        """Mark a study dirty.

        Raises StudyGone when nobody knows it, SourceDown or SourceBusy when a source that may hold it does not answer,
        HTTPException 503 when too many wait for the sources already.
        """
        if await to_thread.run_sync(self._service.ledger.rows.find, study_uid):
            await to_thread.run_sync(self._service.mark, study_uid)
            return
        with self._asking.one() as place:
            if not place:
                raise HTTPException(503, "the PACS is asked too much already: come again", {"Retry-After": "1"})
            await to_thread.run_sync(self._service.mark, study_uid)
