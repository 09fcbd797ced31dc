"""One random walk: patients and studies of its own, a dice of its own, one step after the other."""

import time
from collections import Counter
from collections.abc import Callable
from random import Random

from pydicom import Dataset

from tests.convergence.actions import NOTHING, STORED, resolve
from tests.convergence.pacs import Json, Pacs, uid_of
from tests.convergence.plan import Plan

PAUSES = (0.0, 0.1, 0.3, 0.8, 1.5)
LEFT_OPEN = 0.2
"""How often a study stays under two PatientIDs at the end of a walk."""


class Walk:
    """A number of steps on one Orthanc; what it did is in `done`, also when it failed."""

    def __init__(self, pacs: Pacs, number: int, press: Callable[[str], str], plan: Plan) -> None:
        self.random = Random(f"{plan.seed}/{number}")
        self.name = f"W{plan.seed}-{number:02d}"
        self.pacs, self.press, self.plan = pacs, press, plan
        self.bin: list[list[Dataset]] = []
        self.done: list[str] = []
        self.counts: Counter[str] = Counter()
        self.sleep = time.sleep

    def run(self, steps: int) -> None:
        """Go so many steps, and clear up what only a person can."""
        chosen = [action for action in STORED[self.plan.stored] if self.plan.newer or not action.newer]
        weights = [action.weight for action in chosen]
        for _ in range(steps):
            while not self.step(self.random.choices(chosen, weights)[0].do):
                pass  # nothing to do it to: that was no step
            self.sleep(self.random.choice(PAUSES))
        while self.twins() and self.random.random() >= LEFT_OPEN:
            if not self.step(resolve):
                break

    def step(self, do: Callable[["Walk"], str]) -> bool:
        """Go one step; False when there was nothing to do."""
        name = do.__name__.replace("_", " ")
        self.done.append(f"{name} …")
        said = do(self)
        self.done.pop()
        if said == NOTHING:
            return False
        self.done.append(f"{name}: {said}")
        self.counts[name] += 1
        return True

    def studies(self) -> list[Json]:
        """Return this walk's studies."""
        return self.pacs.studies(self.name + "-")

    def some(self) -> Json | None:
        """Return one of this walk's studies."""
        found = self.studies()
        return self.random.choice(found) if found else None

    def twins(self) -> dict[str, list[Json]]:
        """Return the studies whose StudyInstanceUID several have."""
        found: dict[str, list[Json]] = {}
        for study in self.studies():
            found.setdefault(uid_of(study), []).append(study)
        return {uid: studies for uid, studies in found.items() if len(studies) > 1}
