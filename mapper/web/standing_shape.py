"""How the API tells how things stand: `GET /api/status`, and `status --json`."""

from pydantic import BaseModel, Field

from mapper.ledger.state import State
from mapper.web.shapes import COUNTS, WHEN, Counts, Time, example


class Why(BaseModel):
    """Why we are not in line, and what to do."""

    text: str
    do: str


class KindOfFailure(BaseModel):
    """How many studies are in a state for one kind of failure."""

    state: State
    failure: str
    studies: int


class Answering(BaseModel):
    """How a side answered when it was last asked; null where nobody has asked it yet."""

    up: bool | None
    since: Time | None
    reason: str | None = Field(description="Why it is down.")


class OneSource(Answering):
    """A source: how it answers, and what its last sweep found."""

    name: str
    studies: int | None = Field(description="How many it held at the last sweep.")
    swept_at: Time | None
    counts: Counts
    brakes: list[str] = Field(description="Why nothing of it is retracted now.")


class StandingShape(BaseModel):
    """Whether FHIR is in line with the PACS."""

    model_config = example(
        in_line=False,
        reasons=[{"text": "1 parked (BundleRejected 1)", "do": "orthanc-fhir studies --state parked"}],
        working=True,
        counts=COUNTS,
        failures=[{"state": "parked", "failure": "BundleRejected", "studies": 1}],
        waits_seconds=3.2,
        sources=[
            {"up": True, "since": WHEN, "reason": None, "name": "orthanc", "studies": 120, "swept_at": WHEN}
            | {"counts": COUNTS, "brakes": []}
        ],
        sink={"up": True, "since": WHEN, "reason": None},
    )
    in_line: bool
    reasons: list[Why] = Field(description="Why not; empty when in line.")
    working: bool = Field(description="Whether a service works on this ledger.")
    counts: Counts
    failures: list[KindOfFailure]
    waits_seconds: float = Field(description="For how long the study that waits longest has been dirty.")
    sources: list[OneSource]
    sink: Answering = Field(description="The FHIR server.")
