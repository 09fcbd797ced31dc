"""The study that has everything, with odd values: what converters do at their edges, and with terms they know."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.everything import instances

ODD: dict[str, list[Any]] = {  # VR -> values, by PS3.5 table 6.2-1 and beyond it
    "DA": ["20240231", "18991231", "1990", "199001", "20240229", "2024.05.17", "19000101"],
    "TM": ["2400", "093105.123456", "0931", "09:31:05", "235960", "7", "000000"],
    "DT": ["2024", "202405", "20240517093105.5+0200", "20240517093105", "20240231", "202405170931-0800", "x"],
    "CS": ["F", "M", "O", "W", "N", "U", "YES", "NO", "L", "R", "B", "KNEE", "HEAD", "chest", "OT", "", "UNKNOWN"],
    "DS": ["1.0", "-1", "1e400", "007", "0", "1.680", "abc"],
    "IS": ["1.0", "-1", "2147483648", "007", "0", "2.5", "abc"],
    "AS": ["054Y", "003W", "999D", "012M", "54Y", "000Y", "x"],
    "LO": ["A\\B", "a" * 70, " x ", "\u0000", "UNKNOWN", "ANONYMOUS", "é"],
    "SH": ["A\\B", "a" * 20, " x ", "\u0000", "UNKNOWN", "ANONYMOUS", "é"],
    "UI": ["1.2.3", "1.02.3", "abc", "1." * 40, "2.25.1", "1", ""],
}
SAME = frozenset({"0020000D", "0020000E", "00080018", "00080016", "00100020", "00080005"})
"""What holds a study together: its UIDs, the PatientID, the character set."""
ODD_STUDIES = max(map(len, ODD.values()))


def odd_study(number: int) -> bytes:
    """Return WADO-RS metadata in which every attribute has the value of this number that its VR is odd by."""
    found = instances()
    for one in found:
        for element in elements(one):
            if values := ODD.get(element["vr"]):
                element["Value"] = [values[number % len(values)]]
    return json.dumps(found).encode()


def elements(dataset: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the attributes of a data set and of all its items, besides those that hold a study together."""
    for tag, element in dataset.items():
        if element["vr"] == "SQ":
            for item in element.get("Value", []):
                yield from elements(item)
        elif tag not in SAME:
            yield element
