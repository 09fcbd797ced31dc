"""
What can go wrong, the fate of the study it happens to, and whose side it is on:

* MapperError
  + SettingError      stop      ours     a setting is wrong, or differs from what the ledger was made with
  + SourceDown        retry     source   Orthanc refused, timed out or answered 5xx (an outage: no attempt is burnt)
  + SourceBusy        retry     source   Orthanc fails at this one study, or answers what is none of its answers
  + AnswerTooLarge    retry     source   an answer is larger than its bound: fewer things are asked for at once
  + SourceChanged     retry     source   the study changed while it was read: read it again
  + StudyGone         retract   source   Orthanc's own 404 and no other id for that StudyInstanceUID
  + NotOneStudy       park      source   the input holds no study, or several
  + Unreadable        park      source   a folder of the input cannot be read
  + TwoPatients       park      source   one StudyInstanceUID under two PatientIDs
  + BadUID            park      source   the StudyInstanceUID is none: it cannot become part of a URL
  + OtherPatient      park      source   another source says the study is another patient's
  + BadMetadata       park      source   the metadata of a series are not DICOM JSON, or a data set is too large
  + SinkBusy          retry     sink     409, 429, 502, 503, 504, a timeout, a cut connection
  + SinkDown          retry     sink     the FHIR server or its database is down (an outage)
  + SinkRefused       retry     sink     401, 403, 404 at the base: settings or rights (an outage, said clearly)
  + LedgerFailed      retry     ledger   its database is down, full, read-only or locked
  + LeaseLost         retry     ledger   another worker took the study over: what was done here is dropped
  + StaleVersion      retry     sink     another writer was there since we last wrote: look who owns the study
  + TargetMissing     retry     sink     a resource that others refer to is not on the server (HAPI-1094, HAPI-1096)
  + TooLarge          retry     sink     413: the study is sent in parts
  + BundleRejected    park      sink     400 or 422 and its OperationOutcome
  + ExistsTwice       park      sink     412: the server holds one identity twice

An unexpected exception parks the study under its type's name. An outage opens the breaker of its side and burns no
attempt. No message here holds a value of a DICOM attribute, the StudyInstanceUID excepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Fate = Literal["retry", "park", "retract", "stop"]
Side = Literal["source", "sink", "ledger", "ours"]


class MapperError(Exception):
    """Base of all failures that the mapper expects."""

    fate: ClassVar[Fate] = "park"
    side: ClassVar[Side] = "ours"
    outage: ClassVar[bool] = False
    retry_after: float | None = None
    too_much: bool = False  # the other side has more to do than it can
    status: int = 0  # of the HTTP answer that says so, if one does

    def __init_subclass__(
        cls, *, side: Side | None = None, fate: Fate | None = None, outage: bool = False, **named: Any
    ) -> None:
        """Set what a kind of failure says at its head; what it does not say is its parent's."""
        super().__init_subclass__(**named)
        cls.side, cls.fate, cls.outage = side or cls.side, fate or cls.fate, outage or cls.outage


class SettingError(MapperError):
    """A setting is wrong; the message names the setting and what is allowed."""

    fate = "stop"


class SourceDown(MapperError, side="source", fate="retry"):
    """The source of studies does not answer."""

    outage = True


class SourceBusy(MapperError, side="source", fate="retry"):
    """The source answers, but fails at this request."""


class AnswerTooLarge(SourceBusy):
    """An answer of the source is larger, or nests deeper, than it may."""


class SourceChanged(MapperError, side="source"):
    """The study changed while it was read."""

    fate = "retry"


class StudyGone(MapperError, side="source"):
    """The source itself says that it no longer holds the study."""

    fate = "retract"


class NotOneStudy(MapperError, ValueError):
    """The input holds no study, or several, where exactly one is needed."""

    side = "source"


class Unreadable(MapperError):
    """A folder of the input cannot be read; the message names it."""

    side = "source"


class TwoPatients(MapperError, ValueError, side="source"):
    """One StudyInstanceUID stands under two PatientIDs: the message says where, `seen` each id with its fingerprint."""

    def __init__(self, message: str, seen: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.seen = dict(seen or {})


class BadUID(MapperError):
    """A study's StudyInstanceUID cannot become part of a URL: a person has to correct it in the source."""

    side = "source"


class OtherPatient(MapperError):
    """Two sources hold one study for two patients: a person has to look."""

    side = "source"


class BadMetadata(MapperError, ValueError):
    """The answer of a source is not DICOM JSON (PS3.18 Annex F)."""

    side = "source"


class SinkBusy(MapperError, side="sink"):
    """The FHIR server asks to come again, or its answer is unknown: the same bytes are sent again."""

    fate = "retry"


class SinkDown(MapperError, side="sink", fate="retry"):
    """The FHIR server, or the database behind it, is down."""

    outage = True


class SinkRefused(MapperError, side="sink", fate="retry"):
    """The FHIR server refuses us as a whole: address, credentials or rights are wrong."""

    outage = True


class LedgerFailed(MapperError, side="ledger", fate="retry"):
    """The ledger's database failed; `kind` is the name of its failure, whose text may hold a URL or a value."""

    kind: str = "unknown"


class LeaseLost(MapperError, side="ledger"):
    """The claim on a study ran out while it was synced; somebody else has it now."""

    fate = "retry"


class StaleVersion(MapperError, side="sink"):
    """The server holds another version than the one the ledger knows."""

    fate = "retry"


class TargetMissing(MapperError, side="sink"):
    """A resource that this study only refers to is not on the server."""

    fate = "retry"


class TooLarge(MapperError, side="sink"):
    """The FHIR server finds the transaction too large (413)."""

    fate = "retry"


class BundleRejected(MapperError):
    """The FHIR server refuses the content (400, 422); the message holds its codes, not its text."""

    side = "sink"


class ExistsTwice(MapperError):
    """The FHIR server holds one identity twice (412): a person has to look."""

    side = "sink"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was dropped, or kept with doubt: recorded beside the study, never raised, never quoted.

    `element` is a FHIR path, `attribute` one or more DICOM keywords, `reason` a sentence without any value.
    """

    element: str
    attribute: str
    reason: str

    def __str__(self) -> str:
        return f"{self.element} <- {self.attribute}: {self.reason}"
