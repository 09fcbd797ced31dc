"""Synthetic WADO-RS metadata of a CT study as scanners write it, for measuring: the same bytes in every run."""

from typing import Any

import orjson

from tests.support.large import header

OF_SERIES = 500
"""Instances of one series; a study with more has several."""
ROOT = "1.2.826.0.1.3680043.8.498.20240517"
SPEAKING = ("0008", "0010", "0020")
"""The groups of the attributes that stay where few are asked for: identification and place in the study."""
ATTRIBUTES = (45, 258)
"""Attributes of each instance: of a lean archive, and of a scanner that writes its private ones too."""


def metadata(instances: int, attributes: int) -> bytes:
    """Return what WADO-RS answers for a study: a JSON list of one data set an instance (PS3.18 Annex F)."""
    common = header_of(attributes)
    return b"[" + b",".join(orjson.dumps(instance_of(common, number)) for number in range(instances)) + b"]"


def header_of(attributes: int) -> dict[str, Any]:
    """Return what all instances share: standard attributes, then private ones until there are enough."""
    data_set = header().datasets[0]
    for keyword, value in {
        "StudyInstanceUID": ROOT,
        "FrameOfReferenceUID": f"{ROOT}.9",
        "PatientID": "BENCH",
        "DeviceSerialNumber": "1234",
    }.items():
        setattr(data_set, keyword, value)
    del data_set.PixelData
    whole = dict(sorted(data_set.to_json_dict().items(), key=lambda pair: pair[0][:4] not in SPEAKING))
    private = {f"0019{0x1000 + number:04X}": private_of(number) for number in range(attributes)}
    chosen = list((whole | private).items())[:attributes]
    return dict(sorted(chosen))


def private_of(number: int) -> dict[str, Any]:
    """Return a private attribute as scanners write them: a number, a word or a few bytes."""
    kinds: tuple[dict[str, Any], ...] = (
        {"vr": "DS", "Value": [number + 0.5]},
        {"vr": "LO", "Value": [f"PARAMETER {number}"]},
        {"vr": "UN", "InlineBinary": "AAAAAAAAAAAAAAAAAAAAAA=="},
    )
    return kinds[number % len(kinds)]


def instance_of(common: dict[str, Any], number: int) -> dict[str, Any]:
    """Return one instance: what differs from slice to slice, beside what all of them share."""
    series, place = divmod(number, OF_SERIES)
    time = f"0931{number // 60 % 60:02}.{number % 60:02}0000"
    own = {
        "00080013": ("TM", time),
        "00080018": ("UI", f"{ROOT}.{series + 1}.{place + 1}"),
        "00080032": ("TM", time),
        "00080033": ("TM", time),
        "0020000E": ("UI", f"{ROOT}.{series + 1}"),
        "00200011": ("IS", series + 1),
        "00200013": ("IS", place + 1),
        "00201041": ("DS", place * 0.625),
    }
    return common | {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in own.items() if tag in common}
