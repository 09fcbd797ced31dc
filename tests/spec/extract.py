"""Make the extracts of FHIR R4 beside this file from FHIR's own StructureDefinitions.

python tests/spec/extract.py profiles-resources.json
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VERSION = "4.0.1"
RESOURCES = (
    *("ImagingStudy", "Patient", "Endpoint", "Device", "Observation", "ServiceRequest", "Practitioner"),
    *("BodyStructure", "DiagnosticReport", "DocumentReference"),
)
DICOM = "dicom"  # the identity of the column "DICOM Tag Mapping"; of our resources only ImagingStudy has it


def main(bundle: str) -> None:
    """Write one extract a resource."""
    entries = json.loads(Path(bundle).read_text(encoding="utf-8"))["entry"]
    found = {}
    for entry in entries:
        resource = entry["resource"]
        if resource["resourceType"] == "StructureDefinition" and resource["id"] in RESOURCES:
            assert resource["version"] == VERSION, f"{resource['id']} is of FHIR {resource['version']}"
            found[resource["id"]] = resource
    for name in RESOURCES:
        text = json_lines(elements(found[name]))
        (HERE / f"fhir-r4-{name}.json").write_text(text, encoding="utf-8")


def elements(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return path -> min, max, type and, where the resource has that column, dicom."""
    has_column = any(mapping["identity"] == DICOM for mapping in definition["mapping"])
    rows: dict[str, dict[str, Any]] = {}
    for element in definition["snapshot"]["element"]:
        kinds = [kind_of(kind) for kind in element.get("type", [])] or [element.get("contentReference", "")]
        row = {"min": element["min"], "max": element["max"], "type": " | ".join(kinds)}
        if has_column:
            maps = [one["map"] for one in element.get("mapping", []) if one["identity"] == DICOM]
            row["dicom"] = re.sub(r"\(([0-9A-F]{4}), +([0-9A-F]{4})\)", r"(\1,\2)", " | ".join(maps))
        rows[element["path"]] = row
        if element["path"].endswith("[x]"):
            for kind in element["type"]:
                named = element["path"].removesuffix("[x]") + kind["code"][0].upper() + kind["code"][1:]
                rows[named] = {**row, "min": 0, "type": kind_of(kind)}
    return rows


def kind_of(kind: dict[str, Any]) -> str:
    """Return a type as FHIR's pages write it: `Reference(Patient | Device)`."""
    code = str(kind["code"]).removeprefix("http://hl7.org/fhirpath/System.")
    targets = " | ".join(target.rpartition("/")[2] for target in kind.get("targetProfile", []))
    return f"{code}({targets})" if targets else code


def json_lines(rows: dict[str, dict[str, Any]]) -> str:
    """Return JSON with one element a line."""
    lines = [f"{json.dumps(path)}: {json.dumps(row, ensure_ascii=False)}" for path, row in rows.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main(sys.argv[1])
