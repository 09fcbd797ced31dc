"""A beating heart as ultrasound shows it from the apex: a sector of speckle with four chambers."""

from __future__ import annotations

from math import pi, sin

import numpy as np
from numpy.typing import NDArray

from samples.phantoms.canvas import Canvas, Image, soften

# chamber: x, y, rx, ry, turn, how far it shrinks in a beat
CHAMBERS = (
    (15, -6, 14, 27, -8, 0.32),
    (-15, -4, 11, 24, 12, 0.25),
    (15, 41, 14, 12, 0, -0.18),
    (-14, 40, 13, 12, 0, -0.15),
)


def heart(frames: int, size: int, spacing: float) -> NDArray[np.float64]:
    """Return one beat, frame by frame, 0 to 255."""
    return np.stack([_frame(number / frames, size, spacing) for number in range(frames)])


def _frame(phase: float, size: int, spacing: float) -> Image:
    squeeze = 0.5 - 0.5 * sin(2 * pi * phase + pi / 2)
    echo = Canvas(size, size, spacing, 60)
    echo.ellipse(0, 12, 41, 50, 150)  # the muscle
    for x, y, rx, ry, turn, shrink in CHAMBERS:
        small = 1 - shrink * squeeze
        echo.ellipse(x, y, rx * small, ry * small, 12, turn)
    for side in (-1, 1):  # leaflets: closed while the heart is squeezed
        tip = (side * 15 + (1 - squeeze) * 5, 27 - 12 * (1 - squeeze))
        echo.capsule((side * 26, 27), tip, 1.2, 0.8, 210)
        echo.capsule((side * 4, 27), (tip[0] - 10 * (1 - squeeze), tip[1]), 1.2, 0.8, 210)
    echo.capsule((0, -30), (0, 54), 3.4, 2.4, 180)  # the wall between
    choose = np.random.default_rng(int(phase * 1000) // 250)
    speckle = soften(choose.rayleigh(0.8, (size, size)))
    depth = echo.y + size / 2 * spacing
    sector = np.minimum(
        40 - abs(np.degrees(np.arctan2(echo.x, depth + 1))), size * spacing * 0.96 - np.hypot(echo.x, depth)
    )
    return np.asarray(soften(echo.values * speckle) * np.clip(sector, 0, 1))
