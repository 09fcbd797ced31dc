"""What may be said of a dataset: a code, how grave it is, sentences that hold numbers, places and names alone."""

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""error: something cannot be used, or contradicts itself; warning: one may doubt it; note: good to know."""
GRADES: dict[str, Level] = {level: level for level in LEVELS}


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said with a code: how grave it is, what was found, what to do; whether something does not reach FHIR."""

    level: Level
    text: str
    remedy: str
    left_out: bool


def read() -> dict[str, Sentence]:
    """Return the table, in the order in which people read it."""
    table = files("mapper.records.sds").joinpath("findings.tsv").read_text(encoding="utf-8")
    return {
        row["code"]: Sentence(GRADES[row["level"]], row["sentence"], row["remedy"], bool(row["left_out"]))
        for row in csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    }


FINDINGS = read()
"""Code of a finding -> what is said with it."""
