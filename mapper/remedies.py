"""What a person does about each kind of failure: the same words on pages, in commands and in docs/errors.md."""

from dataclasses import dataclass

from mapper import errors
from mapper.errors import Fate, MapperError, Side

KIND = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
"""What may be a kind of failure: the name of an exception, ours or Python's, as UnicodeDecodeError or Utf8Error."""
AGAIN = "Nothing: it is tried again by itself."


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a kind of failure means, and what to do about it."""

    what: str
    do: str

    @property
    def sentence(self) -> str:
        """What it means, as a sentence."""
        return f"{self.what[0].upper()}{self.what[1:]}."


REMEDIES = {
    "SettingError": Remedy(
        "a setting is wrong, or differs from what the ledger was made with",
        "Correct the setting that the message names, then start the service anew.",
    ),
    "SourceDown": Remedy(
        "Orthanc, or its DICOMweb, does not answer",
        "See whether Orthanc runs and `orthanc_url` leads to it; `orthanc-fhir doctor` says what is missing. "
        "All goes on by itself when it is back.",
    ),
    "SourceBusy": Remedy(
        "Orthanc fails at this one study",
        "It is tried again by itself. If it stays so, Orthanc's own log says why it cannot read the study: a file that "
        "is damaged or gone from its storage, most of the time.",
    ),
    "AnswerTooLarge": Remedy(
        "an answer of Orthanc is larger than its bound",
        "It is asked for in smaller parts first. If it stays so, raise the setting that the message names: "
        "`metadata_limit` or `orthanc_limit`.",
    ),
    "SourceChanged": Remedy(
        "the study changed while it was read",
        f"{AGAIN} A study that still receives images is read when they have all come.",
    ),
    "StudyGone": Remedy(
        "the study is no longer in Orthanc",
        "Nothing, if it was deleted on purpose: FHIR says so too. Else send it anew.",
    ),
    "NotOneStudy": Remedy(
        "nothing of the study fits FHIR",
        "Look at what was dropped on the page of the study: a series needs a SeriesInstanceUID at least. Correct it in "
        "Orthanc (modify), or leave it parked.",
    ),
    "Unreadable": Remedy("a folder of the input cannot be read", "Give whoever runs the command the right to read it."),
    "TwoPatients": Remedy(
        "one StudyInstanceUID stands under two PatientIDs",
        "Find out whose images they are. In Orthanc, delete the wrong one or give it the right PatientID (modify, with "
        "a new StudyInstanceUID if it is another study), then retry.",
    ),
    "BadUID": Remedy(
        "the StudyInstanceUID is none: no URL can be made of it",
        "Correct it in Orthanc: modify the study with `Replace` of StudyInstanceUID, which makes another study, and "
        "delete the old one.",
    ),
    "OtherPatient": Remedy(
        "two archives hold the study for two patients",
        "Find out whose study it is, correct it in the archive that is wrong, then retry.",
    ),
    "BadMetadata": Remedy(
        "what Orthanc says of a series is no DICOM JSON, or a data set of it is larger than 64 MB",
        "See whether Orthanc's DICOMweb plugin is of the same age as Orthanc, and what is odd in the series that the "
        "message names.",
    ),
    "SinkBusy": Remedy(
        "the FHIR server asked to come again, or its answer did not arrive",
        f"{AGAIN} If it goes on for long, the log of the FHIR server says what keeps it busy.",
    ),
    "SinkDown": Remedy(
        "the FHIR server, or its database, is down",
        "Start it, or see why it does not answer. Nothing is lost: all goes on by itself when it is back.",
    ),
    "SinkRefused": Remedy(
        "the FHIR server refuses us as a whole: address, credentials or rights",
        "Correct `fhir_url`, `fhir_user` and `fhir_password` or `fhir_token`, or our user's rights there; "
        "`orthanc-fhir doctor` tells which.",
    ),
    "LedgerFailed": Remedy(
        "the ledger's database is down, full, read-only or locked",
        "Make room on its disk, or start its database.",
    ),
    "LeaseLost": Remedy("another process took the study over", AGAIN),
    "StaleVersion": Remedy(
        "somebody else wrote to what this study owns in FHIR",
        f"{AGAIN} If it comes again and again, find the other program that writes there.",
    ),
    "TargetMissing": Remedy(
        "what this study refers to is not on the FHIR server", f"{AGAIN} The study that has to send it is asked to."
    ),
    "TooLarge": Remedy(
        "the FHIR server finds the transaction too large, even in parts",
        "Raise the limit of the FHIR server, or of the proxy before it (413).",
    ),
    "BundleRejected": Remedy(
        "the FHIR server refuses the content",
        "The message has the codes of its answer, its own log the words. If it checks profiles or terminology, "
        "see what it wants; if the content is wrong, export the problems of the study and report it. Then retry.",
    ),
    "ExistsTwice": Remedy(
        "the FHIR server holds one identity twice",
        "Find the resource that the message names by its identifier, delete or merge the duplicate, then retry.",
    ),
    "Unfinished": Remedy(
        "its last attempts never came to an end",
        "The process died at each of them: look in the system's log for a lack of memory, then retry the study alone.",
    ),
}
"""By the name of the failure."""
UNEXPECTED = Remedy(
    "an error of this program that nobody expected",
    "The log says where it happened. Report it with the export of the study's problems, which holds no value; a newer "
    "version may know it. Retry after that.",
)


def remedy(failure: str) -> Remedy:
    """Return what a kind of failure means and what to do about it, whatever it is."""
    return REMEDIES.get(failure, UNEXPECTED)


def manner(failure: str) -> tuple[Side, Fate]:
    """Return whose side a kind of failure is on, and what becomes of the study."""
    kind = getattr(errors, failure, None)
    if isinstance(kind, type) and issubclass(kind, MapperError):
        return kind.side, kind.fate
    return "ours", "park"


def is_outage(failure: str) -> bool:
    """Tell whether a kind of failure means that a whole side is down."""
    return bool(getattr(getattr(errors, failure, None), "outage", False)) if failure else False


def table() -> str:
    """Return the table in Markdown, a line a kind."""
    lines = ["| failure | what it means | what to do |", "| --- | --- | --- |"]
    lines += [f"| {name} | {one.what} | {one.do} |" for name, one in REMEDIES.items()]
    lines.append(f"| any other name | {UNEXPECTED.what} | {UNEXPECTED.do} |")
    return "\n".join(lines)
