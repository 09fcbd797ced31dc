"""A study looked for by what only Orthanc knows: its AccessionNumber, or its patient's PatientID.

The value comes by standard input, is asked of Orthanc at that moment, and is kept and repeated nowhere: what stands on
a command line is seen by everybody on the machine, and by the shell's history.
"""

import sys
from typing import Annotated

import typer

from mapper.commands.trail import record
from mapper.configuration import WrongArgument
from mapper.settings import Settings
from mapper.terminal import say

LONGEST = 1000
"""Bytes of a value."""
AccessionNumber = Annotated[
    str | None, typer.Option(metavar="-", help="Look it up in Orthanc; the number is read from standard input.")
]
PatientID = Annotated[
    str | None, typer.Option(metavar="-", help="Look the patient's studies up; the ID is read from standard input.")
]


def keyword_of(accession_number: str | None, patient_id: str | None) -> str:
    """Return by which attribute is looked, empty for none; raises BadParameter."""
    given = {"AccessionNumber": accession_number, "PatientID": patient_id}
    asked = {keyword: value for keyword, value in given.items() if value is not None}
    if any(value != "-" for value in asked.values()):
        raise typer.BadParameter("say - and give the value by standard input: others can see a command line")
    if len(asked) > 1:
        raise typer.BadParameter("say --accession-number or --patient-id, not both")
    return next(iter(asked), "")


def looked_up(settings: Settings, keyword: str) -> list[str]:
    """Return the studies that Orthanc shows for the value on standard input; see Inquiry.find.

    Raises WrongArgument where it is none, SourceDown or SourceBusy where an Orthanc cannot be asked.
    """
    from mapper.inquiry import Inquiry
    from mapper.service import service_of

    value = value_of(keyword)
    service = service_of(settings, make=False)
    try:
        found = Inquiry(service).find(keyword, value)
        record(settings, "looked for a study", by=keyword, studies=found)
        return found
    except ValueError as error:
        raise WrongArgument(f"standard input: {error}") from None
    finally:
        service.sink.close()
        service.ledger.database.close()


def value_of(keyword: str) -> str:
    """Return the one line that standard input holds; raises WrongArgument."""
    if sys.stdin.isatty():
        say(f"{keyword}, then Enter:", err=True)
    line = sys.stdin.buffer.readline(LONGEST + 1)
    try:
        if len(line) <= LONGEST:
            return line.decode().strip()
    except UnicodeDecodeError:
        pass
    raise WrongArgument(f"standard input: one {keyword} in UTF-8, of {LONGEST} bytes at most") from None
