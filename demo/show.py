"""Say on the terminal how far the studies are, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from demo.follow import Followed, Follower
from demo.stack import Stack

EARLIER = "uploaded before"
ENV = ".run/demo.env"


def table(follower: Follower) -> Table:
    """Return the studies with their stage and seconds."""
    made = Table("Study", "Modality", "Instances", "State", "Stable to FHIR", box=None, pad_edge=False)
    for column in (2, 4):
        made.columns[column].justify = "right"
    made.columns[3].min_width = len("not stable yet")
    for followed in follower.followed.values():
        made.add_row(
            followed.study.name,
            followed.study.modalities,
            str(len(followed.study.datasets)),
            followed.stage,
            _seconds(followed),
        )
    return made


@contextmanager
def watching(follower: Follower, console: Console) -> Iterator[Callable[[], None]]:
    """Keep a table up to date on a terminal, else print a line for each study that arrives."""
    if console.is_terminal:
        with Live(table(follower), console=console, transient=True) as live:
            yield lambda: live.update(table(follower))
        return
    told: set[str] = set()

    def tell() -> None:
        """Print what is new."""
        for uid, followed in follower.followed.items():
            if followed.seconds is not None and uid not in told:
                told.add(uid)
                after = f"{followed.seconds:.1f} s after it was stable"
                console.print(f"{followed.study.name}: in FHIR, {after}", soft_wrap=True)

    yield tell


def links(console: Console, follower: Follower, stack: Stack) -> None:
    """Print what to open and what to type next."""
    first = next(iter(follower.followed.values()))
    user, password = stack.orthanc_auth
    token = stack.token
    if not console.is_terminal:  # never in a log
        password, token = (f"{name} in {ENV}" for name in ("ORTHANC_FHIR_ORTHANC_PASSWORD", "ORTHANC_FHIR_TOKEN"))
    rows = (
        ("Orthanc", f"{stack.orthanc_url}/app/explorer.html", f"user {user}, password {password}"),
        ("FHIR", f"{stack.fhir_url}/ImagingStudy/{first.fhir_id}?_pretty=true", first.study.description),
        ("Mapper", f"{stack.mapper_url}/", f"log in with the token {token}"),
    )
    console.print("\nOpen:")
    _columns(console, rows)
    console.print("\nNext:")
    _columns(
        console,
        (
            ("README.md", "a study of your own, the button in Orthanc, where each element comes from"),
            ('make cli ARGS="studies"', "any command of orthanc-fhir: what is in FHIR, and what is not yet"),
            ("make token NAME=alice ROLE=values", "a token for the mapper's pages, of each role"),
            ("docs/sparc.md", "a dataset of SPARC becomes FHIR"),
            ("make stop ONE=fhir", "stop one server to see an outage; make start ONE=fhir ends it"),
            ("make logs", "follow what the servers say"),
            ("make down", "stop them and keep the data"),
            ("make clean", "stop them and remove the data"),
        ),
    )


def failure(console: Console, follower: Follower) -> None:
    """Print which studies are missing, what is known of them and what to do."""
    missing = follower.waiting
    console.print(f"\n{len(missing)} of {len(follower.followed)} studies are not in FHIR:")
    for followed in missing:
        known = followed.state or ("state not known" if "mapper" in follower.trouble else "not known to the mapper")
        why = f": {followed.message}" if followed.message else ""
        console.print(
            f"  {followed.study.name}  {followed.study.study_uid}  {known}{why}", soft_wrap=True, markup=False
        )
    for name, problem in follower.trouble.items():
        console.print(f"  {name}: {problem}", soft_wrap=True, markup=False)
    console.print("\nWhat to do:")
    _columns(
        console,
        (
            ("make logs", "see what the servers say"),
            ("make demo", "try again: nothing is uploaded twice"),
            ("make clean", "start from nothing"),
        ),
    )


def _seconds(followed: Followed) -> str:
    if followed.found is None:
        return ""
    return EARLIER if followed.seconds is None else f"{followed.seconds:.1f} s"


def _columns(console: Console, rows: tuple[tuple[str, ...], ...]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(f"  {line.rstrip()}", soft_wrap=True, markup=False, highlight=False)
