"""The mapping tables printed for people: docs/mapping.md and `orthanc-fhir table`."""

import re
import sys

from mapper.maps import OF_DOCUMENTS, TABLES
from mapper.maps.content import ContentRule
from mapper.maps.research import printed as datasets
from mapper.maps.rule import Rule
from mapper.maps.tables import (
    algorithm,
    authorizer,
    body_structure,
    cad,
    component,
    device,
    diagnostic_report,
    document_reference,
    dose,
    endpoint,
    imaging_study,
    irradiation_event,
    key_objects,
    measurement,
    observation,
    patient,
    phantom,
    practitioner,
    segment,
    service_request,
    verifier,
)
from mapper.maps.values.concepts import CONCEPTS, Concept

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
- What a document says (last tables) is read of that document alone, but who the patient is and when the study was.

Structured reports and encapsulated documents are read in full, one by one. Of a report a row reads the content item
at hand: its own attributes, and its children with the concept names that stand in the second column with their code in
the third. What a report says once, above its items, holds for all below it. Which SOP classes are read is said in
`mapper/dicom/documents.py`: text and measurement reports in Basic Text, Enhanced, Comprehensive, Comprehensive 3D and
Extensible SR, dose reports by their title in any of these and in their own two, marks of computer-aided detection in
the SR classes for mammography, chest and colon, PDF and CDA, key objects, and what segmentations say of their segments.
Patient and enhanced X-ray dose are listed in the ImagingStudy only; so are key objects, segmentations, presentation
states, parametric maps and structure sets, each with its title, but for what the options `key_objects` and `segments`
make of them.

A rejection note (key objects with the title DCM 113001, 113037 or 113038; IHE RAD TF-2 4.66) takes the instances that
it names out of its own study, as if the archive did not hold them: they are neither listed nor counted, nothing is made
of what they say, a series of which nothing is left is left out, and all comes back when the note goes. Where notes with
the title 113037 or 113038 name all that the study holds beside key objects, its status is `entered-in-error` and the
Observations of its header go. What else stands in a series is still told by its first instance. Names of another
study's instances are recorded. 113039 (Data Retention Policy Expired) has no effect.

Ultrasound reports and marks of computer-aided detection are read by the rows of PS3.16 and tried with reports of our
own making and of DCMTK's. No report of a vendor was ever tried: none of GE, Philips, Siemens, Canon, Samsung, Mindray,
Fujifilm or Esaote (ultrasound), none of Hologic, iCAD, Lunit, ScreenPoint, Siemens or Philips (computer-aided
detection). What such a machine writes under a scheme of its own keeps its code, under a system of its own.
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
    "Observation (measurement)": measurement,
    "Observation (CAD)": cad,
    "Observation (dose)": dose,
    "Observation (irradiation event)": irradiation_event,
    "Observation.component": component,
    "BodyStructure": body_structure,
    "BodyStructure (segment)": segment,
    "Device (algorithm)": algorithm,
    "Practitioner (authorises)": authorizer,
    "Practitioner (verifies)": verifier,
    "DiagnosticReport": diagnostic_report,
    "DocumentReference": document_reference,
    "DocumentReference (key objects)": key_objects,
}
"""What a page about each resource begins with is its module's own text."""
CODES = "Concepts of documents"
SOURCE = re.compile(
    r"PS3\.\d+ (?:section |annex |table |CID |TID )?[A-Z0-9](?:[\w.-]*\w)?"
    r"|FHIR R4 (?:[A-Z]\w+|[\w-]+\.html)|LOINC \d+-\d"
)


def markdown() -> str:
    """Return the whole mapping as one Markdown page."""
    tables = {**TABLES, **OF_DOCUMENTS}
    contents = " · ".join(f"[{name}](#{anchor(name)})" for name in (*tables, datasets.SECTION, CODES))
    sections = [
        f"## {name}\n\n{(MODULES[name].__doc__ or '').strip()}\n\n{table(name, rows)}" for name, rows in tables.items()
    ]
    return "\n".join([HEAD, contents, "", *sections, datasets.section(), codes()])


def codes() -> str:
    """Return the concepts that the tables of documents ask for."""
    head = "Retired codes of SNOMED RT mean the same as those that took their place (PS3.16 annex J, annex O)."
    lines = ["| concept | code | scheme | where it is used |", "| --- | --- | --- | --- |"]
    lines += [f"| {one.meaning} | {one.code} | {one.scheme} | {one.source} |" for one in CONCEPTS]
    return "\n".join([f"## {CODES}\n\n{head}\n", *lines, ""])


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
    asked = concepts_of(row)
    attributes = [*row.keywords, *(one.meaning for one in asked)]
    tags = [*row.tags, *(f"({one.code}, {one.scheme})" for one in asked)]
    remarks = [f"*option `{row.option}`*" * bool(row.option), "*else*" * row.otherwise, "*required*" * row.required]
    element = "<br>".join([f"`{row.element}`", *filter(None, remarks)])
    return (
        element,
        "<br>".join(attributes) or "-",
        "<br>".join(tags) or "-",
        row.words.replace("|", "\\|"),
        source(name, row),
    )


def concepts_of(row: Rule) -> list[Concept]:
    """Return the concept names that a row asks for."""
    concepts = row.concepts if isinstance(row, ContentRule) else ()
    return [one for each in concepts for one in (each if isinstance(each, tuple) else (each,))]


def source(name: str, row: Rule) -> str:
    """Return where a rule comes from: its concepts, what its converter cites, else its module, else the table's module.

    What counts names a table, a paragraph or a page: a whole standard is no source.
    """
    if asked := concepts_of(row):
        return ", ".join(f"PS3.16 {one}" for one in dict.fromkeys(", ".join(one.source for one in asked).split(", ")))
    for text in (row.by.__doc__, sys.modules[row.by.__module__].__doc__, MODULES[name].__doc__):
        if found := SOURCE.findall(text or ""):
            return ", ".join(dict.fromkeys(found))
    return "-"
