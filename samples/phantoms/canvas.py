"""Draw filled shapes with soft edges on a grid of millimetres."""

from __future__ import annotations

from math import cos, hypot, radians, sin

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]


class Canvas:
    """Hold one picture; x grows to the right and y downwards, in millimetres from its centre."""

    def __init__(self, rows: int, columns: int, spacing: float, background: float = 0.0) -> None:
        self.spacing = spacing
        self.values: Image = np.full((rows, columns), background, dtype=np.float64)
        self.x: Image = np.arange(columns, dtype=np.float64)[None, :] * spacing - (columns - 1) / 2 * spacing
        self.y: Image = np.arange(rows, dtype=np.float64)[:, None] * spacing - (rows - 1) / 2 * spacing

    def ellipse(self, x: float, y: float, rx: float, ry: float, value: float, turn: float = 0.0) -> None:
        """Fill an ellipse, turned by degrees."""
        if min(rx, ry) <= 0:
            return
        box = self._box(x, y, max(rx, ry))
        dx, dy = self.x[:, box[1]] - x, self.y[box[0]] - y
        c, s = cos(radians(turn)), sin(radians(turn))
        reach = np.hypot((c * dx + s * dy) / rx, (c * dy - s * dx) / ry)
        self._blend(box, (1 - reach) * min(rx, ry), value)

    def capsule(self, start: tuple[float, float], end: tuple[float, float], r0: float, r1: float, value: float) -> None:
        """Fill a rounded stroke whose radius goes from `r0` to `r1`."""
        (x0, y0), (x1, y1) = start, end
        length = hypot(x1 - x0, y1 - y0)
        box = self._box((x0 + x1) / 2, (y0 + y1) / 2, length / 2 + max(r0, r1))
        dx, dy = self.x[:, box[1]] - x0, self.y[box[0]] - y0
        along = np.clip((dx * (x1 - x0) + dy * (y1 - y0)) / max(length, 1e-9) ** 2, 0, 1)
        distance = np.hypot(dx - along * (x1 - x0), dy - along * (y1 - y0))
        self._blend(box, r0 + along * (r1 - r0) - distance, value)

    def blend(self, inside: Image, value: float | Image) -> None:
        """Fill where `inside`, a signed distance in millimetres, is positive."""
        cover = np.clip(inside / self.spacing + 0.5, 0, 1)
        self.values += cover * (value - self.values)

    def _box(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        reach += self.spacing
        columns = np.searchsorted(self.x[0], (x - reach, x + reach))
        rows = np.searchsorted(self.y[:, 0], (y - reach, y + reach))
        return slice(int(rows[0]), int(rows[1])), slice(int(columns[0]), int(columns[1]))

    def _blend(self, box: tuple[slice, slice], inside: Image, value: float) -> None:
        part = self.values[box]
        part += np.clip(inside / self.spacing + 0.5, 0, 1) * (value - part)


def soften(image: Image, times: int = 1) -> Image:
    """Blur with the kernel 1-2-1, both ways."""
    for _ in range(times):
        for axis in (0, 1):
            image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image


def grain(image: Image, strength: float, *seed: int) -> Image:
    """Add noise that is the same for the same seed."""
    return image + np.random.default_rng(seed).normal(0, strength, image.shape)
