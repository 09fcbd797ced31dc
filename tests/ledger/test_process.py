"""Claims name the process that holds them: what a dead one held is due at once, what a living one holds is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.owner import born, is_dead, machine, new_owner
from mapper.ledger.studies import LEASE

HELD_BY_ANOTHER = """
import sys
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
ledger = Ledger(Database(sys.argv[1]))
ledger.studies.mark("orthanc", ["1.2.3"])
(claim,) = ledger.studies.claim(["orthanc"])
print(claim.owner, flush=True)
sys.stdin.read()
"""


def test_a_claim_of_a_killed_process_is_due_at_once_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    another = subprocess.Popen(
        [sys.executable, "-c", HELD_BY_ANOTHER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert another.stdin is not None
    assert another.stdout is not None
    owner = another.stdout.readline().strip()
    ledger = Ledger(Database(url))
    try:
        assert not is_dead(owner)
        assert ledger.studies.take_back() == 0
        assert ledger.studies.claim(["orthanc"]) == []
    finally:
        another.kill()
        another.communicate()

    assert is_dead(owner)
    assert ledger.studies.take_back() == 1
    (claim,) = ledger.studies.claim(["orthanc"])
    assert claim.attempts == 2, "the attempt that never came to an end counts"


def test_a_process_does_not_take_back_its_own_claims(tmp_path: Path) -> None:
    now = 1000.0
    ledger = Ledger(Database(f"sqlite:///{tmp_path / 'ledger.db'}"), clock=lambda: now)
    ledger.studies.mark("orthanc", ["1.2.3"])
    (claim,) = ledger.studies.claim(["orthanc"])
    assert ledger.studies.take_back() == 0
    now += LEASE / 2
    assert ledger.studies.extend(claim)


@pytest.mark.parametrize(
    ("owner", "dead"),
    [
        (new_owner(), False),
        (f"{machine()}-1-{int(born(1) or 0) + 1}-x", True),
        ("00000000-1-1-x", False),  # another machine: nobody here can know
        (f"{machine()}-1--x", False),  # a machine without /proc
        ("d6b1c1d2e3f44f5c8d7e6f5a4b3c2d1e", False),
        ("", False),
    ],
    ids=["this process", "a younger one", "another machine", "no /proc", "an older release", "nobody"],
)
def test_only_what_is_known_to_be_dead_is_dead(owner: str, dead: bool) -> None:
    assert is_dead(owner) is dead
