"""What the API answers, as schemas with an example each: docs/api.md and its OpenAPI description come from them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mapper.ledger.state import State
from mapper.remedies import REMEDIES

UID = "1.2.840.99.1"
WHEN = "2024-05-17T07:31:05Z"
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="ISO 8601, UTC, to the second.")]


def example(**facts: Any) -> ConfigDict:
    """Return the configuration of a schema that has this example."""
    return ConfigDict(json_schema_extra={"examples": [facts]})


class Problem(BaseModel):
    """What every answer says that is no success (RFC 9457)."""

    model_config = example(
        title="Unprocessable Content",
        status=422,
        detail="limit: Input should be less than or equal to 1000",
        message="limit: Input should be less than or equal to 1000",
    )
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What is wrong and what to do; nothing that was sent is repeated.")
    message: str = Field(description="The same, under the name that it had first.")


class Dropped(BaseModel):
    """Something that was dropped, or kept with doubt."""

    element: str = Field(description="FHIR path.")
    attribute: str = Field(description="DICOM keywords.")
    reason: str = Field(description="A sentence without any value.")


DROPPED = {"element": "Patient.birthDate", "attribute": "PatientBirthDate", "reason": "not a date"}
STUDY = {
    "study_uid": UID,
    "source": "orthanc",
    "state": "synced",
    "message": "FHIR says what the PACS says",
    "failure": None,
    "remedy": None,
    "changed_at": WHEN,
    "attempts": 0,
    "next_attempt_at": None,
    "problems": [DROPPED],
    "synced_at": WHEN,
    "fhir_url": "https://fhir.example.org/fhir/ImagingStudy/3f9c0a3e-58a9-5f2b-9a55-0d6f5a3c1b2d",
}


class Study(BaseModel):
    """One study of a source."""

    model_config = example(**STUDY)
    study_uid: str = Field(description="StudyInstanceUID; Orthanc's own id where that is none.")
    source: str
    state: State
    message: str = Field(description="The reason, or what the state means.")
    failure: str | None = Field(description="Kind of the last failure (docs/errors.md); null since it was synced.")
    remedy: str | None = Field(description="What a person does about it, while it keeps the study from being synced.")
    changed_at: Time = Field(description="Since when it is in its state.")
    attempts: int = Field(description="Attempts since it was marked; 0 when it was synced.")
    next_attempt_at: Time | None = Field(description="When it is tried again, where it is.")
    problems: list[Dropped]
    synced_at: Time | None = Field(description="When it was synced last; where it is removed, when FHIR was told so.")
    fhir_url: str | None = Field(description="Its ImagingStudy as clients reach it; null where it was never written.")


class FailedSo(BaseModel):
    """How syncs of a study failed in the time asked for."""

    failure: str = Field(description="Kind of the last failure of these.")
    last: Time
    times: int


class StudyOfList(Study):
    """One study of a source, as it stands now; where it was asked which failed, with how it failed."""

    model_config = example(**STUDY)
    failed: FailedSo | None = Field(None, description="Told with `failure` and `since` alone.")


Counts = dict[State, int]
COUNTS = {"pending": 1, "syncing": 0, "synced": 118, "retrying": 0, "parked": 1, "removed": 0}
Next = Annotated[str | None, Field(description="`after` of the next page; null on the last one.")]
NEXT = "WzE3MTU5MzEwNjUuMCwiMS4yLjg0MC45OS4xIiwib3J0aGFuYyJd"


class Studies(BaseModel):
    """A page of studies, those that moved last first; those by the beginning of their UID in the order of UIDs."""

    model_config = example(counts=COUNTS, studies=[STUDY], next=NEXT)
    counts: Counts = Field(
        default_factory=dict, description="Of the whole ledger, whatever is asked for; not there with `counts=false`."
    )
    studies: list[StudyOfList]
    next: Next


SYNC = {
    "study_uid": UID,
    "source": "orthanc",
    "started": WHEN,
    "ended": "2024-05-17T07:31:06Z",
    "seconds": 0.412,
    "fate": "parked",
    "failure": "BundleRejected",
    "attempts": 1,
}


class Synced(BaseModel):
    """One attempt to bring FHIR in line with one study."""

    model_config = example(**SYNC)
    study_uid: str
    source: str
    started: Time
    ended: Time
    seconds: float
    fate: State = Field(description="The state that it led to: synced, removed, parked or retrying.")
    failure: str | None
    attempts: int = Field(description="Number of the attempt since the study was marked.")


class StudyWithHistory(Study):
    """One study of a source, with its last syncs where they were asked for."""

    model_config = example(**STUDY, history=[SYNC])
    history: list[Synced] = Field([], description="Newest first; of every source that holds it.")


class Syncs(BaseModel):
    """A page of the history, newest first; it reaches back `history_days`."""

    model_config = example(syncs=[SYNC], next=None)
    syncs: list[Synced]
    next: Next


FAILURE = {
    "failure": "BundleRejected",
    "state": "parked",
    "studies": 1,
    "what": REMEDIES["BundleRejected"].what,
    "do": REMEDIES["BundleRejected"].do,
}


class Failure(BaseModel):
    """How many studies are parked or tried again for one kind of failure, and what to do."""

    model_config = example(**FAILURE)
    failure: str
    state: State
    studies: int
    what: str = Field(description="What the kind of failure means.")
    do: str = Field(description="What a person does about it.")


class Failures(BaseModel):
    """All kinds of failure that keep studies back now."""

    model_config = example(failures=[FAILURE])
    failures: list[Failure]


class Retried(BaseModel):
    """How many parked studies are back in line, which of those named were not parked, and what keeps all waiting."""

    model_config = example(retried=1, not_parked=[], waits=None)
    retried: int
    not_parked: list[str]
    waits: str | None
    """Where a side is down: which, and that they wait for it; they no longer count as parked."""


class Awake(BaseModel):
    """The ring was heard."""

    model_config = example(message="awake")
    message: str
