"""The decision: who sends what over which version, and what goes; a table without any server."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from mapper.errors import OtherPatient
from mapper.fhir.resource import Key, key_of
from mapper.ledger.claim import BY_HAND, WITH_ALL, Claim
from mapper.ledger.known import Known
from mapper.ledger.speaker import Writer, hash_of
from mapper.maps import Mapped
from mapper.maps.rule import Made
from mapper.sync.decision import Decision, decide

STUDY: Key = ("ImagingStudy", "s")
PATIENT: Key = ("Patient", "p")
ENDPOINT: Key = ("Endpoint", "e")
WEIGHT: Key = ("Observation", "w")
CLAIM = Claim("orthanc", "1.2.2", 1, 1, 0, "owner")


def made(key: Key, **elements: Any) -> Made:
    """Return a resource."""
    one = Made()
    one.update({"resourceType": key[0], "id": key[1], **elements})
    return one


MAPPED = Mapped(
    [made(PATIENT), made(ENDPOINT), made(STUDY, numberOfInstances=2, endpoint=[{"reference": "Endpoint/e"}])],
    [],
    "2024",
    3,
)
NOBODY: dict[Key, Writer | None] = dict.fromkeys((PATIENT, ENDPOINT))
NOTHING = Known(frozenset(), {STUDY: None, **NOBODY}, NOBODY, (), frozenset())
HASH = {key_of(one): hash_of(one) for one in MAPPED.resources}


def writer(uid: str = CLAIM.study_uid, rank: str = "2024", sha256: str = "", source: str = "orthanc") -> Writer:
    return Writer(source, uid, rank, sha256, "7")


def spoken(key: Key, one: Writer, other: Writer | None = None, known: Known = NOTHING) -> Known:
    """Return what is known when somebody speaks for a resource, and who would besides us."""
    others = {**known.others, key: other} if key != STUDY else known.others
    return replace(known, speakers={**known.speakers, key: one}, others=others)


@dataclass(frozen=True)
class Case:
    """What is known and held -> what is sent over which version, what is recorded as new, what goes."""

    known: Known
    sent: list[Key]
    expected: dict[Key, str]
    new: list[Key]
    stale: list[Key]
    claim: Claim = CLAIM
    held: tuple[Key, ...] = ()
    locked: tuple[Key, ...] = (PATIENT, ENDPOINT)
    before: tuple[Key, ...] = ()


NEWER, OLDER = writer("1.2.9", "2025", "theirs"), writer("1.2.1", "2020", "theirs")
MINE = replace(NOTHING, mine=frozenset({STUDY, PATIENT, ENDPOINT}))
OURS = spoken(STUDY, writer(rank="00000003"), known=spoken(PATIENT, writer(sha256=HASH[PATIENT]), known=MINE))
ALL = [PATIENT, ENDPOINT, STUDY]
CASES: dict[str, Case] = {
    "nobody wrote anything": Case(NOTHING, ALL, {STUDY: "", PATIENT: "", ENDPOINT: ""}, ALL, []),
    "the sink holds what no ledger knows": Case(
        NOTHING, ALL, {STUDY: "5", PATIENT: "5", ENDPOINT: ""}, ALL, [], held=(STUDY, PATIENT)
    ),
    "a newer study speaks": Case(
        spoken(PATIENT, NEWER, NEWER),
        [ENDPOINT, STUDY],
        {STUDY: "", PATIENT: "7", ENDPOINT: ""},
        [ENDPOINT, STUDY],
        [],
    ),
    "an older study spoke": Case(spoken(PATIENT, OLDER, OLDER), ALL, {STUDY: "", PATIENT: "7", ENDPOINT: ""}, ALL, []),
    "an older study spoke and said the same": Case(
        spoken(PATIENT, replace(OLDER, sha256=HASH[PATIENT]), OLDER),
        [ENDPOINT, STUDY],
        {STUDY: "", PATIENT: "7", ENDPOINT: ""},
        [ENDPOINT, STUDY],
        [],
    ),
    "we spoke and the server has it": Case(OURS, [ENDPOINT, STUDY], {STUDY: "7", PATIENT: "7", ENDPOINT: ""}, [], []),
    "we spoke and a person asks": Case(
        OURS, ALL, {STUDY: "7", PATIENT: "7", ENDPOINT: ""}, [], [], claim=replace(CLAIM, priority=BY_HAND)
    ),
    "we spoke and a person asks for all studies": Case(
        OURS, ALL, {STUDY: "7", PATIENT: "7", ENDPOINT: ""}, [], [], claim=replace(CLAIM, priority=WITH_ALL)
    ),
    "a newer study speaks and a person asks": Case(
        spoken(PATIENT, NEWER, NEWER),
        [ENDPOINT, STUDY],
        {STUDY: "", PATIENT: "7", ENDPOINT: ""},
        [ENDPOINT, STUDY],
        [],
        claim=replace(CLAIM, priority=BY_HAND),
    ),
    "what is not locked is not sent": Case(
        NOTHING, [PATIENT, STUDY], {STUDY: "", PATIENT: "", ENDPOINT: ""}, [PATIENT, STUDY], [], locked=(PATIENT,)
    ),
    "what it no longer makes goes": Case(
        replace(OURS, mine=OURS.mine | {WEIGHT}),
        [ENDPOINT, STUDY],
        {STUDY: "7", PATIENT: "7", ENDPOINT: ""},
        [],
        [WEIGHT],
    ),
    "what a lost ledger wrote goes": Case(
        NOTHING, ALL, {STUDY: "5", PATIENT: "", ENDPOINT: ""}, ALL, [WEIGHT], held=(STUDY,), before=(WEIGHT,)
    ),
    "nothing was lost where the version is known": Case(
        OURS, [ENDPOINT, STUDY], {STUDY: "7", PATIENT: "7", ENDPOINT: ""}, [], [], held=(STUDY,), before=(WEIGHT,)
    ),
}


def decided(case: Case, mapped: Mapped = MAPPED) -> Decision:
    """Return the decision; the sink is asked for nothing that is not written."""

    def held(key: Key) -> str:
        assert key == STUDY or key in case.locked
        return "5" if key in case.held else ""

    return decide(case.claim, mapped, STUDY, case.known, case.locked, held, lambda: case.before)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_a_study_writes(case: Case) -> None:
    found = decided(case)
    assert sorted(map(key_of, found.sent)) == sorted(case.sent)
    assert found.expected == case.expected
    assert sorted(found.new) == sorted(case.new)
    assert list(found.stale) == case.stale
    assert {key_of(one): rank for one, rank in found.made} == {PATIENT: "2024", ENDPOINT: "2024", STUDY: "00000003"}


FULLER = writer(rank="00000009", source="elsewhere")
EMPTIER = writer(rank="00000001", source="elsewhere")
HERE = writer(rank="00000003")
SOURCES: dict[str, tuple[tuple[Writer, ...], bool, bool]] = {  # who wrote the study -> do we say what it is, do we ask
    "we alone": ((HERE,), True, False),
    "a fuller one, we are new": ((FULLER,), False, True),
    "a fuller one, as before": ((FULLER, HERE), False, False),
    "a fuller one, we spoke until now": ((FULLER, replace(HERE, rank="00000010")), False, True),
    "an emptier one": ((EMPTIER,), True, False),
    "an emptier one, as before": ((EMPTIER, HERE), True, False),
}


@pytest.mark.parametrize(("siblings", "speaks", "asks"), SOURCES.values(), ids=SOURCES)
def test_one_study_in_several_sources(siblings: tuple[Writer, ...], speaks: bool, asks: bool) -> None:
    elsewhere = frozenset({PATIENT, ("Endpoint", "f")} if siblings != (HERE,) else ())
    known = replace(NOTHING, siblings=siblings, elsewhere=elsewhere)
    found = decided(Case(known, [], {}, [], []))
    assert (found.united.speaks, found.united.asks) == (speaks, asks)
    assert (STUDY in map(key_of, found.sent)) == speaks
    (about,) = found.own
    endpoints = [{"reference": "Endpoint/e"}, {"reference": "Endpoint/f"}]
    assert about["endpoint"] == endpoints[: 2 if elsewhere else 1]


def test_another_patient_in_another_source_is_refused() -> None:
    known = replace(NOTHING, siblings=(FULLER,), elsewhere=frozenset({("Patient", "q")}))
    with pytest.raises(OtherPatient):
        decided(Case(known, [], {}, [], []))
