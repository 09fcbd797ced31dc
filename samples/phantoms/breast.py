"""A breast in the two mammographic projections."""

from __future__ import annotations

import numpy as np

from samples.phantoms.canvas import Canvas, Image, soften


def breast(rows: int, columns: int, spacing: float, side: str, view: str) -> Image:
    """Return 0 (air) to 1 (dense tissue); a right breast hangs from the right edge of the picture."""
    canvas = Canvas(rows, columns, spacing)
    wall = -columns / 2 * spacing
    oblique = view == "MLO"
    reach, tall, middle = (92, 78, 12) if oblique else (88, 70, 0)
    canvas.ellipse(wall, middle, reach, tall, 0.30)
    canvas.ellipse(wall + reach, middle, 5, 4, 0.45)  # the nipple
    choose = np.random.default_rng((7771000, ord(side), len(view)))
    glands = Canvas(rows, columns, spacing)
    for _ in range(90):  # ducts and glands fan out from the nipple
        turn, far = choose.normal(0, 0.33), choose.uniform(0.25, 0.85)
        x, y = wall + reach * (1 - far * np.cos(turn)), middle + reach * far * np.sin(turn)
        glands.capsule((wall + reach - 4, middle), (x, y), 0.5, 1.2, 0.35)
        rx, ry = choose.uniform(2, 9, 2)
        glands.ellipse(x, y, rx, ry, choose.uniform(0.3, 0.9), choose.uniform(0, 180))
    inside = np.hypot((canvas.x - wall) / (reach - 5), (canvas.y - middle) / (tall - 5)) < 1
    canvas.values += 0.45 * soften(glands.values, 3) * inside
    if oblique:
        canvas.capsule((wall - 10, -130), (wall, 0), 66, 2, 0.75)  # the chest muscle
    if side == "R":
        for x, y in choose.normal(0, 2.2, (7, 2)):  # a few grains of calcium
            canvas.ellipse(wall + 46 + x, middle - 20 + y, 0.7, 0.7, 1.0)
    return canvas.values[:, ::-1] if side == "R" else canvas.values
