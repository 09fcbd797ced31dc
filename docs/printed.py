"""Print the documentation that comes from the code, or (--check) say what is no longer true."""

import sys
from collections.abc import Iterator
from pathlib import Path

from typer.testing import CliRunner

from docs import database_page
from docs.dictionaries import MAPPER, TABLES
from mapper import errors, remedies
from mapper.commands.app import EXITS
from mapper.commands.cli import app
from mapper.commands.sample import allowed
from mapper.configuration import PREFIX
from mapper.ledger import state
from mapper.maps.printed import markdown
from mapper.maps.research import columns
from mapper.maps.site import Site
from mapper.records.sds.sentences import FINDINGS
from mapper.settings import Settings
from mapper.sinks.answer import MEANING
from mapper.web import description

HERE = Path(__file__).parent
BEGIN, END = "<!-- printed by the code: states -->", "<!-- end -->"


def settings() -> str:
    """Return docs/settings.md."""
    head = (
        "# Settings\n\n"
        "A flag wins over the environment, over the file, over the default. The file is TOML: "
        f"`orthanc-fhir.toml` in the working directory, or the one that `--config` or `{PREFIX}CONFIG` names. "
        "Tables (`issuers`, `timezones`, `coding_schemes`) are TOML tables, behind all other settings, or JSON in the "
        "environment. A wrong setting, an unknown one and two that contradict each other stop every command "
        "that needs it with one line that says where it stands. Secrets belong into the environment or a file "
        "that is not committed. URLs are absolute, in ASCII, without user, password, query and fragment; "
        "systems are absolute URIs (`https://...`, `urn:oid:...`).\n"
    )
    mapping = {name: field for name, field in Settings.model_fields.items() if name in Site.model_fields}
    service = {name: field for name, field in Settings.model_fields.items() if name not in mapping}
    parts = [head]
    for title, fields in (("What changes the FHIR output", mapping), ("What the service needs", service)):
        parts += [f"## {title}\n", "| setting | environment | default | what it is |", "| --- | --- | --- | --- |"]
        for name, field in fields.items():
            default = field.get_default(call_default_factory=True, validated_data={})
            if default in (None, (), {}):
                shown = "none"
            else:
                secret = getattr(default, "get_secret_value", None)
                shown = f"`{secret() if secret else default}`"
            words = ", ".join(f"`{word}`" for word in allowed(field.annotation))
            about = f"{field.description} Allowed: {words}." if words else field.description
            parts.append(f"| `{name}` | `{PREFIX}{name.upper()}` | {shown} | {about} |")
        parts.append("")
    return "\n".join(parts)


def command_line() -> str:
    """Return docs/command-line.md."""
    parts = [
        "# Command line",
        "",
        "| exit code | what it says |",
        "| --- | --- |",
        *(f"| {code} | {meaning} |" for code, meaning in EXITS.items()),
        "",
        "In a clone, `orthanc-fhir` is `.venv/bin/orthanc-fhir`. In the demo, with its settings: "
        '`make cli ARGS="..."`, where `make` ends with 2 whatever the code of the command was; '
        "`.venv/bin/python -m demo cli ...` is the same and keeps it. In a compose stack of yours: "
        "`docker compose exec mapper orthanc-fhir ...`.",
        "",
    ]
    runner = CliRunner(env={"COLUMNS": "100", "TERM": "dumb"})
    for command in app.registered_commands:
        name = command.name or command.callback.__name__.replace("_", "-")
        said = runner.invoke(app, [name, "--help"], prog_name="orthanc-fhir").stdout.strip()
        parts += [f"## {name}", "", "```", said, "```", ""]
    return "\n".join(parts)


def datasets() -> str:
    """Return docs/datasets.md."""
    parts = [
        "# What `sds` says of a dataset, and where its columns go",
        "",
        "How to use it: [docs/sparc.md](sparc.md). What FHIR elements are made of: "
        "[docs/mapping.md](mapping.md#datasets).",
        "",
        "## What is found",
        "",
        "`--json` has the code of each. An error, and what is left out of FHIR, make the exit code 1.",
        "",
        "| code | level | what is said | left out | what to do |",
        "| --- | --- | --- | --- | --- |",
    ]
    words = {"count": "N", "other": "another place", "near": "NAME", "listed": ": ..."}
    for code, said in FINDINGS.items():
        remedy = said.remedy.format(**words) if said.remedy != "{near}" else "did you mean `NAME`? Else nothing"
        left = "yes" if said.left_out else ""
        parts.append(f"| `{code}` | {said.level} | {said.text.format(**words)} | {left} | {remedy} |")
    parts += ["", "## Where each column goes", "", "The names are those of the templates 2.1.0 to 3.0.3.", ""]
    return "\n".join([*parts, columns.table(), ""])


def failures() -> str:
    """Return docs/errors.md."""
    tree = (errors.__doc__ or "").strip()
    parts = ["# What can go wrong", "", "```", tree, "```", ""]
    parts += ["## What to do", "", remedies.table(), "", "## Answers of the FHIR server", ""]
    parts += ["| HTTP | the FHIR server ... | failure | fate |", "| --- | --- | --- | --- |"]
    for status, (kind, meaning) in sorted(MEANING.items()):
        parts.append(f"| {status} | {meaning} | {kind.__name__} | {kind.fate} |")
    return "\n".join([*parts, ""])


def operations() -> str:
    """Return docs/operations.md with the table of states as the code has it; the rest is written by hand."""
    before, begin, rest = (HERE / "operations.md").read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"operations.md: no line {BEGIN}"
    assert end, f"operations.md: no line {END}"
    return f"{before}{begin}\n\n{state.table()}\n\n{end}{after}"


PAGES = {
    "database.md": database_page.markdown,
    "mapping.md": markdown,
    "settings.md": settings,
    "command-line.md": command_line,
    "datasets.md": datasets,
    "errors.md": failures,
    "api.md": description.markdown,
    "operations.md": operations,
}


def printed() -> Iterator[tuple[Path, str]]:
    """Yield what is printed: the pages, and the tables that the mapper has of pydicom's dictionaries."""
    yield from ((HERE / name, page()) for name, page in PAGES.items())
    yield from ((MAPPER / name, table()) for name, table in TABLES.items())


def stale() -> list[str]:
    """Return the files that no longer say what the code says."""
    return [path.name for path, text in printed() if not same(path, text)]


def same(path: Path, text: str) -> bool:
    """Tell whether a page on disk is this text."""
    return path.exists() and path.read_text(encoding="utf-8") == text


def main() -> None:
    """Print all pages, or check them."""
    if "--check" in sys.argv[1:]:
        if found := stale():
            sys.exit(f"docs: {', '.join(found)} no longer say what the code says: run `make docs`")
        return
    for path, text in printed():
        path.write_text(text, encoding="utf-8")
        print(f"printed {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
