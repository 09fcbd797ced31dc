"""The comparison of FHIR itself with the source: rebuilds a lost ledger, and finds what a server lost.

The sweep trusts the ledger; this does not. It lists the ImagingStudies that are to be had at the source's own
endpoint, and marks those that the source does not hold, and those that the ledger believes in FHIR but are not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mapper.fhir.resource import Key
from mapper.ledger.claim import BEHIND
from mapper.ledger.ledger import RECONCILED, Ledger
from mapper.sinks.sink import Sink, study_uids
from mapper.sync.brake import BRAKE, brake_on

EVERY = 24 * 3600.0
LOOKED_UP = 20
"""Studies that are looked up by their StudyInstanceUID."""
OTHER_IDS = "see docs/operations.md, Studies under other ids"
ELSEWHERE = "elsewhere"
"""Under which key the ledger keeps that the sink holds studies under ids that are not ours, a source each."""
STRANGERS = (
    "the FHIR server holds {number} of {of} studies that were looked up under ids that are not ours: another ledger or "
    "namespace wrote them, or another program, and every study would stand there twice"
)
BESIDE = (
    "{number} of {of} studies that were looked up stand in the FHIR server under ids that are not ours as well: "
    "another ledger or namespace wrote them, or another program"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs: studies that only FHIR has, studies that FHIR lost, and why nothing is retracted if so."""

    strange: int = 0
    lost: int = 0
    brake: str = ""
    elsewhere: str = ""
    """That the sink holds studies of this source under ids that are not ours, if so."""


def under_other_ids(sink: Sink, study_key: Callable[[str], Key] | None, study_uids: Sequence[str]) -> tuple[str, str]:
    """Return what to say of studies that the sink holds under other ids alone, and of those beside ours; raises as put.

    Without `study_key` no id is ours yet.
    """
    looked_up = study_uids[:LOOKED_UP]
    held = [(study_key(uid)[1] if study_key else None, sink.ids_of(uid)) for uid in looked_up]
    alone = sum(bool(ids) and mine not in ids for mine, ids in held)
    beside = sum(mine in ids and len(ids) > 1 for mine, ids in held)
    said = ((STRANGERS, alone), (BESIDE, beside))
    first, second = (text.format(number=number, of=len(looked_up)) if number else "" for text, number in said)
    return first, second


def due(ledger: Ledger, source: str) -> bool:
    """Tell whether the last comparison was long ago, or never made with this ledger."""
    return ledger.clock() >= float(ledger.meta.get(f"{RECONCILED}:{source}") or 0.0) + EVERY


def reconcile(
    ledger: Ledger,
    source: str,
    sink: Sink,
    endpoint: str,
    study_key: Callable[[str], Key],
    *,
    vanishing_allowed: bool = False,
) -> Difference:
    """Mark what differs between the studies of a source and those of ours that FHIR offers at its endpoint (an id).

    The source must have been swept just before. Raises SinkDown, SinkBusy or SinkRefused, and then nothing
    was marked.
    """
    at_hand = sink.ours(("Endpoint", endpoint))
    offered = {uid for one in at_hand for uid in study_uids(one) if one.get("id") == study_key(uid)[1]}
    held = ledger.seen.study_uids(source)
    states = ledger.rows.states(source)
    strange = {uid for uid in offered - held if states.get(uid, "removed") == "removed"}
    lost = {uid for uid in held - offered if states.get(uid) == "synced"}
    brake = "" if vanishing_allowed else brake_on(len(strange), len(offered), complete=True)
    ledger.written.lose(source, sorted(lost))
    ledger.studies.mark(source, lost, BEHIND)  # however many: live work goes first
    ledger.studies.mark(source, set() if brake else strange)
    ledger.meta.put(f"{BRAKE}:{source}:fhir", brake)
    ledger.meta.put(f"{RECONCILED}:{source}", str(ledger.clock()))
    elsewhere = "; ".join(filter(None, under_other_ids(sink, study_key, sorted(held))))
    ledger.meta.put(f"{ELSEWHERE}:{source}", elsewhere)
    return Difference(len(strange), len(lost), brake, elsewhere)
