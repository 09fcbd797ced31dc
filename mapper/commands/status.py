"""`status`: are we in line? For people, and by its exit code for whatever watches."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.plural import counted, plural
from mapper.settings import Settings
from mapper.terminal import say, shown_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mapper.ledger.sides import Offered, Side
    from mapper.standing import Standing


def status(
    longest_wait: Annotated[
        float, typer.Option("--longest-wait", min=0.0, help="Seconds for which a study may wait: it is on its way.")
    ] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: Config = None,
) -> None:
    """Say whether FHIR is in line with the PACS, and if not, why and what to do.

    Exit code 0: in line, or what differs is on its way. 1: somebody should look, or the ledger cannot be used. It asks
    the ledger alone, in which the running service keeps how both sides answer; `doctor` asks the sides themselves.
    """
    import orjson

    from mapper.standing import standing
    from mapper.wiring import ledger_of

    with one_line():
        settings = load(Settings, config)
        ledger = ledger_of(settings, make=False)
        names = [one.name for one in settings.all_sources]
        now, clock = standing(ledger, names, longest_wait), ledger.clock()
        offered = {name: ledger.sides.offered(name) for name in names}
        twice = {name: ledger.seen.twice(name)[0] for name in names} if not as_json else {}
        ledger.database.close()
    if as_json:
        say(shown_json(orjson.dumps(objects(now))).decode())
    else:
        for one in lines(now, clock, offered, twice):
            say(one)
    if not now.in_line:
        raise typer.Exit(1)


def lines(
    now: "Standing", clock: float, offered: "Mapping[str, Offered | None]", twice: "Mapping[str, int]"
) -> list[str]:
    """Return how things stand, for people."""
    from mapper.words import span

    on_their_way = f", {now.open} on their way" if now.open else ""
    said = [
        f"{'in line' if now.in_line else 'not in line'}: {counted(now.counts['synced'], 'study')} synced{on_their_way}"
    ]
    said += [f"  {one.text}{' See:' if one.text.endswith('?') else ':'} {one.do}" for one in now.reasons]
    for one in now.sources:
        swept, in_fhir, more = one.swept, offered.get(one.name), twice.get(one.name, 0)
        known = sum(one.counts.values()) - one.counts.get("removed", 0)
        found = (
            f"; {max(swept.listed, known)} studies, listed {span(max(0.0, clock - swept.at))} ago"
            if swept
            else "; not swept yet"
        )
        found += (
            f", of which {counted(more, 'study')} {plural(more, 'stands')} more than once" if more and swept else ""
        )
        found += f"; {in_fhir.number} in FHIR {span(max(0.0, clock - in_fhir.at))} ago" if in_fhir else ""
        said.append(f"{one.name}: {told(one.side)}{found}")
    said.append(f"FHIR server: {told(now.sink)}")
    said.append(", ".join(f"{number} {state}" for state, number in now.counts.items()))
    return said


def told(side: "Side | None") -> str:
    """Return how a side is."""
    from mapper.words import moment

    if side is None:
        return "not asked yet"
    return f"up since {moment(side.since)}" if side.up else f"down since {moment(side.since)}"


def objects(now: "Standing") -> dict[str, Any]:
    """Return how things stand, as JSON has it: the same as GET /api/status."""
    from mapper.words import standing_json

    return standing_json(now)
