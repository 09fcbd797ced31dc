"""A patch of skin with a mole and a ruler, in colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samples.phantoms.canvas import Canvas, grain, soften

SKIN, MOLE, CORE, RULER, INK = (226, 178, 150), (122, 74, 52), (72, 42, 34), (244, 244, 238), (30, 30, 34)


def skin(rows: int, columns: int, spacing: float) -> NDArray[np.float64]:
    """Return rows x columns x red, green, blue, 0 to 255."""
    channels = []
    for number in range(3):
        canvas = Canvas(rows, columns, spacing, SKIN[number])
        canvas.values += 14 * soften(grain(np.zeros((rows, columns)), 1.5, 5), 2)
        turn = np.arctan2(canvas.y, canvas.x)
        edge = 5.5 + 0.7 * np.sin(3 * turn + 1) + 0.4 * np.sin(7 * turn)
        canvas.blend((edge - np.hypot(canvas.x, canvas.y * 1.2)) * 0.6, MOLE[number])
        canvas.ellipse(-1, 0.6, 2.2, 1.6, CORE[number], 30)
        bottom = rows / 2 * spacing
        canvas.blend(canvas.y - (bottom - 5), RULER[number])
        for millimetre in range(-int(columns / 2 * spacing), int(columns / 2 * spacing) + 1):
            long = 3.2 if millimetre % 5 == 0 else 1.8
            canvas.capsule((millimetre, bottom - 5), (millimetre, bottom - 5 + long), 0.09, 0.09, INK[number])
        channels.append(canvas.values)
    return np.stack(channels, axis=-1)
