"""What the mapping makes of the studies of the tests, as one digest each, pinned under the version of the mapping.

python -m tests.support.pinned    writes tests/maps/version.toml anew, or says what has to be done before
"""

import importlib
import pkgutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Set
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from mapper.fhir.bundle import dump, transaction
from mapper.maps import MAPPING_VERSION, OF_DOCUMENTS, TABLES, study_to_fhir, values
from mapper.maps.content import ContentRule
from mapper.maps.site import Site
from mapper.maps.values.concepts import Concept
from tests.support.documented import EVERYTHING, every_study
from tests.support.everything import studies_of, variants
from tests.support.golden import CASES, STUDIES, site_of
from tests.support.odd import ODD_STUDIES, odd_study
from tests.support.reported import text_of

ROOT = Path(__file__).parents[2]
PIN = "tests/maps/version.toml"
COMMAND = "python -m tests.support.pinned"
PRINTED = frozenset({"attributes.csv", "context_groups.csv", "sop_classes.csv"})
"""What is printed of pydicom's dictionaries, and held to them: as little of the mapping as these themselves."""
HEAD = f"# What MAPPING_VERSION makes of the studies of the tests, and its rows. Printed by `{COMMAND}`.\n"

Pin = Mapping[str, str]
"""`version`, and a digest under the name of each study."""


def made() -> dict[str, str]:
    """Return the version and, by name, a digest of the rows and of what each study becomes."""
    found = {"version": MAPPING_VERSION, "rows": digest(repr(list(rows())).encode())}
    found["tables"] = digest(repr(sorted(set(tables()))).encode())
    for number in range(ODD_STUDIES):
        found[f"odd values, {number}"] = digest(bundles(odd_study(number), Site()))
    for name, metadata, site in variants():
        found[f"everything.py: {name}"] = digest(bundles(metadata, site))
    for name, study in every_study():
        made = study_to_fhir(study, EVERYTHING)
        found[f"documents: {name}"] = digest(text_of(made).encode())
    for case in CASES:
        found[f"studies/{case}"] = digest(bundles((STUDIES / case / "input.json").read_bytes(), site_of(case)))
    return found


def rows() -> Iterator[tuple[str, ...]]:
    """Yield what every row says; what its converter does is seen in the studies, its tables beside them."""
    for name, table in {**TABLES, **OF_DOCUMENTS}.items():
        for row in table:
            asked = (*row.names, row.reach) if isinstance(row, ContentRule) else ()
            yield name, row.element, row.dicom, str(row.required), row.option, str(row.otherwise), *asked


def tables() -> Iterator[str]:
    """Yield the content of every table that converters read, whatever it is called and wherever it stands."""
    names = [f"mapper.maps.values.{one.name}" for one in pkgutil.iter_modules(values.__path__)]
    for module in map(importlib.import_module, [*names, "mapper.fhir.systems"]):
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, Mapping | Set | tuple | list):
                yield canonical(value)
    for path in sorted((ROOT / "mapper").rglob("*.csv")):
        if path.name not in PRINTED:
            yield path.read_text(encoding="utf-8")


def canonical(value: object) -> str:
    """Return a text that is the same for the same content, in whatever order it was written."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{canonical(key)}: {canonical(one)}" for key, one in value.items())) + "}"
    if isinstance(value, Set):
        return "{" + ", ".join(sorted(map(canonical, value))) + "}"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(canonical, value)) + ")"
    return repr(value) if isinstance(value, str | int | float | Decimal | Concept | None) else type(value).__name__


def bundles(metadata: bytes, site: Site) -> bytes:
    """Return the Bundles of all studies in some metadata."""
    collector = studies_of(metadata)
    found = [study_to_fhir(collector.study(uid), site).resources for uid in collector.study_uids]
    return b"\n".join(dump(transaction(one, site.fhir_public_url)) for one in found)


def digest(content: bytes) -> str:
    """Return what tells two contents apart."""
    return sha256(content).hexdigest()


def pinned(text: str) -> Pin:
    """Return what a file of pins says."""
    found = tomllib.loads(text)
    return {"version": found["version"], **found["made"]}


def faults(before: Pin, now: Pin) -> list[str]:
    """Return what has to be done before `now` may be pinned in the place of `before`; one version makes one output."""
    if before["version"] != now["version"]:
        return []
    moved = [name for name in now if name in before and before[name] != now[name]]
    return [
        f"{name}: what the mapping makes of it is not what version {now['version']} made. Raise MAPPING_VERSION in "
        f"mapper/maps/__init__.py, add a sentence marked **MAPPING {int(now['version']) + 1}** to CHANGELOG.md, then "
        f"pin the new digest: {COMMAND}"
        for name in moved
    ]


def history() -> Iterator[tuple[str, Pin]]:
    """Yield every pin that was ever committed, as far as this checkout knows its past."""
    for commit in git("log", "--format=%h", "--", PIN).split():
        if text := git("show", f"{commit}:{PIN}"):
            yield commit, pinned(text)


def git(*arguments: str) -> str:
    """Return what git says of this checkout, nothing where there is no git or no history."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def printed(pin: Pin) -> str:
    """Return a file of pins."""
    lines = [f'"{name}" = "{value}"' for name, value in pin.items() if name != "version"]
    return "\n".join([f'{HEAD}version = "{pin["version"]}"', "", "[made]", *lines, ""])


def main() -> None:
    """Pin what the mapping makes now, unless this version made something else before."""
    path, now = ROOT / PIN, made()
    if path.exists() and (found := faults(pinned(path.read_text(encoding="utf-8")), now)):
        sys.exit("\n".join(found))
    path.write_text(printed(now), encoding="utf-8")
    print(f"pinned {PIN} at version {now['version']}")


if __name__ == "__main__":
    main()
