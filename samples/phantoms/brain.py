"""A brain as magnetic resonance shows it: the same anatomy in two weightings."""

from __future__ import annotations

from math import sqrt

import numpy as np

from samples.phantoms.canvas import Canvas, Image

TISSUES = ("fat", "bone", "fluid", "grey", "white", "lesion")
WEIGHTINGS: dict[str, dict[str, float]] = {  # signal, by tissue
    "T1": dict(zip(TISSUES, (950, 60, 130, 430, 640, 380), strict=True)),
    "FLAIR": dict(zip(TISSUES, (620, 50, 90, 520, 400, 900), strict=True)),
}


def brain(z: float, weighting: str, size: int, spacing: float) -> Image:
    """Return one axial slice at `z` mm above the orbits (0 to 110)."""
    signal = WEIGHTINGS[weighting]
    canvas = Canvas(size, size, spacing)
    level = sqrt(max(0.05, 1 - ((z - 45) / 82) ** 2))  # the head narrows to the top
    wide, deep = 76 * level, 95 * level
    x, y = canvas.x, canvas.y
    turn, reach = np.arctan2(y / deep, x / wide), np.hypot(x / wide, y / deep)
    for outer, tissue in ((1.0, "fat"), (0.945, "bone"), (0.87, "fluid")):
        canvas.blend((outer - reach) * wide, signal[tissue])
    fold = 0.5 + 0.5 * np.sin(19 * turn + 2.4 * np.sin(3 * turn + z / 9) + z / 7)  # 1 on a ridge, 0 in a furrow
    fold *= 0.6 + 0.4 * np.sin(7 * turn - z / 13)
    canvas.blend((0.80 + 0.05 * fold - reach) * wide, signal["grey"])
    canvas.blend((0.66 + 0.14 * fold - reach) * wide, signal["white"])
    furrow = np.minimum(0.84 - reach, reach - 0.60 - 0.16 * fold) * wide
    canvas.blend(np.minimum(furrow, (0.045 - fold) * 40), signal["fluid"])
    canvas.capsule((0, -0.86 * deep), (0, -0.30 * deep), 1.8, 1.2, signal["grey"])  # between the hemispheres
    canvas.capsule((0, 0.34 * deep), (0, 0.86 * deep), 1.2, 1.8, signal["grey"])
    canvas.capsule((0, -0.86 * deep), (0, -0.34 * deep), 0.9, 0.5, signal["fluid"])
    canvas.capsule((0, 0.38 * deep), (0, 0.86 * deep), 0.5, 0.9, signal["fluid"])
    _deep_parts(canvas, z, signal)
    return canvas.values


def _deep_parts(canvas: Canvas, z: float, signal: dict[str, float]) -> None:
    nuclei = 1 - abs(z - 42) / 22
    ventricle = 1 - abs(z - 55) / 24
    for side in (-1, 1):
        if nuclei > 0:
            canvas.ellipse(side * 24, -4, 8 * nuclei, 20 * nuclei, signal["grey"], side * -16)  # lentiform
            canvas.ellipse(side * 10, 12, 9 * nuclei, 14 * nuclei, signal["grey"], side * 20)  # thalamus
            canvas.ellipse(side * 13, -24, 5 * nuclei, 9 * nuclei, signal["grey"], side * -20)  # caudate
        if ventricle > 0:
            canvas.capsule((side * 5, -6), (side * 9, -30), 4 * ventricle, 5 * ventricle, signal["fluid"])
            canvas.capsule((side * 6, -4), (side * 18, 36), 4 * ventricle, 5.5 * ventricle, signal["fluid"])
    if 30 < z < 50:
        canvas.ellipse(0, 10, 1.8, 11, signal["fluid"])  # third ventricle
    for x, y, height, radius in ((26, -34, 66, 4), (-22, 40, 62, 5), (31, 22, 72, 3.5), (-27, -22, 74, 3)):
        radius *= sqrt(max(0.0, 1 - ((z - height) / 10) ** 2))
        canvas.ellipse(x, y, radius, radius * 1.4, signal["lesion"], 20)
