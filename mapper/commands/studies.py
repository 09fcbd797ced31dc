"""`studies`: what the ledger knows, for people or as JSON; a StudyInstanceUID is never cut."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mapper.commands.app import Config, StudyUIDs, fail, one_line, only_uids
from mapper.commands.lookup import AccessionNumber, PatientID, keyword_of, looked_up
from mapper.configuration import WrongArgument, load
from mapper.plural import counted
from mapper.settings import Settings
from mapper.terminal import say, shown_json

if TYPE_CHECKING:
    from mapper.ledger.choice import Choice
    from mapper.ledger.ledger import Ledger
    from mapper.ledger.outcome import Failed
    from mapper.ledger.rows import Row
    from mapper.ledger.state import State

LIMIT = 100
NOT_YET = "not seen yet: it is read once it is stable"
AT_ONCE = 500
"""Studies that are read at one time."""


def studies(
    study_uids: StudyUIDs = None,
    state: Annotated[str | None, typer.Option(help="pending, syncing, synced, retrying, parked or removed.")] = None,
    failure: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="That fail so now (docs/errors.md), or any; with --since that failed so since then."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="In their state since then: 30m, 12h, 7d, a day or a time; with --failure those of which a sync "
            "failed so since then, as they stand now.",
        ),
    ] = None,
    accession_number: AccessionNumber = None,
    patient_id: PatientID = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Show at most so many, without studies that are named.", show_default="100"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """List the studies the ledger knows, those that moved last first, or those named: state, reason, problems.

    Exit code 1 when one that is named was never seen in the PACS. Which failed last week: --failure any --since 7d
    """
    from mapper.ledger.state import STATES

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    if study_uids and (state or failure or since) is not None:
        raise typer.BadParameter("name studies, or say --state, --failure, --since")
    if failure == "":
        raise typer.BadParameter("name a kind of failure (docs/errors.md), or say any", param_hint="--failure")
    keyword = keyword_of(accession_number, patient_id)
    if limit is not None and (keyword or study_uids):
        raise typer.BadParameter("all that are named or looked up are shown", param_hint="--limit")
    if keyword and (study_uids or (state or failure or since) is not None):
        raise typer.BadParameter("look studies up, or name them, or say --state, --failure, --since")
    with one_line():
        settings = load(Settings, config)
        if keyword and not (study_uids := looked_up(settings, keyword)):
            raise fail(f"Orthanc shows no study of this {keyword}")
        unseen = show(settings, study_uids or [], state, failure, since, limit or LIMIT, as_json)
    if unseen and keyword:
        for number in unseen:
            say(new_to_us((study_uids or [])[number - 1], as_json))
    elif unseen:
        raise fail(f"argument {', '.join(map(str, unseen))}: never seen in the PACS; is the study there, and stable?")


def show(
    settings: Settings,
    study_uids: list[str],
    state: str | None,
    failure: str | None,
    since: str | None,
    limit: int,
    as_json: bool,
) -> list[int]:
    """Print studies of the ledger for people or as JSON lines; returns which of those named it does not know.

    They are told by their place among the arguments: a name may have the shape of a UID.
    """
    import orjson

    from mapper.commands import moment
    from mapper.ledger.choice import Choice
    from mapper.ledger.state import STATES
    from mapper.namespace import namespace_of
    from mapper.standing import DOWN, HoldUps, only_kinds
    from mapper.wiring import ledger_of
    from mapper.words import Links, failed_json, status

    if state is not None and state not in STATES:
        raise WrongArgument(f"state: one of {', '.join(STATES)}")
    only_uids(study_uids)
    begin = moment.since(since, settings.timezone) if since is not None else None
    ledger = ledger_of(settings, make=False)
    holdups = HoldUps(ledger)
    links = Links(settings.fhir_public_url, namespace_of(settings))
    named = [ledger.rows.of_all_sources(study_uid) for study_uid in study_uids]
    unseen = [number for number, rows in enumerate(named, 1) if not rows]
    wanted: State | None = state
    try:
        only_kinds(ledger, failure)
    except ValueError as error:
        ledger.database.close()
        raise WrongArgument(f"--failure: {error}") from None
    found: Iterator[tuple[Row, Failed | None]]
    if study_uids:
        found = ((row, None) for row in chain.from_iterable(named))
    else:
        choice = Choice(wanted, failure, begin)
        found = with_failures(ledger, choice, chosen(ledger, choice, limit + 1))
    told: dict[str, str] = {}
    for row, failed in found if study_uids else islice(found, limit):
        one = status(row, links, holdups)
        if failed is not None:
            one["failed"] = failed_json(failed)
        say(shown_json(orjson.dumps(one)).decode() if as_json else line(one))
        if do := one["remedy"]:
            told["a side is down" if do == DOWN else one["failure"]] = do
        if study_uids and one["fhir_url"] and not as_json:
            say(f"  in FHIR: {one['fhir_url']}")
        if study_uids and one["problems"]:
            told["problems"] = f"orthanc-fhir explain {row.study_uid} says what was dropped, and why"
    if next(found, None) is not None:
        say(
            f"more than {counted(limit, 'study')}: say --limit for more, --state, --failure or --since for fewer",
            err=True,
        )
    for kind, do in {} if as_json else told.items():
        say(f"{kind}: {do}")
    if not as_json and not study_uids:
        say(", ".join(f"{number} {name}" for name, number in ledger.rows.counts().items()))
    ledger.database.close()
    return unseen


def new_to_us(study_uid: str, as_json: bool) -> str:
    """Return what is said of a study that Orthanc shows and the ledger does not know."""
    import orjson

    if as_json:
        one = {"study_uid": study_uid, "state": None, "message": NOT_YET, "remedy": f"orthanc-fhir sync {study_uid}"}
        return shown_json(orjson.dumps(one)).decode()
    return f"{study_uid}  {NOT_YET}, or now: orthanc-fhir sync {study_uid}"


def chosen(ledger: "Ledger", choice: Any, limit: int) -> "Iterator[Row]":
    """Yield the studies wanted, page by page."""
    place = None
    while limit > 0 and (page := ledger.rows.chosen(choice, place, min(limit, AT_ONCE))):
        yield from page
        place, limit = page[-1].place, limit - len(page)


def with_failures(ledger: "Ledger", choice: "Choice", rows: "Iterator[Row]") -> "Iterator[tuple[Row, Failed | None]]":
    """Yield studies, each with how it failed in the time asked for."""
    from mapper.ledger.choice import ANY

    kind = None if choice.failure == ANY else choice.failure
    while page := list(islice(rows, AT_ONCE)):
        named = [(row.source, row.study_uid) for row in page]
        failed = ledger.history.failed(named, choice.since or 0.0, kind) if choice.looks_back else {}
        yield from ((row, failed.get(who)) for row, who in zip(page, named, strict=True))


def line(one: dict[str, Any]) -> str:
    """Return one study for people: the UID first and whole, what may be long last."""
    problems = counted(len(one["problems"]), "problem") if one["problems"] else ""
    failed = one.get("failed")
    since = failed is not None and one["state"] == "synced" and one["synced_at"] >= failed["last"]
    now = "synced since, now: " if since else "now: "
    before = f"failed {failed['last']} ({failed['failure']}), {now}" if failed and not one["failure"] else ""
    failure = f"{one['failure']}: " if one["failure"] else before
    head = f"{one['study_uid']}  {one['state']:8}  {one['changed_at']}  {problems:>12}"
    return f"{head}  {failure}{one['message']}"
