"""What a dataset of research says in FHIR, printed for people: a part of docs/mapping.md."""

from mapper.maps.research import patient, research_study, research_subject
from mapper.maps.research.cells import CellRule
from mapper.maps.rule import Rule
from mapper.maps.tables import kept

TABLES: dict[str, tuple[Rule, ...]] = {
    "ImagingStudy": kept.RULES,
    "Patient": patient.RULES,
    "ResearchStudy": research_study.RULES,
    "ResearchSubject": research_subject.RULES,
}
SECTION = "Datasets"
HEAD = f"""## {SECTION}

What `orthanc-fhir sds` makes of a dataset in the SPARC Data Structure beside its images ([docs/sparc.md](sparc.md)): rows
read cells of its sheets. A Group holds the subjects of one experimental group, species and strain, or of one pool.

| FHIR element | cells | rule |
| --- | --- | --- |"""


def section() -> str:
    """Return the tables of datasets as one section in Markdown."""
    lines = [f"| `{row.element}` | {cells(row)} | {row.words} |" for rows in TABLES.values() for row in rows]
    return "\n".join([HEAD, *lines, ""])


def cells(row: Rule) -> str:
    """Return the cells that a row reads."""
    return "<br>".join(row.names if isinstance(row, CellRule) else ()) or "-"
