"""One run of dicom2fhir 0.1.25 by the Python of .run/dicom2fhir: metadata in a file -> Bundle, what it took as JSON.

.run/dicom2fhir/bin/python bench/peer.py FILE (yes|no)    the second word: with the instances of each series
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

LEAST = 0.2
"""CPU seconds that are measured at least: what is quick is done several times."""


def bundle(raw: bytes, instances: bool) -> bytes:
    """Return what dicom2fhir makes of WADO-RS metadata, as JSON bytes; parsing counts."""
    from dicom2fhir.dicom2fhir import from_generator

    async def data_sets() -> Any:
        for one in json.loads(raw):
            yield one

    config = {
        "dicom_timezone": ZoneInfo("Europe/Berlin"),
        "generator": {"imaging_study": {"add_instances": instances}},
    }
    made = asyncio.run(from_generator(data_sets(), config))
    return bytes(made.model_dump_json().encode())


def measured(do: Callable[[], bytes]) -> dict[str, float]:
    """Return what a call costs after a first one: CPU seconds (the least of some), bytes made, and the memory then."""
    made = do()
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    taken: list[float] = []
    while sum(taken) < LEAST:
        began = time.process_time()
        do()
        taken.append(time.process_time() - began)
    return {"seconds": min(taken), "bytes": len(made), "peak": peak * 1024}


if __name__ == "__main__":
    metadata = Path(sys.argv[1]).read_bytes()
    print(json.dumps(measured(lambda: bundle(metadata, sys.argv[2] == "yes"))))
