"""A left hand on a detector: soft tissue and bones add up along the ray."""

from __future__ import annotations

from math import cos, radians, sin

import numpy as np

from samples.phantoms.canvas import Canvas, Image

# finger: foot of the metacarpal, direction in degrees (90 points up), lengths of the four bones, radius
FINGERS: tuple[tuple[tuple[float, float], float, tuple[float, ...], float], ...] = (
    ((25, 38), 33, (30, 24, 18), 6.2),  # thumb
    ((15, 30), 82, (50, 32, 19, 13), 5.6),
    ((4, 28), 91, (50, 36, 22, 14), 5.8),
    ((-7, 30), 99, (46, 33, 21, 14), 5.4),
    ((-17, 34), 108, (43, 26, 15, 12), 4.8),
)
CARPALS: tuple[tuple[float, float, float, float], ...] = (  # x, y, radii
    (13, 42, 8, 6),
    (2, 40, 8, 8),
    (-9, 42, 7, 7),
    (-17, 45, 6, 5),
    (8, 54, 9, 6),
    (-4, 54, 7, 7),
    (-14, 56, 6, 6),
)
FOREARM = (((9, 64), (8, 140), 11.0, 8.0), ((-14, 66), (-13, 140), 6.5, 6.0))


def hand(rows: int, columns: int, spacing: float, oblique: bool = False) -> Image:
    """Return a projection, 0 (air) to 1 (thick bone); the thumb is on the right."""
    squeeze = 0.72 if oblique else 1.0
    flesh, bones = Canvas(rows, columns, spacing), Canvas(rows, columns, spacing)

    def at(x: float, y: float) -> tuple[float, float]:
        return x * squeeze, y

    def bone(a: tuple[float, float], b: tuple[float, float], r: float) -> None:
        """Draw a shaft with a dense shell and two broad ends."""
        middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        for dense, thin in ((1.0, 0.0), (0.62, 1.5)):
            bones.capsule(a, middle, r - thin, 0.66 * r - thin, dense)
            bones.capsule(middle, b, 0.66 * r - thin, 0.92 * r - thin, dense)

    flesh.ellipse(0, 18, 38 * squeeze, 42, 0.5)
    flesh.capsule((0, 50), (0, 150), 30 * squeeze, 32 * squeeze, 0.5)
    for (x0, y0), x1y1, r0, r1 in FOREARM:
        bone(at(x0, y0), at(*x1y1), (r0 + r1) / 2)
    for x, y, rx, ry in CARPALS:
        bones.ellipse(x * squeeze, y, rx * squeeze, ry, 0.95)
        bones.ellipse(x * squeeze, y, (rx - 1.3) * squeeze, ry - 1.3, 0.68)
    for (x, y), direction, lengths, radius in FINGERS:
        for number, length in enumerate(lengths):
            dx, dy = cos(radians(direction)), -sin(radians(direction))
            start = at(x + dx * 2.5, y + dy * 2.5)
            x, y = x + dx * length, y + dy * length
            direction += 4 if x > 20 else 0.5
            tapered = radius * (1 - 0.13 * number)
            bone(start, at(x - dx * 2.5, y - dy * 2.5), tapered)
            flesh.capsule(start, at(x + dx * 3, y + dy * 3), (radius + 5.5) * squeeze, (tapered + 4) * squeeze, 0.5)
    return np.asarray(0.55 * flesh.values + 0.55 * bones.values * (flesh.values > 0.1))


def marker(image: Image, letter: str = "L") -> Image:
    """Put a lead letter into the upper left corner."""
    shape = {"L": ("X..", "X..", "X..", "X..", "XXX"), "R": ("XX.", "X.X", "XX.", "X.X", "X.X")}[letter]
    lead = np.array([[pixel == "X" for pixel in row] for row in shape]).repeat(3, 0).repeat(3, 1)
    image = image.copy()
    image[8 : 8 + lead.shape[0], 8 : 8 + lead.shape[1]][lead] = 1.0
    return image
