"""A chest in Hounsfield units: body, lungs with vessels, heart, great vessels, airways, ribs, spine, table.

Coordinates are millimetres: x to the patient's left, y to the back, z to the head (0 is the lung base).
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import cos, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from samples.phantoms.canvas import Canvas, Image

Point = tuple[float, float, float]

AIR, LUNG, FAT, MUSCLE, LIVER = -1000.0, -870.0, -95.0, 55.0, 105.0
BLOOD, MYOCARDIUM, MARROW, CORTEX, DISC, CORD = 240.0, 110.0, 260.0, 850.0, 95.0, 35.0
TABLE = -350.0

LUNGS: dict[int, tuple[Point, Point]] = {  # side -> centre, radii
    -1: ((-70, 0, 110), (55, 80, 165)),
    +1: ((70, 0, 110), (52, 80, 165)),
}
HEART: tuple[tuple[Point, Point, float, float], ...] = (  # centre, radii, turn, value
    ((24, -32, 75), (62, 44, 62), 32, MYOCARDIUM),  # the muscle
    ((44, -28, 72), (34, 22, 44), 36, BLOOD),  # left ventricle
    ((6, -48, 74), (30, 17, 40), 30, BLOOD),  # right ventricle
    ((-22, -28, 88), (20, 20, 34), 10, BLOOD),  # right atrium
    ((10, -4, 100), (34, 15, 24), 5, BLOOD),  # left atrium
)
TUBES: tuple[tuple[Point, Point, float, float, float], ...] = (  # from, to, radius at both ends, value
    ((-10, -34, 105), (-10, -32, 205), 16, 16, BLOOD),  # ascending aorta
    ((-10, -32, 205), (4, -8, 222), 16, 15, BLOOD),  # arch
    ((4, -8, 222), (22, 38, 212), 15, 13, BLOOD),
    ((22, 42, 212), (14, 44, 0), 13, 12, BLOOD),  # descending aorta
    ((-30, -26, 110), (-28, -24, 240), 9, 9, BLOOD),  # superior vena cava
    ((16, -38, 110), (18, -34, 168), 15, 14, BLOOD),  # pulmonary trunk
    ((18, -32, 168), (52, 8, 160), 11, 8, BLOOD),  # left pulmonary artery
    ((16, -28, 164), (-50, 0, 156), 11, 8, BLOOD),  # right pulmonary artery
    ((5, 28, 0), (2, 26, 300), 6, 6, 40),  # oesophagus
    ((0, 6, 300), (0, 8, 186), 9, 9, AIR),  # trachea
    ((0, 8, 188), (44, 14, 150), 7, 5, AIR),  # left main bronchus
    ((0, 8, 188), (-42, 12, 154), 7, 5, AIR),  # right main bronchus
)


@cache
def vessels() -> tuple[tuple[Point, Point, float, float], ...]:
    """Grow the trees of both lungs: from the hilum outwards, thinner at each fork."""
    choose = np.random.default_rng(24627)
    grown: list[tuple[Point, Point, float, float]] = []
    for side, ((cx, cy, cz), (rx, ry, rz)) in LUNGS.items():
        for _ in range(26):
            up, turn = choose.uniform(-0.9, 0.9), choose.uniform(0, 2 * pi)
            flat = sqrt(1 - up * up)
            tip = (cx + 0.9 * rx * flat * cos(turn), cy + 0.9 * ry * flat * sin(turn), cz + 0.9 * rz * up)
            root: Point = (side * 40.0, 6.0, 152.0)
            path = [root, *(_towards(root, tip, t, choose) for t in (0.35, 0.65, 0.85)), tip]
            grown += [(a, b, 4.4 - 1.0 * n, 3.6 - 1.0 * n) for n, (a, b) in enumerate(pairwise(path))]
            for at, thick in ((path[1], 2.4), (path[2], 1.8), (path[3], 1.2)):
                end = _towards(at, tip, 0.7, choose, spread=22)
                grown.append((at, end, thick, 0.7))
    return tuple(grown)


def _towards(a: Point, b: Point, part: float, choose: np.random.Generator, spread: float = 9) -> Point:
    x, y, z = (p + (q - p) * part + choose.normal(0, spread) for p, q in zip(a, b, strict=True))
    return (x, y, z)


def chest(z: float, size: int, spacing: float, nodule: tuple[Point, float] | None = None) -> Image:
    """Return one axial slice, 5 mm thick, at height `z`; a nodule is a point and a radius."""
    canvas = Canvas(size, size, spacing, AIR)
    x, y = canvas.x, canvas.y
    table = np.minimum(5 - abs(y - 136 + (x / 60) ** 2 * 2.2), 185 - abs(x))  # a curved table top
    canvas.blend(table, TABLE)
    shoulder = max(0.0, (z - 215) / 60)
    wide, deep = 172 + 26 * min(shoulder, 1.0), 113 - 12 * min(shoulder, 1.0)
    shape = (abs(x / wide) ** 2.5 + abs(y / deep) ** 2.5) ** 0.4
    canvas.blend((1 - shape) * deep, FAT)
    canvas.blend((0.9 - shape) * deep, MUSCLE)
    cage = np.hypot(x / 128, y / 93)  # 1 at the inner side of the ribs
    for side in (-1, 1):
        canvas.ellipse(side * 78, -82, 46, 4, FAT, side * 30)  # between the muscles of the chest wall
        if z > 150:  # the shoulder blades
            reach = min(1.0, (z - 150) / 60)
            end = (side * (70 + 62 * reach), 82 - 22 * reach)
            canvas.capsule((side * 70, 100), end, 4, 5.5, CORTEX)
            canvas.capsule((side * 70, 100), end, 2, 3, MARROW)
    canvas.blend((0.97 - cage) * 93, FAT)
    _lungs(canvas, z, cage)
    _heart_and_vessels(canvas, z)
    if nodule is not None:
        _nodule(canvas, z, *nodule)
    _bones(canvas, z, cage)
    return canvas.values


def _lungs(canvas: Canvas, z: float, cage: Image) -> None:
    y = canvas.y
    for (cx, cy, cz), (rx, ry, rz) in LUNGS.values():
        scale = sqrt(max(0.0, 1 - ((z - cz) / rz) ** 2))
        if scale:
            inside = (1 - np.hypot((canvas.x - cx) / (rx * scale), (y - cy) / (ry * scale))) * rx * scale
            inside = np.minimum(inside, (0.95 - cage) * 93)
            canvas.blend(inside, LUNG + 0.45 * (y - cy) + np.zeros_like(canvas.values))
    walls = canvas.values.copy()
    for start, end, r0, r1 in vessels():
        _tube(canvas, z, start, end, r0, r1, 30)
    outside = ((walls > -500) & (cage > 0.5)) | (cage > 0.96)
    canvas.values = np.where(outside, walls, canvas.values)  # no vessel leaves the lung
    for (cx, cy, cz), (rx, ry, rz), value in (
        ((-74, 0, -20), (72, 92, 72), LIVER),
        ((72, 8, -22), (64, 88, 58), LIVER - 20),
    ):
        scale = sqrt(max(0.0, 1 - ((z - cz) / rz) ** 2))
        canvas.ellipse(cx, cy, rx * scale, ry * scale, value)


def _heart_and_vessels(canvas: Canvas, z: float) -> None:
    middle = 34 + 10 * cos((z - 75) / 60)
    canvas.ellipse(0, -6, middle, 78, -60)  # the mediastinum is mostly fat
    for (cx, cy, cz), (rx, ry, rz), turn, value in HEART:
        scale = sqrt(max(0.0, 1 - ((z - cz) / rz) ** 2))
        canvas.ellipse(cx, cy, rx * scale, ry * scale, value, turn)
    for start, end, r0, r1, value in TUBES:
        if value == AIR:
            _tube(canvas, z, start, end, r0 + 2, r1 + 1.5, 40)
        _tube(canvas, z, start, end, r0, r1, value)


def _tube(canvas: Canvas, z: float, start: Point, end: Point, r0: float, r1: float, value: float) -> None:
    """Draw what a slice of 5 mm shows of a straight tube."""
    (x0, y0, z0), (x1, y1, z1) = start, end
    low, high = sorted((z0, z1))
    if high < z - 2.5 or low > z + 2.5:
        return
    cut = [min(max((edge - z0) / (z1 - z0), 0.0), 1.0) for edge in (z - 2.5, z + 2.5)] if z1 != z0 else [0.0, 1.0]
    a, b = ((x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for t in cut)
    canvas.capsule(a, b, r0 + (r1 - r0) * cut[0], r0 + (r1 - r0) * cut[1], value)


def _nodule(canvas: Canvas, z: float, centre: Point, radius: float) -> None:
    x, y, cz = centre
    scale = sqrt(max(0.0, 1 - ((z - cz) / radius) ** 2))
    if not scale:
        return
    for spike in range(9):
        turn = 2 * pi * spike / 9 + 0.3
        reach = radius * scale * 1.7
        canvas.capsule((x, y), (x + reach * cos(turn), y + reach * sin(turn)), 1.6, 0.4, -350)
    canvas.ellipse(x, y, radius * scale, radius * scale, 45)


def _bones(canvas: Canvas, z: float, cage: Image) -> None:
    x, y = canvas.x, canvas.y
    around = np.arctan2(abs(x), y) / pi  # 0 at the spine, 1 at the breast bone
    height = (z + 62 * around) % 24 - 12  # the ribs run downwards to the front
    rib = np.minimum(6.5 - abs(height), 4.6 - abs(cage - 1.02) * 93)
    rib = np.where((around > 0.1) & (around < 0.86), rib, -9.0)
    canvas.blend(rib, CORTEX)
    canvas.blend(rib - 2.2, MARROW)
    if z < 225:
        canvas.ellipse(0, -93, 19, 6.5, CORTEX * 0.8)
        canvas.ellipse(0, -93, 16, 4.2, MARROW - 60)
    body = z % 24  # vertebrae every 24 mm, a disc of 5 mm between two
    for side in (-1, 1):
        canvas.capsule((0, 84), (side * 34, 88), 5, 3.5, CORTEX * 0.8)
        canvas.capsule((side * 8, 86), (side * 31, 88), 3, 2, MARROW)
    canvas.capsule((0, 88), (0, 112), 5, 3, CORTEX * 0.8)
    canvas.capsule((0, 96), (0, 110), 3, 1.5, MARROW)
    canvas.ellipse(0, 66, 19, 15, DISC if body < 5 else CORTEX)
    canvas.ellipse(0, 66, 16.5, 12.5, DISC if body < 5 else MARROW)
    canvas.ellipse(0, 86, 12, 10.5, CORTEX * 0.8)
    canvas.ellipse(0, 86, 9.5, 8, -20)
    canvas.ellipse(0, 86, 5.5, 4.5, CORD)


@cache
def radiographs() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add the whole chest up along the rays: a frontal and a lateral projection, 0 to 1."""
    heights = range(276, -40, -2)
    volume = np.stack([chest(z, 160, 2.5) for z in heights])
    volume[:, 125:, :] = np.where(volume[:, 125:, :] == TABLE, AIR, volume[:, 125:, :])  # nobody stands on a table
    dense = np.clip(volume / 1000 + 1, 0, None)
    front, side = dense.sum(axis=1), dense.sum(axis=2)
    return _film(front), _film(side[:, ::-1])


def _film(rays: Image) -> Image:
    bright = 1 - np.exp(-1.6 * rays / np.percentile(rays, 90))
    return np.clip((bright - 0.32) / 0.58, 0, 1) ** 1.3
