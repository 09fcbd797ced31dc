"""The mapping tables printed for people: docs/mapping.md and `orthanc-fhir table`."""

import re
import sys

from mapper.maps import TABLES
from mapper.maps.rule import Rule
from mapper.maps.tables import (
    device,
    endpoint,
    imaging_study,
    observation,
    patient,
    phantom,
    practitioner,
    service_request,
)

HEAD = """# The mapping: DICOM to FHIR R4

Printed by `orthanc-fhir table` from the tables that do the work (`mapper/maps/`); a test holds this page to them.

How to read it: one line a rule. Of several lines with one list element all add up; of several lines with one
single value the first that can be made wins, and "else" marks a line that counts only where none before it did.
"Required" means that without it what encloses the element is left out (an instance, a series, a whole Device) and
recorded. "Option" means off until a site names it in the setting `options`. A value that cannot be read drops its
element and is recorded as a problem of the study; `orthanc-fhir explain` shows both for any study, and why a rule made
nothing.

Which data set speaks:

- Series stand by SeriesNumber, then SeriesInstanceUID, instances by InstanceNumber, then SOPInstanceUID; what has no
  number stands last.
- What is told once a study (Patient, ServiceRequest, ImagingStudy itself, Observation, the referring and reading
  Practitioner) is read of the first series whose first instance has a value of the line's first attribute, and the
  line's other attributes of that same data set. Series that say otherwise are recorded.
- What is told once a series (`ImagingStudy.series`, its performers, Device) is read of its first instance; modality and
  laterality of all its instances.
- `ImagingStudy.series.instance` is read of each instance.
- Who the patient is (PatientID and its issuer) is settled once a study: the first PatientID, with the issuer that says
  most; so is the issuer of an order's number.
- Requests (RequestAttributesSequence, ReferencedRequestSequence) are read of all series.
"""
MODULES = {
    "Patient": patient,
    "Practitioner": practitioner,
    "Endpoint": endpoint,
    "Device": device,
    "Device (phantom)": phantom,
    "ServiceRequest": service_request,
    "ImagingStudy": imaging_study,
    "Observation": observation,
}
"""What a page about each resource begins with is its module's own text."""
SOURCE = re.compile(
    r"PS3\.\d+ (?:section |annex |table |CID )?[A-Z0-9](?:[\w.-]*\w)?|FHIR R4 (?:[A-Z]\w+|[\w-]+\.html)|LOINC \d+-\d"
)


def markdown() -> str:
    """Return the whole mapping as one Markdown page."""
    contents = " · ".join(f"[{name}](#{anchor(name)})" for name in TABLES)
    sections = [
        f"## {name}\n\n{(MODULES[name].__doc__ or '').strip()}\n\n{table(name, rows)}" for name, rows in TABLES.items()
    ]
    return "\n".join([HEAD, contents, "", *sections])


def anchor(name: str) -> str:
    """Return the anchor that Markdown gives a heading."""
    return re.sub(r"[^a-z -]", "", name.lower()).replace(" ", "-")


def table(name: str, rows: tuple[Rule, ...]) -> str:
    """Return one mapping table in Markdown; rows that stand in several tables of a resource are printed once."""
    lines = ["| FHIR element | DICOM attribute | tag | rule | source |", "| --- | --- | --- | --- | --- |"]
    cells = dict.fromkeys(row_cells(name, row) for row in rows)
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells), ""])


def row_cells(name: str, row: Rule) -> tuple[str, ...]:
    """Return the cells of one row."""
    remarks = [f"*option `{row.option}`*" * bool(row.option), "*else*" * row.otherwise, "*required*" * row.required]
    element = "<br>".join([f"`{row.element}`", *filter(None, remarks)])
    return (
        element,
        "<br>".join(row.keywords) or "-",
        "<br>".join(row.tags) or "-",
        row.words.replace("|", "\\|"),
        source(name, row),
    )


def source(name: str, row: Rule) -> str:
    """Return where a rule comes from: what its converter cites, else its module, else the table's module.

    What counts names a table, a paragraph or a page: a whole standard is no source.
    """
    for text in (row.by.__doc__, sys.modules[row.by.__module__].__doc__, MODULES[name].__doc__):
        if found := SOURCE.findall(text or ""):
            return ", ".join(dict.fromkeys(found))
    return "-"
