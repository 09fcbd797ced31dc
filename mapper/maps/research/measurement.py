"""Observation <- measurements.json of fhir-cda: what was measured of a subject, to the last digit (FHIR R4 Observation).

Its status is `unknown`: the file does not say whether a measurement is final. Nor does it say when, or of which
images: it belongs to a subject, and to the dataset by an extension (FHIR R4 workflow-researchStudy).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from mapper.errors import BundleRejected, Problem
from mapper.fhir import systems
from mapper.fhir.check import check
from mapper.maps import dataset_keys
from mapper.maps.research.cells import Research
from mapper.maps.rule import Made
from mapper.records.measurements import Observation

FILE = "measurements.json"
Name = tuple[str, ...]
UNKNOWN = Problem("Observation.subject", FILE, "the dataset has no subject of this name: its measurements are left out")
NAMELESS = Problem("Observation.code", FILE, "a measurement without a code or a name: left out")
REFUSED = Problem("Observation.value", FILE, "a measurement that FHIR R4 does not allow: left out")


def measurements(cx: Research, patients: Mapping[str, str]) -> Iterator[Made]:
    """Yield the Observations of the subjects; `patients` is the id of a subject's Patient by its id."""
    dataset, _ = cx.known
    met: Counter[Name] = Counter()
    for measured in (dataset.measurements.patients if dataset.measurements else None) or ():
        if measured.observations and measured.name not in patients:
            cx.record(UNKNOWN)
            continue
        for one in measured.observations or ():
            name = name_of(one, str(measured.name), met)
            made = observation(cx, name, one, patients[str(measured.name)])
            if made is None:
                cx.record(NAMELESS)
                continue
            try:
                check([made])
            except BundleRejected:
                cx.record(REFUSED)
                continue
            yield made


def name_of(measured: Observation, subject: str, met: Counter[Name]) -> Name:
    """Return what a measurement is known by: its UUID; without one its subject, its code and its number among those.

    Its place in the file would be another one as soon as something before it is taken away.
    """
    if measured.uuid and not met[measured.uuid,]:
        met[measured.uuid,] += 1
        return (measured.uuid,)
    named = (subject, measured.code_system or "", measured.code or measured.display or "")
    met[named] += 1
    return *named, str(met[named])


def observation(cx: Research, name: Name, measured: Observation, patient: str) -> Made | None:
    """Return one Observation, None without anything that says what was measured."""
    _, uuid = cx.known
    code = concept(measured)
    if not code:
        return None
    made = Made()
    made.update(
        resourceType="Observation",
        id=cx.id(*dataset_keys.measurement(uuid, *name)),
        extension=[
            {
                "url": systems.RESEARCH_STUDY,
                "valueReference": {"reference": f"ResearchStudy/{cx.id(*dataset_keys.research_study(uuid))}"},
            }
        ],
        identifier=[
            {"system": dataset_keys.system(cx.site.base, "measurement", uuid), "value": "/".join(filter(None, name))},
        ],
        status="unknown",
        code=code,
        subject={"reference": f"Patient/{patient}"},
        **(measured.value or {}),
    )
    return made


def concept(measured: Observation) -> dict[str, Any]:
    """Return what was measured: a code with its system, else the words alone."""
    words = measured.display or measured.code
    made: dict[str, Any] = {}
    if measured.code and measured.code_system:
        coding = {"system": measured.code_system, "code": measured.code}
        made["coding"] = [{**coding, "display": measured.display} if measured.display else coding]
    return {**made, "text": words} if words else made
