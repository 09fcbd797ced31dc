"""Which studies the page is asked for: a form's fields, each of which may be empty."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from mapper.dicom.uid import is_askable
from mapper.fhir.systems import OID_URN
from mapper.ledger.choice import Choice
from mapper.ledger.state import State
from mapper.remedies import KIND
from mapper.web.cursor import LAST_SECOND, LONGEST, SOURCE
from mapper.web.rendering import FIELD

HOUR = 3600.0
PERIODS = {"1h": ("the last hour", HOUR), "24h": ("the last day", 24 * HOUR), "7d": ("the last week", 7 * 24 * HOUR)}
PERIODS |= {"30d": ("the last 30 days", 30 * 24 * HOUR)}
Period = Literal["", "1h", "24h", "7d", "30d"]
FAILURE = f"{KIND}|"
"""What may be the name of a kind of failure, or nothing."""


class Wanted(BaseModel):
    """The fields of the page's form; `q` is a UID, its beginning, or Orthanc's id of a study."""

    model_config = ConfigDict(extra="forbid")
    state: State | Literal[""] = ""
    failure: str = Field("", pattern=f"^({FAILURE})$")
    since: Period = ""
    source: str = Field("", pattern=f"^({SOURCE}|)$")
    q: str = ""
    after: str = Field("", max_length=LONGEST)
    done: int | None = Field(None, ge=0, le=1_000_000)
    """How many studies somebody just put back in line."""
    asked_at: float = Field(0.0, ge=0.0, le=LAST_SECOND, allow_inf_nan=False)
    """And when, in seconds since 1970 UTC."""

    @property
    def asked(self) -> str:
        """What is looked for, without what people copy along with it."""
        return self.q.strip().removeprefix(OID_URN)

    @property
    def uid(self) -> str:
        """The same where it can be a UID or an id: anything else is not repeated, as it may be a name."""
        return self.asked if is_askable(self.asked) else ""

    @property
    def is_odd(self) -> bool:
        """Whether something is looked for that no study can be known by."""
        return bool(self.asked) and not self.uid

    def choice(self, now: float) -> Choice:
        """Return the same as the ledger has it."""
        since = now - PERIODS[self.since][1] if self.since else None
        facts: dict[str, Any] = {"state": self.state or None, "failure": self.failure or None, "since": since}
        return Choice(**facts, uid_begins=self.uid, source=self.source or None)

    def query(self, **others: Any) -> str:
        """Return the query that asks for the same, with some fields changed and without those that are empty."""
        fields = {**self.model_dump(exclude={"after", "done", "asked_at", "q"}), "q": self.uid, **others}
        return urlencode({name: value for name, value in fields.items() if value not in ("", None)})


Asked = Annotated[Wanted, Query()]


SAID = ("state", "failure", "since", "source", "q")
"""Fields of the form that say which studies its list holds."""


def wanted_of(fields: Sequence[tuple[str, str]]) -> tuple[Wanted, str]:
    """Return which list a form is of, and which of its studies are meant, `all` or `chosen`.

    Raises HTTPException 422 for a form that is not as the page sends it: what is not understood must not mean all.
    """
    given = dict(one for one in fields if one[0] != "study")
    is_once = len(given) == sum(name != "study" for name, _ in fields)
    is_ours = given.keys() <= {"which", "confirmed", FIELD, *SAID} and given.get("which") in ("all", "chosen")
    try:
        wanted = Wanted(**{name: given.get(name, "") for name in SAID})
    except ValueError:
        is_ours = False
    if not (is_once and is_ours) or wanted.is_odd:
        raise HTTPException(422, "this is no form of the page of studies")
    return wanted, given["which"]
