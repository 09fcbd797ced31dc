"""The comparison of FHIR itself with the source: rebuilds a lost ledger, and finds what a server lost.

The sweep trusts the ledger; this does not. It lists the ImagingStudies that are available at the source's own
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
ELSEWHERE = "elsewhere"
"""Under which key the ledger keeps that the sink holds studies under ids that are not ours, a source each."""
STRANGERS = (
    "the FHIR server holds {number} of {of} studies that were looked up under ids that are not ours: another ledger or "
    "namespace wrote them, or another program, and every study stands there twice then"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs: studies that only FHIR has, studies that FHIR lost, and why nothing is retracted if so."""

    strange: int = 0
    lost: int = 0
    brake: str = ""
    elsewhere: str = ""
    """That the sink holds studies of this source under ids that are not ours, if so."""


def under_other_ids(sink: Sink, study_key: Callable[[str], Key] | None, study_uids: Sequence[str]) -> int:
    """Return how many of these studies the sink holds under other ids, beside ours or alone; raises as Sink.put.

    Without `study_key` no id is ours yet.
    """
    found = ((uid, sink.ids_of(uid)) for uid in study_uids[:LOOKED_UP])
    return sum(any(study_key is None or id != study_key(uid)[1] for id in ids) for uid, ids in found)


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
    looked_up = sorted(held)[:LOOKED_UP]
    number = under_other_ids(sink, study_key, looked_up)
    elsewhere = STRANGERS.format(number=number, of=len(looked_up)) if number else ""
    ledger.meta.put(f"{ELSEWHERE}:{source}", elsewhere)
    return Difference(len(strange), len(lost), brake, elsewhere)
