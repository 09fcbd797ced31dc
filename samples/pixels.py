"""Put an array into the attributes of the Image Pixel module (PS3.3 C.7.6.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samples.dataset import Attributes


def grey(image: NDArray[np.floating], bits: int, signed: bool = False) -> Attributes:
    """Return one grey frame of `bits` stored bits; values beyond the range are cut."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    wide = 8 if bits <= 8 else 16
    values = np.clip(np.rint(image), low, high).astype(f"<{'i' if signed else 'u'}{wide // 8}")
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": image.shape[-2],
        "Columns": image.shape[-1],
        "BitsAllocated": wide,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(signed),
        "PixelData": _even(values.tobytes()),
    }


def colour(image: NDArray[np.floating]) -> Attributes:
    """Return one RGB frame of rows x columns x 3."""
    return {
        **grey(image[..., 0], 8),
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0,
        "PixelData": _even(np.clip(np.rint(image), 0, 255).astype("u1").tobytes()),
    }


def _even(data: bytes) -> bytes:
    return data + b"\0" * (len(data) % 2)
